// The address of the page, and the start of its parts.
"use strict";

// The state of the page in its address, behind ? or #: part=training&target=x y&intervals=5. A link opens the page as it was; with
// `only`, as in a frame of another page, all other parts are hidden.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const read = () => new URLSearchParams([...new URLSearchParams(root.location.search), ...new URLSearchParams(root.location.hash.slice(1))]);

  // The number of a name, held in [low, high]; the standard where the address has none, or something else.
  function number(name, standard, low, high) {
    const text = read().get(name);
    const value = text === null || text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : standard;
  }

  const text = (name, standard) => read().get(name) ?? standard;

  // Writes values of one part; those of other parts go, since a link shows one thing.
  function write(part, values) {
    const own = new URLSearchParams({ part, ...values });
    if (read().has("only")) own.set("only", "");
    root.history.replaceState(null, "", `#${own}`);
  }

  // Tells the page around this frame how tall the part is, so that it needs no scroll bar of its own.
  function tellHeight() {
    root.parent.postMessage({ explorerHeight: Math.ceil(root.document.documentElement.getBoundingClientRect().height) }, "*");
  }

  // Takes the colours of the page around this frame, which its reader may have chosen.
  function followPage(event) {
    if (event.source === root.parent && event.data && ["light", "dark"].includes(event.data.explorerTheme)) root.document.documentElement.dataset.theme = event.data.explorerTheme;
  }

  // Shows the part that the address names, or it alone; returns whether it is alone.
  function show() {
    const place = root.document.querySelector(`section[id="${CSS.escape(text("part", ""))}"]`);
    const alone = place !== null && read().has("only");
    root.document.body.classList.toggle("only", alone);
    for (const section of root.document.querySelectorAll("section")) section.classList.toggle("chosen-part", alone && section === place);
    if (place && !alone) place.scrollIntoView();
    return alone;
  }

  // A link that is opened in this tab changes only what is behind #; links within the page name no part there.
  function follow() {
    if (!new URLSearchParams(root.location.hash.slice(1)).has("part")) return;
    KAN.basesView.follow();
    KAN.trainingView.follow();
    show();
  }

  function start() {
    root.addEventListener("hashchange", follow);
    if (!show() || root.parent === root) return;
    root.addEventListener("message", followPage);
    new ResizeObserver(tellHeight).observe(root.document.body);
  }

  KAN.address = { number, text, write, start };
})(globalThis);

// Starts the parts of the page; what goes wrong is said at its top, and the other parts work on.
(function (root) {
  function trouble(error) {
    const place = document.getElementById("trouble");
    const complaint = String((error && error.message) || error);
    // of scripts from file:// a browser tells a page no more than this
    place.textContent = `This page has an error: ${complaint === "Script error." ? "see the browser's console" : complaint}`;
    place.hidden = false;
  }

  root.addEventListener("error", (event) => trouble(event.error || event.message));
  root.addEventListener("unhandledrejection", (event) => trouble(event.reason));
  for (const part of ["basesView", "edgeView", "networkView", "trainingView", "address"]) {
    try {
      root.KAN[part].start();
    } catch (error) {
      trouble(error);
      root.console.error(error);
    }
  }
})(globalThis);
