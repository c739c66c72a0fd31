// What the tests ask of a page in the browser, as functions that are put into it.
"use strict";

// Sets a control to a value, as a hand does; returns the value that it takes.
function setControl(id, value, event) {
  const control = document.getElementById(id);
  control.value = value;
  control.dispatchEvent(new Event(event));
  return Number(control.value);
}

// The middle of an element in the window, after it has been scrolled there.
function middleOf(element) {
  element.scrollIntoView({ block: "center" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}

function dropFile(text) {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], "dropped.json"));
  for (const type of ["dragover", "drop"]) document.getElementById("network-plot").dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
}

// [contrast of the text with its paper, which text] of all texts that are shown.
function contrasts() {
  const channel = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const mean = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const light = (colour) => mean(colour.match(/[\d.]+/g).map(Number));
  const own = (e) => getComputedStyle(e).backgroundColor;
  const paper = (e) => (own(e) === "rgba(0, 0, 0, 0)" ? paper(e.parentElement) : own(e));
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const shown = [...document.querySelectorAll("p, h1, h2, h3, h4, label, output, a, dt, dd, li, button, select")].filter((e) => e.offsetParent);
  return shown.map((e) => [contrast(light(getComputedStyle(e).color), light(paper(e))), e.id || e.tagName]);
}

// [name, height] of all controls.
function controls() {
  const all = [...document.querySelectorAll("input, select, button, [role=slider], [role=button]")].filter((e) => !e.closest("[hidden]"));
  const name = (e) => e.getAttribute("aria-label") || [...(e.labels ?? [])].map((label) => label.textContent).join(" ") || e.textContent;
  return all.map((e) => [name(e).trim(), e.getBoundingClientRect().height]);
}

// After MathJax has set the formulas, and with all that is folded opened: [what, its width, the room for it, its text] of every formula within a line
// that is wider than its line, and of every element that ends beyond the page and is in no box that scrolls sideways.
async function tooWide(width) { // innerWidth grows with what is too wide
  const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next)))); // the page's scripts have seen what changed
  const inner = (box, style = getComputedStyle(box)) => box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const shown = (element, box = element.getBoundingClientRect()) => box.width > 0 && box.height > 0;
  const scrolls = (element) => {
    for (let box = element; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.position === "fixed" || (box !== element && ["auto", "scroll"].includes(style.overflowX))) return true; // fixed: a drawer outside the page
    }
    return false;
  };
  await window.MathJax?.startup?.promise;
  await drawn();
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  await drawn();
  const found = [];
  for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
    const line = formula.closest("p, li, td, dd, figcaption, th") || formula.parentElement;
    const own = formula.querySelector("svg").getBoundingClientRect().width;
    if (shown(formula) && own > inner(line) + 1) found.push(["formula", Math.round(own), Math.round(inner(line)), line.textContent.trim().slice(0, 80)]);
  }
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    const { left, right } = element.getBoundingClientRect();
    if (shown(element) && right > width + 1 && !scrolls(element)) found.push([element.tagName, Math.round(right - left), width, element.textContent.trim().slice(0, 80)]);
  }
  if (document.documentElement.scrollWidth > width) found.push(["page", document.documentElement.scrollWidth, width, ""]);
  return found;
}
