// Small helpers that draw SVG and write numbers: every view builds its picture from these. The scripts are classic ones, which a browser
// loads from file:// too; each adds to the one global name KAN.
"use strict";

globalThis.KAN ??= {};
KAN.draw = (() => {
  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  const filled = (element, attributes, children) => {
    set(element, attributes).append(...children);
    return element;
  };

  // An element with attributes; children are elements or text.
  const svg = (name, attributes = {}, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const html = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
  const byId = (id) => document.getElementById(id);

  // A text in the element of a name; an alert without a text is hidden.
  function say(id, text) {
    byId(id).textContent = text;
    if (byId(id).getAttribute("role") === "alert") byId(id).hidden = text === "";
  }

  // What stands beside a slider: its value as text, for a screen reader too.
  function label(id, text) {
    byId(`${id}-value`).textContent = text;
    byId(id).setAttribute("aria-valuetext", text);
  }

  // --- numbers

  // A number for people: four digits, a true minus sign. What is below 1e-12 of `terms`, the size of the terms that it is the sum of,
  // is their rounding error: 0.
  function format(value, digits = 4, terms = 0) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "not defined" : value > 0 ? "infinite" : "−infinite";
    const size = Math.abs(value);
    if (size <= 1e-12 * terms) return "0";
    const power = size < 1e-3 || size >= Math.pow(10, Math.max(5, digits));
    const text = power ? value.toExponential(Math.max(0, digits - 2)) : String(Number(value.toPrecision(digits)));
    return text.replace(/-/g, "−");
  }

  // Numbers as texts that differ: with more digits than four where the numbers are close to each other.
  function formatApart(values) {
    for (let digits = 4; ; digits++) {
      const texts = values.map((value) => format(value, digits));
      if (digits === 17 || new Set(texts).size === new Set(values).size) return texts;
    }
  }

  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  // B_12 as people write it
  const subscript = (n) => String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

  // --- scales

  // A map from [low, high] to [start, stop] and back.
  function scale([low, high], [start, stop]) {
    const to = (value) => start + ((value - low) / (high - low)) * (stop - start);
    to.back = (pixel) => low + ((pixel - start) / (stop - start)) * (high - low);
    to.domain = [low, high];
    to.range = [start, stop];
    return to;
  }

  // About `count` round numbers in [low, high], at least two.
  function ticks(low, high, count) {
    const raw = (high - low) / count;
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    const within = (step) => {
      const found = [];
      for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push(Number((n * step).toPrecision(15)));
      return found;
    };
    const steps = [0.2, 0.5, 1, 2, 5, 10].map((nice) => nice * power);
    const most = steps.find((step) => step >= 0.999 * raw);
    return within(steps.findLast((step) => step <= most && within(step).length >= 2) ?? steps[0]);
  }

  // [low, high] of finite values with some air; values that differ by rounding errors alone get room too.
  function reach(values, air = 0.08) {
    const finite = values.filter(Number.isFinite);
    if (finite.length === 0) return [-1, 1];
    const [low, high] = finite.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const size = Math.max(Math.abs(low), Math.abs(high));
    const pad = high - low > 1e-12 * size ? air * (high - low) : 0.5 * (size || 1);
    return [low - pad, high + pad];
  }

  // `n` numbers from low to high, and each of `extra` twice: from the left and at itself, so that jumps are drawn as jumps.
  function grid(low, high, n, extra = []) {
    const even = Array.from({ length: n }, (_, k) => low + ((high - low) * k) / (n - 1));
    const beside = extra.flatMap((at) => [at - 1e-9 * (high - low), at]);
    return [...even, ...beside.filter((at) => at >= low && at <= high)].sort((one, other) => one - other);
  }

  // --- pictures

  // Path data through points; a value that is not finite, or far outside the scale, breaks the line.
  function pathOf(xs, ys, x, y) {
    const [low, high] = y.domain;
    const far = 4 * (high - low);
    let [data, pen] = ["", false];
    xs.forEach((at, n) => {
      const drawn = Number.isFinite(ys[n]) && ys[n] > low - far && ys[n] < high + far;
      if (drawn) data += `${pen ? "L" : "M"}${x(at).toFixed(2)} ${y(ys[n]).toFixed(2)}`;
      pen = drawn;
    });
    return data;
  }

  // An empty plot in `holder`: axes, and a clipped group to draw in. Redrawn as a whole: {root, body, x, y, inner} with what draws in it:
  // line(class, xs, ys), band(low, high), ticks(knots), and cursor(), which returns what moves it.
  let clips = 0;
  function plot(holder, { height, xDomain, yDomain, label: name, bottom = 22, yTicks = 4, xAxis = true }) {
    const width = Math.max(holder.clientWidth, 160); // a part that is not shown has no width
    const labelled = (domain, count) => {
      const found = ticks(...domain, count);
      return formatApart(found).map((text, n) => [found[n], text]);
    };
    const yLabels = labelled(yDomain, yTicks);
    const left = Math.max(40, ...yLabels.map(([, text]) => 8 + 7 * text.length));
    const inner = { x: left, y: 8, width: width - 12 - left, height: height - bottom - 8 };
    const floor = height - bottom;
    const x = scale(xDomain, [left, width - 12]);
    const y = scale(yDomain, [floor, inner.y]);
    const axes = svg("g", { class: "axes", "aria-hidden": "true" });
    for (const [at, text] of yLabels) {
      axes.append(svg("line", { x1: left, x2: width - 12, y1: y(at), y2: y(at), class: at === 0 ? "zero" : "grid" }));
      axes.append(svg("text", { x: left - 5, y: y(at) + 3.5, "text-anchor": "end" }, text));
    }
    let xLabels = xAxis ? labelled(xDomain, Math.max(3, Math.floor(width / 90))) : [];
    const tooWide = () => xLabels.reduce((sum, [, text]) => sum + 7 * text.length, 0) > inner.width;
    while (xLabels.length > 1 && tooWide()) xLabels = xLabels.filter((_, n) => n % 2 === 0);
    for (const [at, text] of xLabels) {
      axes.append(svg("line", { x1: x(at), x2: x(at), y1: floor, y2: floor + 4, class: "tick" }));
      axes.append(svg("text", { x: Math.min(x(at), width - 4 * text.length), y: floor + 16, "text-anchor": "middle" }, text));
    }
    const id = `clip-${(clips += 1)}`;
    const body = svg("g", { "clip-path": `url(#${id})` });
    const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": name },
      svg("defs", {}, svg("clipPath", { id }, svg("rect", inner))), axes, body);
    holder.replaceChildren(root);

    const add = (element) => {
      body.append(element);
      return element;
    };
    const line = (kind, xs, ys) => add(svg("path", { class: kind, d: pathOf(xs, ys, x, y) }));
    const band = (low, high) => add(svg("rect", { ...inner, class: "inside", x: x(low), width: Math.max(1, x(high) - x(low)) }));
    const marks = (knots) => knots.forEach((knot) => add(svg("line", { class: "tick", x1: x(knot), x2: x(knot), y1: floor - 6, y2: floor })));
    const cursor = () => {
      const own = add(svg("line", { class: "cursor", y1: inner.y, y2: floor }));
      return (at) => set(own, { x1: x(at), x2: x(at) });
    };
    // a dot, which is hidden outside of the picture
    const dot = () => {
      const own = add(svg("circle", { class: "here", r: 5, visibility: "hidden" }));
      return (at, value) => set(own, isWithin(at, x) && Number.isFinite(value) ? { cx: x(at), cy: y(value), visibility: "visible" } : { visibility: "hidden" });
    };
    return { root, body, x, y, inner, add, line, band, marks, cursor, dot };
  }

  const isWithin = (value, { domain: [low, high] }) => value >= low && value <= high;

  // Calls `redraw` now, and whenever the width of `holder` changes.
  function whenResized(holder, redraw) {
    let width = 0;
    new ResizeObserver(() => {
      const now = Math.floor(holder.clientWidth);
      if (now > 0 && now !== width) {
        width = now;
        redraw();
      }
    }).observe(holder);
  }

  return { svg, html, set, byId, say, label, format, plural, subscript, scale, reach, grid, pathOf, plot, isWithin, whenResized };
})();
