// Formulas that are wider than a phone are set again on several lines, at places where an author would break them. A formula that fits is left as it
// is. Used by site.js; needs MathJax.tex2svg; no library besides, no request to another place.
"use strict";

const Formulas = (() => {
  const RELATIONS = new Set(["=", "<", ">", ":=", "\\le", "\\ge", "\\approx", "\\sim", "\\to", "\\leftarrow", "\\mapsto", "\\Rightarrow", "\\Longrightarrow", "\\Longleftrightarrow", "\\propto", "\\in"]);
  const SPACES = new Set(["\\quad", "\\qquad"]);
  const FENCES = { "(": 1, "[": 1, "\\{": 1, "\\langle": 1, ")": -1, "]": -1, "\\}": -1, "\\rangle": -1 };
  const SHRINK = 0.87; // a formula that is only a little too wide gets smaller and keeps its lines
  const SMALLEST = 0.78;

  // tokens with their depth in braces, environments and \left ... \right, and in other brackets
  function tokens(tex) {
    const found = [];
    let depth = 0, fences = 0, delimiter = false;
    for (const [text] of tex.matchAll(/\\begin\{\w+\}|\\end\{\w+\}|\\[a-zA-Z]+|\\.|:=|\s+|./gs)) {
      const isDelimiter = delimiter && text.trim() !== "";
      if (isDelimiter) delimiter = false;
      if (text === "}" || text.startsWith("\\end{") || text === "\\right") depth -= 1;
      if (!isDelimiter && FENCES[text] < 0) fences = Math.max(0, fences - 1);
      found.push({ text, depth, fences });
      if (text === "{" || text.startsWith("\\begin{") || text === "\\left") depth += 1;
      if (!isDelimiter && FENCES[text] > 0) fences += 1;
      if (text === "\\left" || text === "\\right") delimiter = true;
    }
    return found;
  }

  // pieces of a formula: split before tokens ("before"), after them ("after"), or at their places ("drop")
  function split(tex, isBreak, where, fences = 0) {
    const pieces = [""];
    let last = "";
    for (const one of tokens(tex)) {
      const breaks = one.depth === 0 && one.fences <= fences && isBreak(one.text, last) && pieces.at(-1).trim() !== "";
      if (breaks && where === "before") pieces.push("");
      if (!(breaks && where === "drop")) pieces[pieces.length - 1] += one.text;
      if (breaks && where !== "before") pieces.push("");
      if (one.text.trim()) last = one.text;
    }
    return pieces.filter((piece) => piece.trim());
  }

  const isSign = (text, last) => (text === "+" || text === "-") && last !== "" && !RELATIONS.has(last) && !["(", "[", ",", "\\Big", "\\big", "^", "_"].includes(last);
  const WAYS = [
    (tex) => split(tex, (text) => SPACES.has(text), "drop"),
    (tex) => split(tex, (text) => RELATIONS.has(text), "before"),
    (tex) => split(tex, isSign, "before"),
    (tex) => split(tex, (text) => text === ",", "after"),
    (tex) => split(tex, (text) => text === "\\sum" || text === "\\prod", "before"),
    (tex) => split(tex, isSign, "before", 1),
    (tex) => split(tex, (text) => text === ",", "after", 1),
  ];

  // lines of a formula without alignment; as much on each line as there is room for
  function lines(tex, room, widthOf, way = 0) {
    if (way === WAYS.length || widthOf(tex) <= room) return [tex];
    const pieces = WAYS[way](tex);
    if (pieces.length === 1) return lines(tex, room, widthOf, way + 1);
    const found = [];
    const indent = way === 0 ? "" : "\\quad ";
    const joint = way === 0 ? "\\quad " : "";
    let line = "";
    for (const piece of pieces) {
      const start = found.length || line ? indent : "";
      if (line && widthOf(line + joint + piece) <= room) line += joint + piece;
      else {
        if (line) found.push(line);
        line = start + piece;
        if (widthOf(line) > room) {
          const parts = lines(piece, room - (start ? widthOf("\\quad ") : 0), widthOf, way + 1).map((part) => start + part);
          line = parts.pop();
          found.push(...parts);
        }
      }
    }
    return [...found, line];
  }

  // the rows of a formula that is one array of equations, each with its columns; else one row
  function rows(tex) {
    const inner = tex.trim().replace(/^\\begin\{split\}([\s\S]*)\\end\{split\}$/, "$1").trim(); // Sphinx puts it around every formula with a line break
    const whole = /^\\begin\{(aligned|gathered)\}([\s\S]*)\\end\{\1\}\s*([.,;]?)$/.exec(inner);
    if (!whole) return [[inner]];
    const parts = split(whole[2], (text) => text === "\\\\", "drop");
    parts[parts.length - 1] += whole[3] ? ` ${whole[3]}` : "";
    return parts.map((row) => {
      const cells = [""];
      for (const one of tokens(row.trim())) {
        if (one.text === "&" && one.depth === 0) cells.push("");
        else cells[cells.length - 1] += one.text;
      }
      while (cells.length > 2 && !cells.at(-1).trim()) cells.pop();
      return cells.map((cell) => cell.trim());
    });
  }

  // a formula again, on as many lines as it needs
  function broken(tex, room, widthOf) {
    const pairs = rows(tex).flatMap((cells) => cells.flatMap((_, n) => (n % 2 ? [] : [cells.slice(n, n + 2)])));
    const aligned = array(pairs.map((pair) => (pair.length === 2 ? pair.join("&") : `&${pair[0]}`)));
    if (rows(tex).some((cells) => cells.length > 1) && widthOf(aligned) <= room) return aligned;
    return array(pairs.flatMap((pair) => lines(pair.join(" "), room, widthOf)).map((line) => `&${line}`));
  }

  const array = (list) => `\\begin{aligned}${list.join("\\\\[0.2em]")}\\end{aligned}`;

  function fitOne(div) {
    const old = div.querySelector("mjx-container");
    if (!old || !div.clientWidth) return;
    div.originalFormula ??= { container: old, tex: texOf(div, old) };
    const { container, tex } = div.originalFormula;
    old.replaceWith(container);
    container.style.fontSize = "";
    const svg = container.querySelector("svg");
    const perEx = svg.getBoundingClientRect().width / parseFloat(svg.getAttribute("width"));
    const style = getComputedStyle(div);
    const room = div.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 1;
    const wide = (one) => parseFloat(one.querySelector("svg").getAttribute("width")) * perEx;
    if (!(perEx > 0) || wide(container) <= room) return;
    let shown = container;
    if (tex && wide(container) * SHRINK > room) {
      const known = new Map();
      const widthOf = (text) => known.get(text) ?? (known.set(text, wide(MathJax.tex2svg(text, { display: true }))), known.get(text));
      const again = MathJax.tex2svg(broken(tex, room, widthOf), { display: true });
      if (!again.querySelector("[data-mml-node='merror']") && wide(again) < wide(container)) shown = again;
    }
    container.replaceWith(shown);
    const factor = Math.max(SMALLEST, Math.min(1, room / wide(shown)));
    const set = (size) => (shown.style.fontSize = size < 1 ? `${Math.floor(1000 * size) / 10}%` : "");
    const width = () => shown.querySelector("svg").getBoundingClientRect().width;
    set(factor);
    // a letter has whole pixels, so that the width changes in steps
    for (let size = factor - 0.01; width() > room && size >= SMALLEST - 0.08; size -= 0.01) set(size);
  }

  function texOf(div, container) {
    for (const item of MathJax.startup.document.getMathItemsWithin(div)) if (item.typesetRoot === container) return item.math;
    return "";
  }

  return { broken, lines, rows, fitAll: () => document.querySelectorAll("article div.math").forEach(fitOne) };
})();

if (typeof module !== "undefined") module.exports = Formulas;
