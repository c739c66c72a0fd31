// Part 3 of the page: the picture of a network, and one edge of it, large.
"use strict";

// Where everything stands in the picture of a network, as in kan_ref.drawing's plan.py and the paper's Fig. 2.4: inputs below, outputs
// above, a box for every edge, boxes grouped by target; n boxes in g groups share the width as slots,
//
//   (G1)  slot s, in group r, has its middle at  width (s + 1/2 + e (r + 1/2)) / (n + e g)
//
// with e = 1/2 between groups, or 0. Where boxes would be too small they stand alternately in two rows; where even these would be, the
// picture is wider than its place. Lengths are pixels, y points down.
KAN.diagram = (() => {
  const MOST_SIDE = 64;
  const LEAST_SINGLE = 40; // below this side boxes stand in two rows
  const LEAST_SIDE = 26; // a finger's least
  const [SINGLE, DOUBLE] = [0.84, 1.45]; // side of a box in slots, in one row and in two
  const BETWEEN_ROWS = 12;
  const NAME = 26; // height of a row of names
  const SIDE_AIR = 16;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // Slots of one layer: for each target its edges and their middles in slots (one empty slot without edges), and how many there are in all.
  function slots(edges, targets) {
    const groups = targets.map((target) => edges.filter((edge) => edge.output === target));
    const between = groups.length > 1 && groups.some((group) => group.length > 1) ? 0.5 : 0;
    let first = 0;
    const middles = groups.map((group, r) => {
      const own = Array.from({ length: Math.max(1, group.length) }, (_, s) => first + s + 0.5 + between * (r + 0.5));
      first += own.length;
      return own;
    });
    return { groups, middles, total: first + between * groups.length };
  }

  // The height that wires need which run so far sideways.
  const gap = (runs) => Math.min(Math.max(0.16 * Math.max(0, ...runs), 26), 76);

  // `drawn`: for each layer its edges {output, input}; `shown`: for each row the indices of its nodes.
  // {width, height, nodes: [{row, index, x, y}], boxes: [{layer, output, input, x, y, side, from, to, band}]}, x and y of a box its corner.
  function layOut(drawn, shown, room) {
    const plans = drawn.map((edges, l) => slots(edges, shown[l + 1]));
    const width = Math.max(room - 2 * SIDE_AIR, ...plans.map(({ total }) => (total * LEAST_SIDE) / DOUBLE), ...shown.map((row) => row.length * LEAST_SIDE));
    let at = new Map(shown[0].map((i, n) => [i, (width * (n + 0.5)) / shown[0].length]));
    let floor = 0; // heights grow upwards here
    const nodes = shown[0].map((index) => ({ row: 0, index, x: at.get(index), y: 0 }));
    const boxes = [];
    plans.forEach(({ groups, middles, total }, l) => {
      const slot = width / total;
      const two = SINGLE * slot < LEAST_SINGLE && total > 2;
      const side = Math.min(MOST_SIDE, (two ? DOUBLE : SINGLE) * slot);
      const step = two ? side + BETWEEN_ROWS : 0;
      const targets = new Map(shown[l + 1].map((target, r) => [target, slot * mean(middles[r])]));
      const own = groups.flatMap((group, r) => group.map((edge, s) => ({ ...edge, middle: slot * middles[r][s] })));
      const straight = own.length > 0 && targets.size === 1 && own.every(({ input }, n) => n === 0 || at.get(input) - at.get(own[n - 1].input) >= side * 1.1);
      if (straight) {
        for (const edge of own) edge.middle = at.get(edge.input); // the only target's boxes stand above their sources
        targets.set(shown[l + 1][0], mean(own.map(({ middle }) => middle)));
      }
      const low = floor + gap(own.map(({ input, middle }) => Math.abs(at.get(input) - middle)));
      const top = low + side + step + gap(own.map(({ output, middle }) => Math.abs(targets.get(output) - middle)));
      own.forEach(({ output, input, middle }, n) => {
        const bottom = low + (two && !straight && n % 2 ? step : 0);
        boxes.push({ layer: l, output, input, x: middle - side / 2, y: bottom + side, side,
          from: [at.get(input), floor], to: [targets.get(output), top], band: [low, low + side + step] });
      });
      nodes.push(...shown[l + 1].map((index) => ({ row: l + 1, index, x: targets.get(index), y: top })));
      [at, floor] = [targets, top];
    });
    const place = ([x, y]) => [x + SIDE_AIR, NAME + floor - y];
    for (const one of [...nodes, ...boxes]) [one.x, one.y] = place([one.x, one.y]);
    for (const box of boxes) Object.assign(box, { from: place(box.from), to: place(box.to), band: box.band.map((y) => NAME + floor - y) });
    return { width: width + 2 * SIDE_AIR, height: floor + 2 * NAME, nodes, boxes };
  }

  return { layOut };
})();

// The picture of a network: nodes, wires, and for every edge a box with its curve, as dark as its score says (G2: tanh(3 score)).
KAN.networkPicture = (() => {
  const { svg, set, format, plural, pathOf, scale, reach, grid, isWithin } = KAN.draw;
  const { livingEdges, edgeCurve } = KAN.network;

  const MOST_EDGES = 48; // of a layer; with more, boxes are too small to read
  const PADDING = 5;
  const [CAPTION, LEAST_NAMED] = [0.25, 36]; // a formula's name in its box: share of the side, and the least side that has one
  const LEAST_TEXT = 8; // pixels; a longer name is cut

  const sameEdge = (one, other) => one !== null && other !== null && ["layer", "output", "input"].every((name) => one[name] === other[name]);

  // Which edges have a box, and which nodes are shown; with a sentence about what is left out.
  function choose({ network, scores }) {
    const living = network.layers.map(livingEdges);
    const drawn = living.map((edges, l) => {
      const score = ({ output, input }) => scores[l][output][input];
      const kept = new Set([...edges].sort((one, other) => score(other) - score(one)).slice(0, MOST_EDGES));
      return edges.filter((edge) => kept.has(edge));
    });
    const shown = network.widths.map((width, row) => {
      const isEnd = (row === 0 || row === network.widths.length - 1) && width <= MOST_EDGES;
      const touched = new Set([...(drawn[row] ?? []).map(({ input }) => input), ...(drawn[row - 1] ?? []).map(({ output }) => output)]);
      return [...Array(width).keys()].filter((i) => isEnd || touched.has(i));
    });
    const count = (lists) => lists.reduce((sum, edges) => sum + edges.length, 0);
    const dead = network.layers.reduce((sum, { nInputs, nOutputs }) => sum + nInputs * nOutputs, 0) - count(living);
    const left = count(living) - count(drawn);
    const notes = [];
    if (dead) notes.push(`${plural(dead, "masked edge")} ${dead === 1 ? "is" : "are"} not drawn.`);
    if (left) notes.push(`${left} more active edges, with smaller scores than the ${MOST_EDGES} drawn in their layer, are not drawn.`);
    return { drawn, shown, note: notes.join(" ") };
  }

  // Draws it; `select(edge)` is called for an edge that is pointed at, focused or clicked. Returns {markEdge, showValues, note, strongest, width}.
  function draw(holder, model, select) {
    const { network, scores, ranges, names } = model;
    const { drawn, shown, note } = choose(model);
    const plan = KAN.diagram.layOut(drawn, shown, holder.clientWidth);
    const scoreOf = ({ layer, output, input }) => scores[layer][output][input];
    const strongest = plan.boxes.reduce((best, box) => (best === null || scoreOf(box) > scoreOf(best) ? box : best), null);
    const wires = svg("g", { class: "wires", "aria-hidden": "true" });
    const buttons = plan.boxes.map((box, n) => {
      const opacity = Math.max(0.08, Math.tanh(3 * scoreOf(box)));
      const middle = box.x + box.side / 2;
      const [low, high] = box.band;
      wires.append(svg("path", { style: `opacity:${opacity}`, d: `M${box.from}L${middle} ${low}V${box.y + box.side}M${middle} ${box.y}V${high}L${box.to}` }));
      return drawBox(box, n, opacity);
    });
    const dots = plan.nodes.map(({ row, index, x, y }) => {
      const isInner = row > 0 && row < network.widths.length - 1;
      const name = isInner ? "" : row === 0 ? names.inputs[index] : names.outputs[index];
      const title = svg("title");
      const text = svg("text", { x, y: row === 0 ? y + 19 : y - 10, "text-anchor": "middle" }, name);
      return { row, index, title, parts: [svg("circle", { cx: x, cy: y, r: isInner ? 4.5 : 4, class: "node" }, title), text] };
    });
    holder.replaceChildren(svg("svg", { width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, role: "group", "aria-label": "the network, its edges as buttons" },
      wires, ...buttons.map(({ group }) => group), svg("g", { class: "nodes" }, ...dots.flatMap(({ parts }) => parts))));

    function drawBox(box, n, opacity) {
      const layer = network.layers[box.layer];
      const kind = KAN.network.edgeKind(layer, box.output, box.input);
      const group = svg("g", {
        class: `edge ${kind}`, role: "button", "aria-pressed": "false", tabindex: box === strongest ? 0 : -1,
        "aria-label": `${KAN.edgePanel.title(model, box)}, ${kind}, score ${format(scoreOf(box), 3)}`, "data-edge": `${box.layer},${box.output},${box.input}`,
      }, svg("rect", { x: box.x, y: box.y, width: box.side, height: box.side, rx: 5, class: "box" }));
      const xs = grid(...ranges[box.layer][box.input], 61);
      const ys = edgeCurve(layer, box.output, box.input, xs);
      const named = kind === "symbolic" && box.side >= LEAST_NAMED;
      const x = scale(reach(xs, 0), [box.x + PADDING, box.x + box.side - PADDING]);
      const y = scale(reach([...ys], 0), [box.y + box.side - PADDING, box.y + PADDING + (named ? CAPTION * box.side : 0)]);
      if (named) {
        const name = KAN.edgePanel.functionText(layer.symbolic.get(`${box.output},${box.input}`).name);
        const size = Math.max(LEAST_TEXT, Math.min(12, (1.5 * box.side) / name.length));
        const most = Math.floor((1.7 * box.side) / size); // characters
        const text = name.length > most ? `${name.slice(0, most - 1)}…` : name; // the large picture has the whole name
        group.append(svg("text", { x: box.x + box.side / 2, y: box.y + 4 + size, "text-anchor": "middle", style: `font-size:${size}px` }, text));
      }
      const dot = svg("circle", { class: "here", visibility: "hidden", r: Math.min(3.5, box.side / 12), style: `opacity:${Math.max(0.3, opacity)}` });
      group.append(svg("path", { class: "line", style: `opacity:${opacity}`, d: pathOf(xs, ys, x, y) }), dot);
      for (const event of ["pointerenter", "focus", "click"]) group.addEventListener(event, () => select(box));
      group.addEventListener("keydown", (event) => pressed(event, n));
      return { group, dot, box, x, y };
    }

    // Left and right go along a layer and on to the next, up and down from layer to layer.
    function pressed(event, n) {
      const here = plan.boxes[n];
      const last = plan.boxes.length - 1;
      const nearest = (layer) => {
        const far = (m) => Math.abs(plan.boxes[m].x + plan.boxes[m].side / 2 - here.x - here.side / 2);
        const others = [...plan.boxes.keys()].filter((m) => plan.boxes[m].layer === layer);
        return others.length ? others.reduce((best, m) => (far(m) < far(best) ? m : best)) : n;
      };
      const moves = {
        ArrowRight: () => Math.min(n + 1, last), ArrowLeft: () => Math.max(n - 1, 0), Home: () => 0, End: () => last,
        ArrowUp: () => nearest(here.layer + 1), ArrowDown: () => nearest(here.layer - 1), Enter: () => n, " ": () => n,
      };
      if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in moves)) return;
      event.preventDefault();
      const next = moves[event.key]();
      buttons.forEach(({ group }, m) => set(group, { tabindex: m === next ? 0 : -1 }));
      buttons[next].group.focus();
    }

    function markEdge(edge) {
      for (const { group, box } of buttons) {
        group.classList.toggle("chosen", sameEdge(box, edge));
        set(group, { "aria-pressed": sameEdge(box, edge) });
      }
    }

    // Puts a dot on every curve where the chosen inputs lead.
    function showValues({ nodes, edges }) {
      for (const { dot, box, x, y } of buttons) {
        const [at, out] = [nodes[box.layer][box.input], edges[box.layer][box.output][box.input]];
        set(dot, isWithin(at, x) && isWithin(out, y) ? { cx: x(at), cy: y(out), visibility: "visible" } : { visibility: "hidden" });
      }
      for (const { row, index, title } of dots) title.textContent = `${KAN.edgePanel.nodeName(model, row, index)} = ${format(nodes[row][index])}`;
    }

    return { markEdge, showValues, note, strongest, width: plan.width };
  }

  return { draw, sameEdge };
})();

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
