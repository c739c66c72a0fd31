// What the pages of the site do by themselves: buttons that copy code, the box that filters equations, frames of the explorer as tall and as dark as
// their page, optional sections that open, pictures and formulas that are too wide for a phone. No library, no request to another place.
"use strict";

// --- a button on every block of code

function codeOf(block) {
  const copy = block.querySelector("pre").cloneNode(true);
  copy.querySelectorAll(".linenos, .go, .gt").forEach((part) => part.remove()); // numbers of lines, outputs of examples
  const examples = copy.querySelector(".gp") !== null;
  copy.querySelectorAll(".gp").forEach((prompt) => prompt.remove());
  const text = copy.textContent.replace(/\s+$/, "");
  return `${examples ? text.replace(/\n{2,}/g, "\n") : text}\n`;
}

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text }); // pages opened from a file
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not copy");
}

function addCopyButtons() {
  const blocks = [...document.querySelectorAll("article div.highlight")].filter((block) => !block.closest(".cell_output, .module-text") && block.querySelector("pre"));
  for (const block of blocks) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-code", textContent: "Copy" });
    button.setAttribute("aria-label", "Copy this code");
    button.addEventListener("click", async () => {
      try {
        await copyText(codeOf(block));
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not copied";
      }
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
  const cards = [...document.querySelectorAll(".equation")].map((card) => ({ card, text: card.textContent.toLowerCase() })); // LaTeX, before it is set
  const groups = [...document.querySelectorAll(".equation-group")];
  const counter = document.querySelector(".equation-filter output");
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    // a number is found as a whole: 2.1 is not 2.10
    const has = (text, word) => (/^[\d.]+$/.test(word) ? text.split(/[^\d.]+/).includes(word) : text.includes(word));
    let count = 0;
    for (const { card, text } of cards) {
      card.hidden = !words.every((word) => has(text, word));
      count += !card.hidden;
    }
    for (const group of groups) group.hidden = !group.querySelector(".equation:not([hidden])");
    counter.textContent = words.length ? `${count} of ${cards.length} formulas` : `${cards.length} formulas`;
  };
  box.addEventListener("input", show);
  const asked = new URLSearchParams(location.search).get("show");
  if (asked) box.value = asked;
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

function dark() {
  const chosen = document.body.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

function followTheme() {
  for (const frame of document.querySelectorAll("iframe.explorer")) frame.contentWindow.postMessage({ explorerTheme: dark() ? "dark" : "light" }, "*");
}

function fitFrames() {
  addEventListener("message", (event) => {
    const height = event.data && event.data.explorerHeight;
    const frame = [...document.querySelectorAll("iframe.explorer")].find((one) => one.contentWindow === event.source);
    if (!frame || !Number.isFinite(height)) return;
    frame.style.height = `${Math.min(Math.max(height, 200), 4000) + 4}px`;
    followTheme();
  });
  new MutationObserver(followTheme).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", followTheme);
}

// --- sections that can be left out are closed at first

function foldOptional() {
  for (const heading of document.querySelectorAll("article section > h2")) {
    if (!heading.textContent.startsWith("Optional:")) continue;
    const fold = Object.assign(document.createElement("details"), { className: "optional" });
    const head = document.createElement("summary");
    const rest = [...heading.parentElement.childNodes].slice([...heading.parentElement.childNodes].indexOf(heading) + 1);
    heading.replaceWith(fold);
    head.append(heading);
    fold.append(head, ...rest);
    fold.addEventListener("toggle", scrollWideFormulas);
    fold.addEventListener("toggle", sizePictures);
    fold.addEventListener("toggle", sizeOutputs);
  }
  openTarget();
  addEventListener("hashchange", openTarget);
  addEventListener("beforeprint", () => document.querySelectorAll("details.optional").forEach((fold) => (fold.open = true)));
}

// a link into a closed section opens it
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const fold = target.querySelector(":scope > details.optional") || target.closest("details.optional");
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
}

// --- pictures whose labels would be too small on a phone

const SMALLEST_PICTURE = 0.62; // of its own size: labels of 10 points have 8 pixels
const A_LITTLE = 1.12; // a picture that is wider than its room by less gets smaller still, since there would be next to nothing to scroll to

function sizePictures() {
  for (const picture of document.querySelectorAll("article div.cell_output :is(img, svg:not(mjx-container *)), article img.on-white:not(.thumbnails *)")) {
    if (picture.closest(".picture-room")) continue;
    const own = picture.width.baseVal ? picture.width.baseVal.value : Number(picture.getAttribute("width")) || picture.naturalWidth;
    const least = Math.round(own * SMALLEST_PICTURE);
    const shown = picture.closest("a") || picture;
    if (!shown.parentElement.clientWidth || least <= A_LITTLE * shown.parentElement.clientWidth) continue;
    const room = Object.assign(document.createElement("div"), { className: "picture-room", tabIndex: 0 }); // keys scroll it
    shown.replaceWith(room);
    room.append(shown);
    room.after(Object.assign(document.createElement("p"), { className: "picture-hint", textContent: "The picture goes on to the right \u2192" }));
    picture.style.minWidth = `${least}px`;
  }
  // a phone that is turned may show all of a picture
  for (const room of document.querySelectorAll(".picture-room")) room.nextElementSibling.hidden = room.scrollWidth <= room.clientWidth + 1;
}

// --- outputs with lines that are a little too long

const SMALLEST_OUTPUT = 0.82;

function sizeOutputs() {
  if (!matchMedia("(min-width: 46em)").matches) return;
  for (const output of document.querySelectorAll("div.cell_output .output.stream pre")) {
    output.style.fontSize = ""; // it may have been set before
    const factor = output.clientWidth / output.scrollWidth;
    if (factor < 1) output.style.fontSize = `${0.72 * Math.max(SMALLEST_OUTPUT, Math.floor(100 * factor) / 100)}rem`;
  }
}

// --- a full stop, a comma or a bracket stays on the line of its formula, and the hyphen of an option or a number with the rest

// names in narrow columns are broken after a dot, a slash, an underscore or a bracket instead of anywhere
function breakNames(part) {
  const pieces = part.textContent.split(/(?<=[._/(,=])(?=\w)/);
  if (pieces.length > 1) part.replaceChildren(...pieces.flatMap((piece, n) => (n ? [document.createElement("wbr"), piece] : [piece])));
}

// a word of a command with a hyphen, up to the width of a phone, is broken before it instead of in it
function keepHyphens(command) {
  const texts = document.createTreeWalker(command, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (texts.currentNode.data.includes("-")) found.push(texts.currentNode);
  for (const text of found) {
    const pieces = text.data.split(/(\S*-\S*)/).map((word) => {
      if (!word.includes("-") || word.length > 34) return word;
      return Object.assign(document.createElement("span"), { className: "whole-word", textContent: word });
    });
    text.replaceWith(...pieces);
  }
}

function keepMarks() {
  for (const cell of document.querySelectorAll("article td")) if (/^([-+\d.e]{1,10}%?|\[[\d, ]{1,14}\])$/.test(cell.textContent.trim())) cell.style.whiteSpace = "nowrap"; // 1e-3 is one word, and so is [2, 5, 1]
  for (const cell of document.querySelectorAll("article td")) cell.classList.toggle("prose", cell.textContent.length > 30);
  for (const command of document.querySelectorAll(".highlight-sh pre")) keepHyphens(command);
  for (const part of document.querySelectorAll("article td :is(code .pre, a)")) if (!part.childElementCount) breakNames(part);
  for (const word of document.querySelectorAll("article code .pre")) if (/^[\w.=]*-[-\w.=]{1,24}$/.test(word.textContent)) word.style.whiteSpace = "nowrap";
  for (const formula of document.querySelectorAll("article span.math:not(.with-mark > *)")) {
    const [before, after] = [formula.previousSibling, formula.nextSibling];
    const opening = before && before.nodeType === Node.TEXT_NODE ? before.data.match(/[([]$/) : null;
    const closing = after && after.nodeType === Node.TEXT_NODE ? after.data.match(/^[.,;:!?)\]]+/) : null;
    if (!opening && !closing) continue;
    const both = Object.assign(document.createElement("span"), { className: "with-mark" });
    formula.replaceWith(both);
    if (opening) {
      before.data = before.data.slice(0, -1);
      both.append(opening[0]);
    }
    both.append(formula);
    if (closing) {
      after.data = after.data.slice(closing[0].length);
      both.append(closing[0]);
    }
  }
}

// --- formulas in a line that are wider than it scroll, as those on lines of their own do by the theme

function scrollWideFormulas() {
  for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
    const line = formula.closest("p, li, td, dd, figcaption, th") || formula.parentElement;
    formula.classList.toggle("wide", formula.getBoundingClientRect().width > line.clientWidth + 1 && line.clientWidth > 0);
  }
}

function watchFormulas() {
  const ready = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
  if (!ready) return;
  let width = innerWidth;
  ready.then(() => {
    scrollWideFormulas();
    openTarget(); // formulas have moved it
    addEventListener("resize", () => {
      if (innerWidth !== width) scrollWideFormulas(); // a phone also says "resize" when its address bar goes
      width = innerWidth;
    });
  });
}

addCopyButtons();
filterEquations();
addSearchField();
fitFrames();
foldOptional();
keepMarks();
addEventListener("load", sizeOutputs);
addEventListener("load", watchFormulas);
addEventListener("load", sizePictures);
addEventListener("resize", sizePictures);
