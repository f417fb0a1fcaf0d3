(() => {
  "use strict";
  const root = document.documentElement;
  const key = "geoplan-runbook:" + document.body.dataset.checksum;
  const steps = [...document.querySelectorAll(".step")];
  const ticks = [...document.querySelectorAll(".tick")];
  const texts = [...document.querySelectorAll(".kept")];
  const tickOf = (step) => step.querySelector(".tick");
  const byId = (id) => document.getElementById(id);
  root.classList.add("js");

  // What is kept: only this plan's, and the page works as well where the browser keeps nothing.
  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(key)) || {};
      return { ticked: Array.isArray(kept.ticked) ? kept.ticked : [], written: kept.written || {} };
    } catch {
      return { ticked: [], written: {} };
    }
  };
  const keep = () => {
    const ticked = ticks.filter((tick) => tick.checked).map((tick) => tick.dataset.id);
    const written = Object.fromEntries(texts.filter((text) => text.value).map((text) => [text.dataset.id, text.value]));
    try {
      localStorage.setItem(key, JSON.stringify({ ticked, written }));
    } catch {
      byId("kept").textContent = "This browser keeps nothing for this page: ticks are lost when it is closed.";
    }
  };
  const restore = () => {
    const { ticked, written } = read();
    const known = new Set(ticked);
    ticks.forEach((tick) => { tick.checked = known.has(tick.dataset.id); });
    texts.forEach((text) => { text.value = written[text.dataset.id] || ""; });
  };

  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const duration = (seconds) => {
    const minutes = Math.ceil(seconds / 60);
    const parts = [];
    if (minutes >= 60) parts.push(count(Math.floor(minutes / 60), "hour"));
    if (minutes % 60) parts.push(count(minutes % 60, "minute"));
    return parts.join(" ");
  };

  const current = () => steps.find((step) => !tickOf(step).checked);
  const show = () => {
    const now = current();
    ticks.forEach((tick) => tick.closest("li").classList.toggle("done", tick.checked));
    steps.forEach((step) => {
      step.classList.toggle("now", step === now);
      if (step === now) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    const open = steps.filter((step) => !tickOf(step).checked);
    const left = open.reduce((sum, step) => sum + Number(step.dataset.seconds), 0);
    const done = steps.length - open.length;
    document.querySelector("progress").value = done;
    byId("done").textContent = `${done} of ${count(steps.length, "step")} done` +
      (left ? `, about ${duration(left)} left` : "");
    const link = byId("current");
    link.textContent = now ? `Step ${now.querySelector("label").textContent.replace(" ", " · ")}` : "All steps are done: verify";
    link.href = byId("skip").href = now ? "#" + now.id : "#verify";
  };
  const say = (words) => { byId("said").textContent = words; };

  ticks.forEach((tick) => tick.addEventListener("change", () => {
    const step = tick.closest(".step");
    if (step) fold(step, false);
    keep();
    show();
    say(byId("done").textContent);
  }));
  texts.forEach((text) => text.addEventListener("input", keep));

  const fold = (step, open) => {
    const button = step.querySelector(".fold");
    const word = open ? "Hide" : "Show";
    step.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", `${word} step ${step.querySelector(".number").textContent}`);
    button.textContent = word;
  };
  steps.forEach((step) => step.querySelector(".fold").addEventListener("click", () =>
    fold(step, !step.classList.contains("open"))));

  // Some phones show no scroll bar, so a picture wider than its frame looks cut off: the page says that it scrolls.
  const picture = document.querySelector(".picture");
  const tellWidth = () => picture.classList.toggle("wide", picture.scrollWidth > picture.clientWidth);
  tellWidth();
  addEventListener("resize", tellWidth);

  // Copying: pages opened from a file may be refused the clipboard, so there is the old way as well.
  const copyByHand = (text) => {
    const area = document.createElement("textarea");
    const focused = document.activeElement;
    area.value = text;
    area.className = "unseen";
    area.setAttribute("aria-hidden", "true");
    document.body.append(area);
    area.select();
    let copied = false;
    try { copied = document.execCommand("copy"); } catch { copied = false; }
    area.remove();
    if (focused) focused.focus({ preventScroll: true });
    return copied;
  };
  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyByHand(text);
    }
  };
  const copy = async (button) => {
    const text = button.previousElementSibling.textContent;
    const copied = await copyText(text);
    button.textContent = copied ? "Copied" : "Select";
    if (!copied) getSelection().selectAllChildren(button.previousElementSibling);
    say(copied ? `Copied ${text}` : "Could not copy: the value is selected.");
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button);
  });

  const goTo = (step) => {
    if (!step) return;
    tickOf(step).focus({ preventScroll: true });
    step.scrollIntoView({ block: "nearest" });
  };
  const here = () => {
    const focused = document.activeElement && document.activeElement.closest(".step");
    return focused || current() || steps[steps.length - 1];
  };
  const beside = (offset) => {
    const focused = document.activeElement && document.activeElement.closest(".step");
    return focused ? steps[steps.indexOf(focused) + offset] : here();
  };
  const copyNext = (step) => {
    const buttons = [...step.querySelectorAll(".field .copy")];
    const all = buttons.length ? buttons : [...step.querySelectorAll(".copy")];
    const next = Number(step.dataset.copied || 0) % all.length;
    step.dataset.copied = next + 1;
    copy(all[next]);
  };
  const keys = {
    j: () => goTo(beside(1)),
    k: () => goTo(beside(-1)),
    n: () => goTo(current()),
    c: () => copyNext(here()),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !byId("keys").checked) return;
    if (event.target.closest("input[type=text], textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  byId("afresh").addEventListener("click", () => {
    if (!confirm("Remove every tick of this plan?")) return;
    ticks.forEach((tick) => { tick.checked = false; });
    texts.forEach((text) => { text.value = ""; });
    keep();
    show();
  });
  // Another window with the same plan, or the way back through the browser's history.
  addEventListener("storage", (event) => { if (event.key === key) { restore(); show(); } });
  addEventListener("pageshow", () => { restore(); show(); });
  restore();
  show();
})();
