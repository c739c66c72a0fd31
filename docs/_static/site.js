// What the pages of the site do by themselves: buttons that copy code, the box that filters equations, frames of the explorer as tall and as dark as
// their page, optional sections that open, pictures and formulas that are too wide for a phone. No library, no request to another place.
"use strict";

const all = (selector) => [...document.querySelectorAll(selector)];
const made = (name, properties) => Object.assign(document.createElement(name), properties);

// --- a button on every block of code

function codeOf(block) {
  const copy = block.querySelector("pre").cloneNode(true);
  copy.querySelectorAll(".linenos, .go, .gt").forEach((part) => part.remove()); // numbers of lines, outputs of examples
  const examples = copy.querySelector(".gp") !== null;
  copy.querySelectorAll(".gp").forEach((prompt) => prompt.remove());
  const text = copy.textContent.trimEnd();
  return `${examples ? text.replace(/\n{2,}/g, "\n") : text}\n`;
}

function addCopyButtons() {
  for (const block of all("article div.highlight")) {
    if (block.closest(".cell_output") || !block.querySelector("pre")) continue;
    const button = made("button", { type: "button", className: "copy-code", textContent: "Copy", ariaLabel: "Copy this code" });
    button.addEventListener("click", async () => {
      button.textContent = await navigator.clipboard.writeText(codeOf(block)).then(() => "Copied", () => "Not copied");
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.classList.add("has-copy");
    block.append(button);
  }
}

// --- the box above the equations

function filterEquations() {
  const box = document.getElementById("equation-filter");
  if (!box) return;
  const cards = all(".equation").map((card) => ({ card, text: card.textContent.toLowerCase() })); // LaTeX, before it is set
  // a number is found as a whole: 2.1 is not 2.10
  const has = (text, word) => (/^[\d.]+$/.test(word) ? text.split(/[^\d.]+/).includes(word) : text.includes(word));
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { card, text } of cards) card.hidden = !words.every((word) => has(text, word));
    for (const group of all(".equation-group")) group.hidden = !group.querySelector(".equation:not([hidden])");
    const count = cards.filter(({ card }) => !card.hidden).length;
    document.querySelector(".equation-filter output").textContent = words.length ? `${count} of ${cards.length} formulas` : `${cards.length} formulas`;
  };
  box.addEventListener("input", show);
  box.value = new URLSearchParams(location.search).get("show") ?? box.value;
  show();
}

// --- the page of results has a field of its own: on a phone the other one is in the closed menu

function addSearchField() {
  const [results, field] = [document.getElementById("search-results"), document.querySelector("form.sidebar-search-container")];
  if (!results || !field) return;
  const own = field.cloneNode(true);
  own.classList.add("search-again");
  own.querySelector("[name=q]").value = new URLSearchParams(location.search).get("q") || "";
  results.before(own);
}

// --- frames of the explorer

function fitFrames() {
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => {
    const chosen = document.body.dataset.theme;
    const explorerTheme = chosen === "dark" || (chosen !== "light" && isDark.matches) ? "dark" : "light";
    for (const frame of all("iframe.explorer")) frame.contentWindow.postMessage({ explorerTheme }, "*");
  };
  addEventListener("message", ({ source, data }) => {
    const frame = all("iframe.explorer").find((one) => one.contentWindow === source);
    if (!frame || !Number.isFinite(data?.explorerHeight)) return;
    frame.style.height = `${Math.min(Math.max(data.explorerHeight, 200), 4000) + 4}px`;
    tell();
  });
  new MutationObserver(tell).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  isDark.addEventListener("change", tell);
}

// --- sections that can be left out are closed at first

function foldOptional() {
  for (const heading of all("article section > h2")) {
    if (!heading.textContent.startsWith("Optional:")) continue;
    const fold = made("details", { className: "optional" });
    const head = made("summary");
    heading.before(fold);
    fold.append(head);
    while (fold.nextSibling) fold.append(fold.nextSibling);
    head.append(heading);
    fold.addEventListener("toggle", fitWide);
  }
  openTarget();
  addEventListener("hashchange", openTarget);
  addEventListener("beforeprint", () => all("details.optional").forEach((fold) => (fold.open = true)));
}

// a link into a closed section opens it
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target && (target.querySelector(":scope > details.optional") || target.closest("details.optional"));
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
}

// --- pictures whose labels would be too small on a phone, and formulas in a line that are wider than it, scroll

const SMALLEST_PICTURE = 0.62; // of its own size: labels of 10 points have 8 pixels
const A_LITTLE = 1.12; // a picture that is wider than its room by less gets smaller still, since there would be next to nothing to scroll to

function fitWide() {
  for (const picture of all("article div.cell_output :is(img, svg:not(mjx-container *)), article img.on-white:not(.thumbnails *)")) {
    if (picture.closest(".picture-room")) continue;
    const own = picture.width.baseVal ? picture.width.baseVal.value : Number(picture.getAttribute("width")) || picture.naturalWidth;
    const least = Math.round(own * SMALLEST_PICTURE);
    const shown = picture.closest("a") || picture;
    const width = shown.parentElement.clientWidth;
    if (width === 0 || least <= A_LITTLE * width) continue;
    const room = made("div", { className: "picture-room", tabIndex: 0 }); // keys scroll it
    shown.replaceWith(room);
    room.append(shown);
    room.after(made("p", { className: "picture-hint", textContent: "The picture goes on to the right \u2192" }));
    picture.style.minWidth = `${least}px`;
  }
  // a phone that is turned may show all of a picture
  for (const room of all(".picture-room")) room.nextElementSibling.hidden = room.scrollWidth <= room.clientWidth + 1;
  for (const formula of all("article mjx-container:not([display])")) {
    const line = formula.closest("p, li, td, dd, figcaption, th") || formula.parentElement;
    formula.classList.toggle("wide", formula.getBoundingClientRect().width > line.clientWidth + 1 && line.clientWidth > 0);
  }
}

// --- a full stop, a comma or a bracket stays on the line of its formula, and the hyphen of an option or a number with the rest

function keepMarks() {
  for (const cell of all("article td")) {
    if (/^([-+\d.e]{1,10}%?|\[[\d, ]{1,14}\])$/.test(cell.textContent.trim())) cell.style.whiteSpace = "nowrap"; // 1e-3 is one word, and so is [2, 5, 1]
    cell.classList.toggle("prose", cell.textContent.length > 30);
  }
  for (const word of all("article code .pre")) if (/^[\w.=]*-[-\w.=]{1,24}$/.test(word.textContent)) word.style.whiteSpace = "nowrap";
  for (const formula of all("article span.math")) {
    const [before, after] = [formula.previousSibling, formula.nextSibling].map((node) => (node?.nodeType === Node.TEXT_NODE ? node : new Text()));
    const both = made("span", { className: "with-mark" });
    const [opening] = before.data.match(/[([]$/) ?? [""];
    const [closing] = after.data.match(/^[.,;:!?)\]]+/) ?? [""];
    if (!opening && !closing) continue;
    before.data = before.data.slice(0, before.data.length - opening.length);
    after.data = after.data.slice(closing.length);
    formula.replaceWith(both);
    both.append(opening, formula, closing);
  }
}

function watchSizes() {
  fitWide();
  addEventListener("resize", fitWide);
  window.MathJax?.startup?.promise?.then(() => {
    fitWide();
    openTarget(); // formulas have moved it
  });
}

addCopyButtons();
filterEquations();
addSearchField();
fitFrames();
foldOptional();
keepMarks();
addEventListener("load", watchSizes);
