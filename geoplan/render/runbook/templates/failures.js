(() => {
  "use strict";
  const rows = [...document.querySelectorAll("tr[data-about]")].map((row) => ({
    row, button: row.querySelector("button"), about: JSON.parse(row.dataset.about),
    words: [...row.children].map((cell) => cell.textContent.trim()),
  }));
  const heads = [...document.querySelectorAll(".failures thead th")].map((cell) => cell.textContent.trim());
  const cards = [...document.querySelectorAll("g[data-site]")];
  const said = document.getElementById("said");
  const before = said.textContent;
  const addresses = (card) => [...card.querySelectorAll("text.geoplan-diagram-address")];
  let chosen = null;

  const choose = (one) => {
    chosen = one === chosen ? null : one;
    for (const each of rows) {
      each.row.classList.toggle("chosen", each === chosen);
      each.button.setAttribute("aria-pressed", String(each === chosen));
    }
    for (const card of cards) {
      for (const kind of ["gone", "cut", "brief"]) {
        card.classList.toggle(kind, chosen !== null && chosen.about[kind].includes(card.dataset.site));
      }
      for (const text of addresses(card)) {
        text.classList.toggle("off", chosen !== null && chosen.about.off.includes(text.textContent));
      }
    }
    said.textContent = chosen === null ? before
      : `${chosen.words[0]}. ${heads[1]}: ${chosen.words[1]}. ${heads[2]}: ${chosen.words[2]}.`;
  };

  const next = (fitting) => {
    if (fitting.length) choose(fitting[(fitting.indexOf(chosen) + 1) % fitting.length]);
  };
  for (const each of rows) each.button.addEventListener("click", () => choose(each));
  for (const card of cards) {
    card.addEventListener("click", (event) => {
      const address = event.target.textContent;
      const ofUnit = rows.filter((each) => each.about.off.length === 1 && each.about.off[0] === address);
      const isUnit = addresses(card).includes(event.target) && ofUnit.length > 0;
      next(isUnit ? ofUnit : rows.filter((each) => each.about.sites.includes(card.dataset.site)));
    });
  }
  document.documentElement.classList.add("js");
})();
