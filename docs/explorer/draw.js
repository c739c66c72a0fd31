// Small helpers that draw SVG and write numbers: every view builds its picture from these.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const SVG = "http://www.w3.org/2000/svg";

  // An SVG element with attributes; children are elements or text.
  function svg(name, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, name);
    set(element, attributes);
    element.append(...children);
    return element;
  }

  function html(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    set(element, attributes);
    element.append(...children);
    return element;
  }

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  }

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

  // like format, but two digits will do
  const formatSmall = (value) => (value === 0 || Math.abs(value) >= 1e-3 ? format(value, 2) : value.toExponential(0).replace(/-/g, "−"));

  // B_12 as people write it
  const subscript = (n) => String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

  // The number at a share of the way from `low` to `high`, whose difference may exceed the largest double.
  const between = (low, high, share) => 2 * (low / 2 + share * (high / 2 - low / 2));

  // A map from [low, high] to [start, stop] and back.
  function scale([low, high], [start, stop]) {
    const to = (value) => start + ((value / 2 - low / 2) / (high / 2 - low / 2)) * (stop - start);
    to.back = (pixel) => between(low, high, (pixel - start) / (stop - start));
    to.domain = [low, high];
    to.range = [start, stop];
    return to;
  }

  // About `count` round numbers in [low, high], at least two.
  function ticks(low, high, count) {
    const raw = 2 * ((high / 2 - low / 2) / count);
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    const within = (step) => {
      const found = [];
      for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push(Number((n * step).toPrecision(15)));
      return found;
    };
    const nice = [0.2, 0.5, 1, 2, 5, 10];
    let at = nice.findIndex((one) => one * power >= raw * 0.999);
    while (at > 0 && within(nice[at] * power).length < 2) at -= 1;
    return within(nice[at] * power);
  }

  // The least and the greatest of a list of any length, which has at least one number.
  const extremes = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

  // Whether numbers in [low, high] differ by rounding errors alone, judged by their own size.
  const isLevel = (low, high) => !(high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high)));

  // [low, high] of finite values with some air; a single value gets room too.
  function reach(values, air = 0.08) {
    const finite = values.filter(Number.isFinite);
    if (finite.length === 0) return [-1, 1];
    const [low, high] = extremes(finite);
    const pad = isLevel(low, high) ? 0.5 * (Math.max(Math.abs(low), Math.abs(high)) || 1) : 2 * (air * (high / 2 - low / 2));
    return [Math.max(low - pad, -Number.MAX_VALUE), Math.min(high + pad, Number.MAX_VALUE)];
  }

  // Path data through points; a value that is not finite, or far outside the scale, breaks the line.
  function pathOf(xs, ys, xScale, yScale) {
    const [low, high] = yScale.domain;
    const far = 4 * (high - low);
    let data = "";
    let pen = false;
    xs.forEach((x, n) => {
      const drawn = Number.isFinite(ys[n]) && ys[n] > low - far && ys[n] < high + far;
      if (drawn) data += `${pen ? "L" : "M"}${xScale(x).toFixed(2)} ${yScale(ys[n]).toFixed(2)}`;
      pen = drawn;
    });
    return data;
  }

  // `n` numbers from low to high, and each of `extra` twice: from the left and at itself, so that jumps are drawn as jumps.
  function grid(low, high, n, extra = []) {
    const even = Array.from({ length: n }, (_, k) => between(low, high, k / (n - 1)));
    const beside = extra.flatMap((at) => [at - 2e-9 * (high / 2 - low / 2), at]);
    return [...even, ...beside.filter((at) => at >= low && at <= high)].sort((one, other) => one - other);
  }

  // An empty plot in `holder`: axes, and a clipped group to draw in. Redrawn as a whole: {root, body, x, y}.
  let clips = 0;
  function plot(holder, { width: given, height, xDomain, yDomain, label, bottom = 22, yTicks = 4, xAxis = true }) {
    const width = Math.max(given, 160); // a part that is not shown has no width
    const labelled = (domain, count) => {
      const found = ticks(...domain, count);
      return formatApart(found).map((text, n) => [found[n], text]);
    };
    const yLabels = labelled(yDomain, yTicks);
    const left = Math.max(40, ...yLabels.map(([, text]) => 8 + 7 * text.length));
    const top = 8;
    const x = scale(xDomain, [left, width - 12]);
    const y = scale(yDomain, [height - bottom, top]);
    const figure = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label });
    const id = `clip-${(clips += 1)}`;
    const inner = { x: x.range[0], y: top, width: x.range[1] - x.range[0], height: height - top - bottom };
    figure.append(svg("defs", {}, svg("clipPath", { id }, svg("rect", inner))));
    const axes = svg("g", { class: "axes", "aria-hidden": "true" });
    for (const [at, text] of yLabels) {
      axes.append(svg("line", { x1: x.range[0], x2: x.range[1], y1: y(at), y2: y(at), class: at === 0 ? "zero" : "grid" }));
      axes.append(svg("text", { x: x.range[0] - 5, y: y(at) + 3.5, "text-anchor": "end" }, text));
    }
    let xLabels = xAxis ? labelled(xDomain, Math.max(3, Math.floor(width / 90))) : [];
    const tooWide = () => xLabels.reduce((sum, [, text]) => sum + 7 * text.length, 0) > inner.width;
    while (xLabels.length > 1 && tooWide()) xLabels = xLabels.filter((_, n) => n % 2 === 0);
    for (const [at, text] of xLabels) {
      axes.append(svg("line", { x1: x(at), x2: x(at), y1: y.range[0], y2: y.range[0] + 4, class: "tick" }));
      axes.append(svg("text", { x: Math.min(x(at), width - 4 * text.length), y: y.range[0] + 16, "text-anchor": "middle" }, text));
    }
    const body = svg("g", { "clip-path": `url(#${id})` });
    figure.append(axes, body);
    holder.replaceChildren(figure);
    return { root: figure, body, x, y, inner };
  }

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

  const byId = (id) => document.getElementById(id);
  const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  KAN.draw = { svg, html, set, format, formatApart, formatSmall, subscript, scale, ticks, isLevel, between, reach, pathOf, grid, plot, whenResized, byId, reducedMotion };
})(globalThis);
