// The address of the page, and the start of its parts.
"use strict";

// The state of the page in its address, behind ? or #: part=training&target=x y&intervals=5. A link opens the page as it was; with
// `only`, as in a frame of another page, all other parts are hidden.
KAN.address = (() => {
  const read = () => new URLSearchParams([...new URLSearchParams(location.search), ...new URLSearchParams(location.hash.slice(1))]);
  const text = (name, standard) => read().get(name) ?? standard;

  // The number of a name, held in the range of its slider; the slider's own where the address has none, or something else.
  function slider(name, { defaultValue, min, max }) {
    const value = Number(text(name, "").trim() || defaultValue);
    return Math.min(Math.max(Number.isFinite(value) ? value : Number(defaultValue), Number(min)), Number(max));
  }

  // Writes values of one part; those of other parts go, since a link shows one thing.
  function write(part, values) {
    const own = new URLSearchParams({ part, ...values });
    if (read().has("only")) own.set("only", "");
    history.replaceState(null, "", `#${own}`);
  }

  // Shows the part that the address names, or it alone; returns whether it is alone.
  function show() {
    const place = document.querySelector(`section[id="${CSS.escape(text("part", ""))}"]`);
    const alone = place !== null && read().has("only");
    document.body.classList.toggle("only", alone);
    for (const section of document.querySelectorAll("section")) section.classList.toggle("chosen-part", alone && section === place);
    if (place && !alone) place.scrollIntoView();
    return alone;
  }

  // A link that is opened in this tab changes only what is behind #; links within the page name no part there.
  function follow() {
    const part = new URLSearchParams(location.hash.slice(1)).get("part");
    if (part === "bases") KAN.basesView.follow();
    if (part === "training") KAN.trainingView.follow();
    if (part) show();
  }

  // In a frame the page around it is told how tall the part is, and its colours, which its reader may have chosen, are taken.
  function start() {
    addEventListener("hashchange", follow);
    if (!show() || parent === window) return;
    addEventListener("message", ({ source, data }) => {
      if (source === parent && ["light", "dark"].includes(data?.explorerTheme)) document.documentElement.dataset.theme = data.explorerTheme;
    });
    const tell = () => parent.postMessage({ explorerHeight: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
    new ResizeObserver(tell).observe(document.body);
  }

  return { slider, text, write, start };
})();

// Starts the parts of the page; what goes wrong is said at its top, and the other parts work on.
(() => {
  const trouble = (error) => KAN.draw.say("trouble", `This page has an error: ${error?.message || error}`);
  addEventListener("error", (event) => trouble(event.error || event.message));
  addEventListener("unhandledrejection", (event) => trouble(event.reason));
  for (const part of ["basesView", "edgeView", "networkView", "trainingView", "address"]) {
    try {
      KAN[part].start();
    } catch (error) {
      trouble(error);
      console.error(error);
    }
  }
})();
