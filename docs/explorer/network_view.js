// Part 3 of the page: one edge of a network, large, and the network that it belongs to.
"use strict";

// One edge of a network, large, in parts 3 and 4: its curve on the range of the samples, what it is, and its score.
KAN.edgePanel = (() => {
  const { svg, html, set, say, format, pathOf, grid, plot, reach, byId } = KAN.draw;
  const { edgeCurve } = KAN.network;

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
    const f = appliedText(name, `${a === 1 ? "" : a === -1 ? "−" : `${write(a)} `}x${plus(b)}`);
    const scaled = c === 1 ? f : c === -1 ? `−${f}` : `${write(c)} ${f.startsWith("1/") ? `· ${f}` : f}`;
    return scaled + plus(d);
  }

  function facts({ network, scores, usedSamples }, { layer: l, output, input }) {
    const layer = network.layers[l];
    const formula = layer.symbolic.get(`${output},${input}`);
    const b = { silu: "silu(x)", identity: "x", zero: "0" }[layer.base];
    return {
      ...(formula
        ? { formula: `φ(x) = ${formulaText(formula.name, formula.affine, 6)}` }
        : { "spline edge": `φ(x) = ${format(layer.w_base[output][input])} ${b} + ${format(layer.w_spline[output][input])} spline(x), degree ${layer.degree}, ${layer.nIntervals} intervals` }),
      score: `${format(scores[l][output][input])}, the mean of |φ| over ${usedSamples} inputs`,
    };
  }

  // Draws the panel whose parts have ids such as `edge-title`; returns {moveDot, overlay}, which draws a formula over the curve.
  function draw(id, model, edge) {
    const { layer: l, output, input } = edge;
    const layer = model.network.layers[l];
    const [low, high] = model.ranges[l][input];
    const xDomain = reach([low, high], 0.06);
    const xs = grid(...xDomain, 260, layer.knots[input]);
    const ys = [...edgeCurve(layer, output, input, xs)];
    const inside = ys.filter((_, n) => xs[n] >= low && xs[n] <= high);
    say(`${id}-title`, title(model, edge).replace(/^e/, "E"));
    byId(`${id}-facts`).replaceChildren(...Object.entries(facts(model, edge)).flatMap(([name, text]) => [html("dt", {}, name), html("dd", {}, text)]));
    const chart = plot(byId(`${id}-curve`), { height: 230, xDomain, yDomain: reach(inside), label: "The curve of the chosen edge" });
    chart.band(low, high);
    if (layer.mask[output][input] === 1) chart.marks(layer.knots[input]);
    chart.line("curve", xs, ys);
    const formula = chart.add(svg("path", { class: "formula" }));
    const dot = chart.dot();
    return {
      moveDot: (x) => dot(x, edgeCurve(layer, output, input, [x])[0]),
      overlay: ({ name, affine }) => set(formula, { d: pathOf(xs, xs.map((x) => KAN.functions.formulaValue(name, affine, x)), chart.x, chart.y) }),
    };
  }

  function clear(id, sentence) {
    say(`${id}-title`, sentence);
    for (const part of ["facts", "curve"]) byId(`${id}-${part}`).replaceChildren();
  }

  return { draw, clear, title, nodeName, formulaText, functionText };
})();

// Part 3 of the page at work: choosing an example or a file, sliders for the inputs, the picture, and the panel of one edge.
KAN.networkView = (() => {
  const { html, say, label, format, subscript, whenResized, byId } = KAN.draw;
  const { functionText, formulaText } = KAN.edgePanel;

  const N_SAMPLES = 400;
  const MOST_WORK = 1.5e6; // edges times samples: a large network is looked at on fewer
  const MOST_SLIDERS = 16;
  const WAIT = 120; // milliseconds that an edge stays chosen before a formula is sought
  const MOST_FITTED = 120; // samples
  const SEARCHED = `A coarse search on this page among ${KAN.affineFit.nCandidates} functions, on up to ${MOST_FITTED} samples; kan_ref.suggest_symbolic has more functions and a finer search.`;

  let [model, picture, panel, chosen, latest, inputs, timer] = [null, null, null, null, null, [], 0];

  // A network with all that is shown of it. `extra`: names and suggestions that an example brings.
  function modelOf(network, extra) {
    const nEdges = network.layers.reduce((sum, layer) => sum + layer.nInputs * layer.nOutputs, 0);
    const samples = KAN.network.samples(network, Math.max(20, Math.min(N_SAMPLES, Math.floor(MOST_WORK / nEdges))));
    const numbered = (letter, n) => (n === 1 && letter === "y" ? ["y"] : Array.from({ length: n }, (_, i) => `${letter}${subscript(i + 1)}`));
    const names = { inputs: extra.inputs || numbered("x", network.widths[0]), outputs: extra.outputs || numbered("y", network.widths.at(-1)) };
    const fits = new Map((extra.suggestions || []).map(({ layer, output, input, fits: own }) => [`${layer},${output},${input}`, own]));
    return { network, names, ...KAN.network.look(network, samples), fits, fitsFrom: extra.suggestions ? extra.source : SEARCHED };
  }

  function show(network, name, extra = {}) {
    model = modelOf(network, extra);
    [panel, chosen, latest] = [null, null, null];
    clearTimeout(timer);
    inputs = KAN.network.domain(network).map(([a, b]) => (a + b) / 2);
    const edges = network.layers.flatMap(KAN.network.livingEdges);
    const nFormulas = edges.filter(({ kind }) => kind === "symbolic").length;
    say("network-name", `${name}: [${network.widths.join(", ")}], ${edges.length} active edges, ${nFormulas} of them symbolic.`);
    say("network-about", extra.about || "");
    say("file-error", "");
    makeSliders();
    drawPicture();
    if (picture.strongest) choose(picture.strongest);
    else clear();
    evaluate();
  }

  function clear() {
    KAN.edgePanel.clear("edge", "This network has no active edge");
    showFits([], "");
  }

  function drawPicture() {
    const holder = byId("network-plot");
    const columns = holder.closest(".columns");
    columns.classList.remove("wide");
    picture = KAN.networkPicture.draw(holder, model, choose);
    if (picture.width > holder.clientWidth) {
      columns.classList.add("wide"); // then the panel of the edge goes below
      picture = KAN.networkPicture.draw(holder, model, choose);
    }
    say("network-note", `${picture.note}${model.usedSamples === 0 ? " No sample has a value: a symbolic edge is undefined on the whole grid." : ""}`);
    picture.markEdge(chosen);
  }

  function choose(edge) {
    if (KAN.networkPicture.sameEdge(edge, chosen)) return;
    chosen = edge;
    picture.markEdge(edge);
    drawPanel();
    moveDot();
  }

  function drawPanel() {
    panel = KAN.edgePanel.draw("edge", model, chosen);
    clearTimeout(timer);
    const isSymbolic = KAN.network.edgeKind(model.network.layers[chosen.layer], chosen.output, chosen.input) === "symbolic";
    showFits([isSymbolic ? "This edge is symbolic already." : "…"], "");
    if (!isSymbolic) timer = setTimeout(suggest, WAIT);
  }

  function showFits(lines, note) {
    byId("edge-fits").replaceChildren(...lines.map((line) => html("li", {}, ...[line].flat())));
    say("edge-fits-note", note);
  }

  function suggest() {
    const { layer, output, input } = chosen;
    const key = `${layer},${output},${input}`;
    if (!model.fits.has(key)) {
      const x = model.values[layer][input].slice(0, MOST_FITTED);
      model.fits.set(key, KAN.affineFit.suggest(x, [...KAN.network.edgeCurve(model.network.layers[layer], output, input, x)]).slice(0, 3));
    }
    const fits = model.fits.get(key);
    const lines = fits.map(({ name, affine, miss }) => [html("b", {}, functionText(name)), ` ${formulaText(name, affine)} `, html("span", { class: "miss" }, `1 − R² = ${format(miss, 2)}`)]);
    showFits(lines.length ? lines : ["None: all samples have the same input at this edge."], model.fitsFrom);
    if (fits.length) panel.overlay(fits[0]);
  }

  // --- inputs and outputs

  function makeSliders() {
    const box = KAN.network.domain(model.network);
    const shown = model.names.inputs.slice(0, MOST_SLIDERS);
    const rows = shown.map((name, i) => {
      const [a, b] = box[i];
      const [step, size] = [(b - a) / 200, Math.max(Math.abs(a), Math.abs(b))];
      const digits = Math.min(17, Math.max(3, Math.ceil(Math.log10(size / step)) + 1)); // as many as a step of the slider needs
      const id = `input-${i}`;
      const slider = html("input", { type: "range", id, min: a - 0.25 * (b - a), max: b + 0.25 * (b - a), step, value: inputs[i] });
      slider.value = inputs[i];
      slider.addEventListener("input", () => {
        inputs[i] = Number(slider.value);
        label(id, format(inputs[i], digits, size));
        evaluate();
      });
      return html("div", { class: "control" }, html("label", { for: id }, name), slider, html("output", { for: id, id: `${id}-value` }, format(inputs[i], digits, size)));
    });
    const more = model.names.inputs.length - shown.length;
    if (more > 0) rows.push(html("p", { class: "note" }, `The other ${more} inputs are set to the middle of their grids.`));
    byId("inputs").replaceChildren(...rows);
  }

  function evaluate() {
    latest = KAN.network.at(model.network, inputs);
    const outputs = latest.nodes.at(-1);
    const texts = model.names.outputs.slice(0, MOST_SLIDERS).map((name, j) => `${name}\u00a0=\u00a0${format(outputs[j], 6).replace(" ", "\u00a0")}`);
    say("outputs", texts.join("   ") + (outputs.length > MOST_SLIDERS ? ` and ${outputs.length - MOST_SLIDERS} more` : ""));
    const outside = KAN.network.domain(model.network).some(([a, b], i) => inputs[i] < a || inputs[i] > b);
    say("outside", outside ? "An input is outside its grid, where its splines decay to zero." : "");
    picture.showValues(latest);
    moveDot();
  }

  const moveDot = () => chosen && latest && panel.moveDot(latest.nodes[chosen.layer][chosen.input]);

  // --- examples and files

  function showExample(number) {
    const example = KAN.examples[number];
    show(KAN.reading.fromDocument(example.document), example.title, example);
  }

  async function readFile(file) {
    try {
      show(KAN.reading.fromText(await file.text(), file.name), file.name);
      byId("example").value = "file";
    } catch (error) {
      say("file-error", `${error.message}. The previous network is still shown.`);
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
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      zone.addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        zone.classList.toggle("dropping", name === "dragenter" || name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) readFile(event.dataTransfer.files[0]);
      });
    }
    showExample(0);
    whenResized(byId("network-plot"), () => {
      drawPicture();
      if (chosen) drawPanel();
      evaluate();
    });
  }

  return { start };
})();
