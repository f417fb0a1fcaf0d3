// What a page on loopback is told: told gets each event, linked how the page stands with its server.
const listenToEvents = (told, linked) => {
  "use strict";
  let hasEnded = false;
  const source = new EventSource("/events");
  source.onopen = () => { hasEnded = false; linked("connected"); };
  source.onerror = () => linked(hasEnded ? "ended" : "lost");
  source.onmessage = (event) => told(JSON.parse(event.data));
  source.addEventListener("ended", () => { hasEnded = true; linked("ended"); });
  source.addEventListener("replaced", () => { source.close(); linked("replaced"); });
};
