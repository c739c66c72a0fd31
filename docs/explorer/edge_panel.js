// One edge of a network, large: its curve on the range of the samples, what it is, its score, and the formula nearest to it.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, html, set, format, formatSmall, pathOf, grid, plot, reach, byId } = KAN.draw;
  const { edgeKind, edgeValue } = KAN.network;

  const WAIT = 120; // milliseconds that an edge stays chosen before a formula is sought
  const MOST_FITTED = 120; // samples

  function nodeName({ network, names }, row, index) {
    if (row === 0) return names.inputs[index];
    if (row === network.widths.length - 1) return names.outputs[index];
    return network.widths.length === 3 ? `hidden node ${index + 1}` : `node ${index + 1} of row ${row}`;
  }

  const title = (model, { layer, output, input }) => `edge from ${nodeName(model, layer, input)} to ${nodeName(model, layer + 1, output)}`;

  const superscript = (text) => text.replace(/[\d.]/g, (digit) => (digit === "." ? "·" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));

  // the name of a function as it is shown in a box: "x^2" with a raised 2, "1/sqrt" with a root sign
  const functionText = (name) => name.replace(/\^([\d.]+)/g, (_, power) => superscript(power)).replaceAll("sqrt", "√");

  // f(inner) for people
  function appliedText(name, inner) {
    const power = /^(1\/)?x(\^[\d.]+)?$/.exec(name);
    const bracket = inner === "x" ? "x" : `(${inner})`;
    if (power) return `${power[1] || ""}${bracket}${power[2] ? superscript(power[2].slice(1)) : ""}`;
    const named = { sqrt: `√(${inner})`, "1/sqrt": `1/√(${inner})`, abs: `|${inner}|`, "1/|x|": `1/|${inner}|`, gaussian: `exp(−${bracket}²)`, logcosh: `log cosh(${inner})` };
    return named[name] || `${name}(${inner})`;
  }

  // c f(a x + b) + d for people
  function formulaText(name, [a, b, c, d], digits = 4) {
    const write = (value) => format(value, digits);
    const plus = (value) => (Math.abs(value) < 1e-12 ? "" : value < 0 ? ` − ${write(-value)}` : ` + ${write(value)}`);
    if (name === "0") return write(d);
    const inner = `${a === 1 ? "" : a === -1 ? "−" : `${write(a)} `}x${plus(b)}`;
    const f = (KAN.functions.partsOf(name) || [name]).reduceRight((text, part) => appliedText(part, text), inner);
    const scaled = c === 1 ? f : c === -1 ? `−${f}` : `${write(c)} ${f.startsWith("1/") ? `· ${f}` : f}`;
    return scaled + plus(d);
  }

  let moveDot = () => {};
  let timer = 0;

  function draw(model, edge) {
    const { network, ranges, scores } = model;
    const layer = network.layers[edge.layer];
    const { output, input } = edge;
    const kind = edgeKind(layer, output, input);
    byId("edge-title").textContent = title(model, edge).replace(/^e/, "E");
    const facts = [["score", `${format(scores[edge.layer][output][input])}, the mean of |φ| over ${model.usedSamples} inputs spread over the grid`]];
    if (kind === "symbolic") {
      const { name, affine } = layer.symbolic.get(`${output},${input}`);
      facts.unshift(["formula", `φ(x) = ${formulaText(name, affine, 6)}`]);
    } else {
      const b = { silu: "silu(x)", identity: "x", zero: "0" }[layer.base];
      const text = `φ(x) = ${format(layer.w_base[output][input])} ${b} + ${format(layer.w_spline[output][input])} spline(x), degree ${layer.degree}, ${layer.nIntervals} intervals`;
      facts.unshift(["spline edge", text]);
    }
    byId("edge-facts").replaceChildren(...facts.flatMap(([name, text]) => [html("dt", {}, name), html("dd", {}, text)]));
    const overlay = drawCurve(model, edge, ranges[edge.layer][input]);
    clearTimeout(timer);
    const list = byId("edge-fits");
    byId("edge-fits-note").textContent = "";
    if (kind === "symbolic") {
      list.replaceChildren(html("li", {}, "This edge is symbolic already."));
      return;
    }
    list.replaceChildren(html("li", {}, "…"));
    timer = setTimeout(() => showFits(model, edge, overlay), WAIT);
  }

  // The curve; returns what draws a formula over it.
  function drawCurve({ network }, { layer: l, output, input }, [low, high]) {
    const layer = network.layers[l];
    const holder = byId("edge-curve");
    const air = high > low ? 0.06 * (high - low) : 0.5;
    const xDomain = [low - air, high + air];
    const xs = grid(...xDomain, 260, layer.knots[input]);
    const value = (x) => edgeValue(layer, output, input, x);
    const ys = xs.map(value);
    const label = "The curve of the chosen edge";
    const inside = ys.filter((_, n) => xs[n] >= low && xs[n] <= high);
    const chart = plot(holder, { width: holder.clientWidth, height: 230, xDomain, yDomain: reach(inside), label });
    chart.body.append(svg("rect", { class: "inside", x: chart.x(low), width: Math.max(1, chart.x(high) - chart.x(low)), y: chart.inner.y, height: chart.inner.height }));
    if (layer.mask[output][input] === 1) {
      for (const knot of layer.knots[input]) {
        chart.body.append(svg("line", { class: "tick", x1: chart.x(knot), x2: chart.x(knot), y1: chart.y.range[0] - 6, y2: chart.y.range[0] }));
      }
    }
    const formula = svg("path", { class: "formula" });
    const dot = svg("circle", { class: "here", r: 5, visibility: "hidden" });
    chart.body.append(svg("path", { class: "curve", d: pathOf(xs, ys, chart.x, chart.y) }), formula, dot);
    moveDot = (x) => {
      const y = value(x);
      const seen = x >= xDomain[0] && x <= xDomain[1] && Number.isFinite(y);
      set(dot, seen ? { cx: chart.x(x), cy: chart.y(y), visibility: "visible" } : { visibility: "hidden" });
    };
    return ({ name, affine }) => set(formula, { d: pathOf(xs, xs.map((x) => KAN.functions.formulaValue(name, affine, x)), chart.x, chart.y) });
  }

  function showFits(model, edge, overlay) {
    const key = `${edge.layer},${edge.output},${edge.input}`;
    if (!model.fits.has(key)) {
      const inputs = model.inputs[edge.layer].slice(0, MOST_FITTED).map((row) => row[edge.input]);
      const layer = model.network.layers[edge.layer];
      const outputs = inputs.map((x) => edgeValue(layer, edge.output, edge.input, x));
      model.fits.set(key, inputs.length ? KAN.affineFit.suggest(inputs, outputs).slice(0, 3) : []);
    }
    const fits = model.fits.get(key);
    const lines = fits.map(({ name, affine, miss }) => html("li", {}, html("b", {}, functionText(name)), ` ${formulaText(name, affine)} `, html("span", { class: "miss" }, `1 − R² = ${formatSmall(miss)}`)));
    byId("edge-fits").replaceChildren(...(lines.length ? lines : [html("li", {}, "None: all samples have the same input at this edge.")]));
    byId("edge-fits-note").textContent = model.fitsFrom;
    if (fits.length) overlay(fits[0]);
  }

  KAN.edgePanel = { draw, title, nodeName, formulaText, functionText, moveDot: (x) => moveDot(x) };
})(globalThis);
