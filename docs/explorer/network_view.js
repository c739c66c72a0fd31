// Part 3 of the page: one edge of a network, large, and the network that it belongs to.
"use strict";

// One edge of a network, large: its curve on the range of the samples, what it is, its score, and the formula nearest to it.
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
    const plus = (value) => (value === 0 ? "" : value < 0 ? ` − ${write(-value)}` : ` + ${write(value)}`);
    if (name === "0") return write(d);
    const inner = `${a === 1 ? "" : a === -1 ? "−" : `${write(a)} `}x${plus(b)}`;
    const f = appliedText(name, inner);
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
    const xDomain = reach([low, high], 0.06);
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

// Part 3 of the page at work: choosing an example or a file, sliders for the inputs, the picture, and the panel of one edge.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { html, format, between, subscript, whenResized, byId } = KAN.draw;

  const N_SAMPLES = 400;
  const MOST_WORK = 1.5e6; // edges times samples: a large network is looked at on fewer
  const MOST_SLIDERS = 16;
  const SEARCHED = `A coarse search on this page among ${KAN.affineFit.nCandidates} functions, on up to 120 samples; kan_ref.suggest_symbolic has more functions and a finer search.`;

  let model = null;
  let picture = null;
  let chosen = null;
  let inputs = [];

  // A network with all that is shown of it. `extra`: names and suggestions that an example brings.
  function modelOf(network, extra) {
    const nEdges = network.layers.reduce((sum, layer) => sum + layer.nInputs * layer.nOutputs, 0);
    const points = KAN.network.samples(network, Math.max(20, Math.min(N_SAMPLES, Math.floor(MOST_WORK / nEdges))));
    const looked = KAN.network.look(network, points);
    const [nInputs, nOutputs] = [network.widths[0], network.widths[network.widths.length - 1]];
    const numbered = (letter, n) => (n === 1 && letter === "y" ? ["y"] : Array.from({ length: n }, (_, i) => `${letter}${subscript(i + 1)}`));
    const names = { inputs: extra.inputs || numbered("x", nInputs), outputs: extra.outputs || numbered("y", nOutputs) };
    const fits = new Map((extra.suggestions || []).map(({ layer, output, input, fits: own }) => [`${layer},${output},${input}`, own]));
    return { network, names, ...looked, fits, fitsFrom: extra.suggestions ? extra.source : SEARCHED };
  }

  function show(network, name, extra = {}) {
    model = modelOf(network, extra);
    chosen = null;
    inputs = KAN.network.domain(network).map(([a, b]) => a / 2 + b / 2);
    const kinds = network.layers.flatMap((layer) => KAN.network.livingEdges(layer));
    const formulas = kinds.filter(({ kind }) => kind === "symbolic").length;
    byId("network-name").textContent = `${name}: [${network.widths.join(", ")}], ${kinds.length} active edges, ${formulas} of them symbolic.`;
    byId("network-about").textContent = extra.about || "";
    makeSliders();
    drawPicture();
    if (picture.strongest) choose(picture.strongest);
    else clearPanel();
    evaluate();
  }

  function clearPanel() {
    byId("edge-title").textContent = "This network has no active edge";
    for (const id of ["edge-facts", "edge-fits", "edge-curve"]) byId(id).replaceChildren();
    byId("edge-fits-note").textContent = "";
  }

  function drawPicture() {
    const holder = byId("network-plot");
    const columns = holder.closest(".columns");
    columns.classList.remove("wide");
    picture = KAN.networkPicture.draw(holder, model, holder.clientWidth, choose);
    if (picture.width > holder.clientWidth) {
      columns.classList.add("wide"); // then the panel of the edge goes below
      picture = KAN.networkPicture.draw(holder, model, holder.clientWidth, choose);
    }
    const undefinedAt = model.usedSamples === 0 ? "No sample has a value: a symbolic edge is undefined on the whole grid." : "";
    byId("network-note").textContent = [picture.note, undefinedAt].filter(Boolean).join(" ");
    if (chosen) picture.markEdge(chosen);
  }

  function choose(edge) {
    if (chosen && edge.layer === chosen.layer && edge.output === chosen.output && edge.input === chosen.input) return;
    chosen = edge;
    picture.markEdge(edge);
    KAN.edgePanel.draw(model, edge);
    moveDot();
  }

  // --- inputs and outputs

  function makeSliders() {
    const box = KAN.network.domain(model.network);
    const shown = model.names.inputs.slice(0, MOST_SLIDERS);
    const rows = shown.map((name, i) => {
      const [a, b] = box[i];
      const step = (b - a) / 200;
      const size = Math.max(Math.abs(a), Math.abs(b));
      let digits = 3; // or as many as half a step of the slider needs
      while (digits < 17 && format(size, digits) === format(size - step / 2, digits)) digits += 1;
      const shown = (x) => format(x, digits, size);
      const slider = html("input", { type: "range", id: `input-${i}`, min: between(a, b, -0.25), max: between(a, b, 1.25), step, value: inputs[i] });
      slider.value = inputs[i];
      const value = html("output", { for: `input-${i}`, id: `input-${i}-value` }, shown(inputs[i]));
      slider.addEventListener("input", () => {
        inputs[i] = Number(slider.value);
        value.textContent = shown(inputs[i]);
        slider.setAttribute("aria-valuetext", `${name} = ${shown(inputs[i])}`);
        evaluate();
      });
      return html("div", { class: "control" }, html("label", { for: `input-${i}` }, name), slider, value);
    });
    const more = model.names.inputs.length - shown.length;
    if (more > 0) rows.push(html("p", { class: "note" }, `The other ${more} inputs are set to the middle of their grids.`));
    byId("inputs").replaceChildren(...rows);
  }

  function evaluate() {
    const run = KAN.network.forward(model.network, inputs);
    const outputs = run.nodes[run.nodes.length - 1];
    byId("outputs").textContent = model.names.outputs.slice(0, MOST_SLIDERS).map((name, j) => `${name}\u00a0=\u00a0${format(outputs[j], 6).replace(" ", "\u00a0")}`).join("   ")
      + (outputs.length > MOST_SLIDERS ? ` and ${outputs.length - MOST_SLIDERS} more` : "");
    const outside = KAN.network.domain(model.network).some(([a, b], i) => inputs[i] < a || inputs[i] > b);
    byId("outside").textContent = outside ? "An input is outside its grid, where its splines decay to zero." : "";
    picture.showValues(run);
    latest = run;
    moveDot();
  }

  let latest = null;
  function moveDot() {
    if (chosen && latest) KAN.edgePanel.moveDot(latest.nodes[chosen.layer][chosen.input]);
  }

  // --- examples and files

  function showExample(number) {
    const example = KAN.examples[number];
    say("");
    show(KAN.reading.fromDocument(example.document), example.title, example);
  }

  function say(sentence) {
    byId("file-error").textContent = sentence;
    byId("file-error").hidden = sentence === "";
  }

  async function readFile(file) {
    try {
      if (file.size > KAN.reading.MOST_BYTES) throw new Error(`${file.name} has ${file.size} bytes, but may have at most ${KAN.reading.MOST_BYTES}`);
      const network = KAN.reading.fromBytes(new Uint8Array(await file.arrayBuffer()), file.name);
      say("");
      show(network, file.name);
      byId("example").value = "file";
    } catch (error) {
      say(`${error.message}. The previous network is still shown.`);
    }
  }

  function start() {
    const select = byId("example");
    select.append(...KAN.examples.map(({ title }, n) => html("option", { value: n }, title)), html("option", { value: "file", disabled: "" }, "your own file"));
    select.addEventListener("change", () => showExample(Number(select.value)));
    byId("file").addEventListener("change", (event) => {
      if (event.target.files.length) readFile(event.target.files[0]);
      event.target.value = ""; // the same file may be chosen again
    });
    const zone = byId("network");
    const over = (is) => (event) => {
      if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      zone.classList.toggle("dropping", is);
    };
    zone.addEventListener("dragenter", over(true));
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer && event.dataTransfer.files.length) readFile(event.dataTransfer.files[0]);
    });
    showExample(0);
    whenResized(byId("network-plot"), () => {
      const edge = chosen;
      drawPicture();
      if (edge) KAN.edgePanel.draw(model, edge);
      evaluate();
    });
  }

  KAN.networkView = { start };
})(globalThis);
