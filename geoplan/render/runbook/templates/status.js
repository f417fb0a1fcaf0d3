(() => {
  "use strict";
  // All that is told is set as text, never as markup: names and messages may be a unit's own words.
  const byId = (id) => document.getElementById(id);
  const body = document.body;
  const headings = JSON.parse(body.dataset.headings);
  const patience = (Number(body.dataset.seconds) * 2 + 30) * 1000;
  const cards = [...document.querySelectorAll("g[data-site]")];
  const units = [...document.querySelectorAll("g[data-unit]")];
  const lines = [...document.querySelectorAll("path[data-link]")];
  let now = {};
  let link = "connecting";
  let lastTold = performance.now();

  const make = (name, className, ...parts) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...parts);
    return element;
  };
  const as = (role, element) => {
    element.setAttribute("role", role);
    return element;
  };
  const wide = (name, text) => {
    const cell = as("rowheader", make("th", name, make("bdi", "", text)));
    cell.colSpan = headings.length;
    cell.scope = "rowgroup";
    return cell;
  };
  const unitRow = (unit) => as("row", make("tr", "", ...unit.cells.map(([text, isWrong], place) => {
    const isState = place === 2 && unit.state === "down";
    const cell = as("cell", make("td", isState ? "down" : isWrong ? "wrong" : ""));
    cell.append(make("span", "only-stacked", `${headings[place]} `), text);
    return cell;
  })));
  const siteRows = (site) => [
    as("row", make("tr", site.is_troubled ? "troubled" : "", wide("site", site.name))),
    ...site.units.map(unitRow),
  ];
  const finding = (found) => {
    const item = make("li", found.is_problem ? "problem" : "");
    const message = make("p", "");
    if (found.site) message.append(make("b", "", make("bdi", "", found.site), ": "));
    message.append(found.message);
    item.append(message);
    if (found.hint) item.append(make("p", "aside", found.hint));
    item.append(...found.commands.map((command) => make("code", "", command)));
    return item;
  };

  const show = {
    at: (at) => { byId("at").textContent = at; },
    verdict: (text) => {
      byId("verdict").textContent = text;
      document.title = text;
    },
    is_well: (isWell) => { byId("verdict").classList.toggle("well", isWell); },
    left_out: (text) => {
      byId("left-out").textContent = text;
      byId("left-out").hidden = !text;
    },
    sites: (sites) => {
      const groups = new Map(now.groups.map((group) => [group, []]));
      for (const site of sites) groups.get(site.group)?.push(...siteRows(site));
      const rows = now.groups.length ? [...groups].filter(([, own]) => own.length).flatMap(([group, own]) =>
        [as("row", make("tr", "", wide("group", `Group ${group}`))), ...own]) : sites.flatMap(siteRows);
      byId("units").replaceChildren(...rows);
      const known = new Map(sites.map((site) => [site.place, site]));
      for (const card of cards) {
        const site = known.get(Number(card.dataset.place));
        card.classList.toggle("troubled", site !== undefined && site.is_troubled);
      }
    },
    states: (states) => {
      for (const unit of units) unit.setAttribute("class", states[unit.dataset.unit] || "");
      for (const card of cards) {
        card.classList.toggle("unasked", ![...card.querySelectorAll("g[data-unit]")].some((unit) => unit.dataset.unit in states));
      }
    },
    links: (links) => {
      const colours = new Map(links);
      for (const line of lines) {
        const colour = colours.get(line.dataset.link);
        line.classList.toggle("green", colour === "green");
        line.classList.toggle("red", colour === "red");
      }
    },
    findings: (found) => {
      byId("found").replaceChildren(...(found.length ? found.map(finding) : [make("li", "", "None.")]));
    },
    push: (push) => {
      byId("push").hidden = push === null;
      if (push === null) return;
      byId("push-called").textContent = push.called;
      byId("push-progress").textContent = push.progress;
      byId("push-bar").max = Math.max(1, push.steps.length);
      byId("push-bar").value = push.done;
      byId("push-steps").hidden = !push.steps.length;
      byId("push-steps").replaceChildren(...push.steps.map((step) => make("li", step.kind,
        make("span", "", String(step.number)), make("span", "", step.name), make("span", "", step.state))));
      const current = byId("push-steps").querySelector(".now");
      if (current) byId("push-steps").scrollTop = current.offsetTop - byId("push-steps").offsetTop - 60;
    },
    changes: (changes) => {
      byId("changes").replaceChildren(...changes.map((change) =>
        make("p", "", make("time", "", change.at), change.text)));
      byId("changes").hidden = !changes.length;
      byId("unchanged").hidden = changes.length > 0;
    },
  };

  const age = () => {
    const shown = now.at ? ` What is shown is of ${now.at}.` : "";
    const seconds = Math.round((performance.now() - lastTold) / 1000);
    const words = {
      lost: "geoplan status does not answer.",
      ended: "geoplan status has ended.",
      replaced: "Too many pages are open, so this one is told nothing more: reload it to go on.",
    }[link] || now.trouble || (now.at && performance.now() - lastTold > patience ? `No look for ${seconds} s.` : "");
    const text = words ? words + shown : "";
    const banner = byId("stale");
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    body.classList.toggle("is-stale", Boolean(text));
  };
  byId("verdict").classList.add("unknown");
  byId("changes").hidden = true;
  listenToEvents((told) => {
    if (told.checksum && told.checksum !== body.dataset.checksum) {
      location.reload();  // another watch is served here by now
      return;
    }
    lastTold = performance.now();
    now = { ...now, ...told };
    if (told.verdict) byId("verdict").classList.remove("unknown");
    for (const key of Object.keys(told)) if (show[key]) show[key](now[key]);
    age();
  }, (state) => {
    link = state;
    age();
  });
  setInterval(age, 1000);
})();
