(() => {
  "use strict";
  // The page of geoplan follow: ticks come from there, and a tick by hand goes there first.
  const tickOf = (id) => document.querySelector(`.step .tick[data-id="${CSS.escape(id)}"]`);
  const said = document.getElementById("said");
  const link = document.getElementById("followed");
  const states = new Map();

  const show = (step) => {
    const tick = tickOf(step.id);
    if (!tick) return;
    states.set(step.id, step);
    const item = tick.closest(".step");
    const done = step.state === "done";
    let line = item.querySelector(".seen");
    if (!line) {
      line = document.createElement("p");
      line.className = "seen";
      item.querySelector(".head").after(line);
    }
    line.textContent = step.message;
    line.hidden = !step.message;
    item.dataset.state = step.state;
    if (tick.checked !== done) {
      tick.checked = done;
      tick.dispatchEvent(new Event("change"));
    }
  };
  const refuse = (step, tick, words) => {
    tick.checked = step.state === "done";
    tick.dispatchEvent(new Event("change"));
    show({ ...step, message: words });
    said.textContent = words;
  };
  document.addEventListener("change", async (event) => {
    const tick = event.target;
    if (!event.isTrusted || !tick.matches(".step .tick")) return;
    const step = states.get(tick.dataset.id) || { id: tick.dataset.id, state: "open", message: "" };
    if (!tick.checked) {
      refuse(step, tick, "A step that is done stays ticked.");
      return;
    }
    try {
      const answer = await fetch("/tick", { method: "POST", body: JSON.stringify({ id: step.id }) });
      if (!answer.ok) refuse(step, tick, await answer.text());
    } catch {
      refuse(step, tick, "geoplan follow does not answer: nothing is ticked.");
    }
  });

  listenToEvents((told) => {
    (told.steps || []).forEach(show);
    if (told.message) said.textContent = `Step ${told.number}: ${told.message}`;
    if (told.warning) link.textContent = `Step ${told.number}: ${told.message}`;
  }, (state) => {
    link.textContent = {
      connected: "geoplan follow is watching the units.",
      lost: "geoplan follow does not answer: ticks may be old.",
      ended: "geoplan follow has ended: ticks may be old.",
      replaced: "Too many pages are open, so this one is told nothing more: ticks may be old. Reload it to go on.",
    }[state];
  });
})();
