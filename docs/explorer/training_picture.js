// What part 4 of the page trains on, and its pictures.
"use strict";

// What part 4 of the page trains on: samples of a target, which a text defines, and the raster on which maps show it.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { format } = KAN.draw;

  const TARGETS = ["exp(sin(pi x) + y^2)", "x y", "sqrt(x^2 + y^2)", "sin(pi x) + y^2", "1/(1 + 10 (x - y)^2)"];
  const [N_SAMPLES, N_SHOWN] = [400, 200]; // to train on; inputs that scores, curves and histograms are made of
  const VARIABLES = ["x", "y"];
  const GREATEST = 1e6;
  const PIXELS = 36; // of a map, in each direction

  const columns = (points) => [0, 1].map((i) => Float64Array.from(points, (point) => point[i]));

  // Training samples and test samples in the box, their targets, and the target on the raster of the maps.
  function make(text) {
    const target = KAN.expression.read(text, VARIABLES);
    const box = KAN.training.newNetwork([2, 1], 1, 1, 0);
    const all = KAN.network.samples(box, 2 * N_SAMPLES);
    const raster = Array.from({ length: PIXELS * PIXELS }, (_, n) => [-1 + (2 * ((n % PIXELS) + 0.5)) / PIXELS, 1 - (2 * (Math.floor(n / PIXELS) + 0.5)) / PIXELS]);
    const part = (points) => ({ x: columns(points), y: [Float64Array.from(points, target)] });
    const made = { train: part(all.slice(0, N_SAMPLES)), test: part(all.slice(N_SAMPLES)), raster: part(raster), points: all.slice(0, N_SHOWN) };
    for (const { x, y: [values] } of [made.train, made.test, made.raster]) {
      const bad = values.findIndex((value) => !(Math.abs(value) <= GREATEST));
      if (bad >= 0) throw new Error(`at x = ${format(x[0][bad])}, y = ${format(x[1][bad])} the target is ${format(values[bad])}; on all of [−1, 1]² it has to be a number of at most ${GREATEST}`);
    }
    return made;
  }

  KAN.trainingData = { make, TARGETS, VARIABLES, N_SAMPLES, PIXELS };
})(globalThis);

// Pictures of part 4: errors over the steps, maps of target and network, one edge over a histogram of its inputs, weak edges, one sample.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, html, format, pathOf, plot, reach, byId } = KAN.draw;

  const { PIXELS } = KAN.trainingData;

  // The errors over the steps, on a logarithmic axis.
  function drawErrors({ history, events, steps }) {
    const holder = byId("train-curve");
    const log = (value) => Math.log10(Math.max(value, 1e-16));
    const [low, high] = reach(history.flatMap(({ train: a, test: b }) => [log(a), log(b)]));
    const yDomain = [Math.min(low, high - 1), high];
    const chart = plot(holder, { width: holder.clientWidth, height: 200, xDomain: [0, Math.max(100, steps)], yDomain, label: "Training and test error over the steps, as powers of ten" });
    for (const { steps: at, event } of events) {
      chart.body.append(svg("line", { class: "cursor", x1: chart.x(at), x2: chart.x(at), y1: chart.inner.y, y2: chart.inner.y + chart.inner.height }));
      const right = chart.x(at) < chart.inner.x + 0.75 * chart.inner.width;
      chart.body.append(svg("text", { x: chart.x(at) + (right ? 4 : -4), y: chart.inner.y + 14, "text-anchor": right ? "start" : "end" }, event));
    }
    const xs = history.map(({ steps: at }) => at);
    // one point is no line; outside of the clipped group, whose border it touches
    if (history.length === 1) for (const name of ["test", "train"]) chart.root.append(svg("circle", { class: name, cx: chart.x(history[0].steps), cy: chart.y(log(history[0][name])), r: name === "test" ? 6 : 3.5 }));
    for (const name of ["test", "train"]) chart.body.append(svg("path", { class: `term ${name}`, d: pathOf(xs, history.map((row) => log(row[name])), chart.x, chart.y) }));
  }

  // A colour of the map for a number, of which [0, 1] is shown: dark blue, green, light yellow.
  const STOPS = [[28, 36, 92], [33, 113, 140], [70, 170, 130], [180, 215, 110], [253, 240, 170]];
  function colour(share) {
    const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
    const n = Math.min(Math.floor(at), STOPS.length - 2);
    return STOPS[n].map((value, k) => value + (at - n) * (STOPS[n + 1][k] - value));
  }

  function drawMap(name, values, low, high) {
    const canvas = byId(name);
    const context = canvas.getContext("2d");
    const image = context.createImageData(PIXELS, PIXELS);
    values.forEach((value, n) => {
      const share = (value - low) / (high - low || 1);
      if (!Number.isNaN(share)) image.data.set([...colour(share), 255], 4 * n); // without a value nothing is drawn
    });
    context.putImageData(image, 0, 0);
  }

  // Target, outputs and their difference on the raster, rows from the top.
  function drawMaps(target, outputs) {
    const [low, high] = [Math.min(...target), Math.max(...target)];
    const missed = outputs.map((value, n) => Math.abs(value - target[n]));
    const most = Math.max(...missed);
    drawMap("map-target", target, low, high);
    drawMap("map-network", outputs, low, high);
    drawMap("map-difference", missed, 0, most);
    byId("map-target-say").textContent = `target, ${format(low, 2)} to ${format(high, 2)}`;
    byId("map-network-say").textContent = "network, same colours";
    byId("map-difference-say").textContent = Number.isNaN(most) ? "difference, not a number at some points" : `difference, at most ${format(most, 2)}`;
  }

  // The chosen edge: its curve, its knots, and how often the samples reach each part of its grid.
  function drawEdge(model, chosen) {
    const holder = byId("train-edge");
    if (!chosen) {
      byId("train-edge-title").textContent = "No edge is left";
      byId("train-edge-say").textContent = "";
      holder.replaceChildren();
      return;
    }
    const { layer: l, output, input } = chosen;
    const layer = model.network.layers[l];
    const row = layer.knots[input];
    const [a, b] = [row[layer.degree], row[row.length - 1 - layer.degree]];
    const inputs = model.inputs[l].map((values) => values[input]);
    const [low, high] = [Math.min(a, ...inputs), Math.max(b, ...inputs)];
    const xs = KAN.draw.grid(low, high, 200, row);
    const ys = xs.map((x) => KAN.network.edgeValue(layer, output, input, x));
    byId("train-edge-title").textContent = KAN.edgePanel.title(model, chosen).replace(/^e/, "E");
    const chart = plot(holder, { width: holder.clientWidth, height: 190, xDomain: [low, high], yDomain: reach(ys), label: "The curve of the chosen edge, over a histogram of its inputs" });
    const nBins = 24;
    const counts = new Array(nBins).fill(0);
    for (const x of inputs) counts[Math.min(nBins - 1, Math.floor(((x - low) / (high - low)) * nBins))] += 1;
    const tallest = Math.max(1, ...counts);
    counts.forEach((count, n) => {
      const height = (0.45 * chart.inner.height * count) / tallest;
      chart.body.append(svg("rect", { class: "bin", x: chart.x(low + ((high - low) * n) / nBins) + 0.5, width: Math.max(1, chart.inner.width / nBins - 1), y: chart.y.range[0] - height, height }));
    });
    if (layer.mask[output][input] === 1) {
      for (const knot of row) chart.body.append(svg("line", { class: "tick", x1: chart.x(knot), x2: chart.x(knot), y1: chart.y.range[0] - 7, y2: chart.y.range[0] }));
    }
    chart.body.append(svg("path", { class: "term phi", d: pathOf(xs, ys, chart.x, chart.y) }));
    const outside = inputs.filter((x) => x < a || x > b).length;
    const formula = layer.symbolic.get(`${output},${input}`);
    byId("train-edge-say").textContent = (formula ? `φ(x) = ${KAN.edgePanel.formulaText(formula.name, formula.affine)}. ` : "")
      + `Bars: inputs of this edge over ${inputs.length} samples; ${outside === 0 ? "none is" : `${outside} ${outside === 1 ? "is" : "are"}`} outside the grid [${format(a, 3)}, ${format(b, 3)}].`;
  }

  // The edges that the pruning slider would remove.
  function markWeak(model, threshold) {
    let weak = 0;
    for (const button of byId("train-network").querySelectorAll(".edge")) {
      const [layer, output, input] = button.dataset.edge.split(",").map(Number);
      const is = model.scores[layer][output][input] < threshold;
      button.classList.toggle("weak", is);
      weak += is;
    }
    byId("train-threshold-value").textContent = format(threshold, 2);
    byId("train-prune").textContent = `Remove ${weak} weak edge${weak === 1 ? "" : "s"}`;
    byId("train-prune").disabled = weak === 0;
  }

  // One sample: the value of every node, and the derivative of its squared error with respect to it.
  function showSample(model, picture, train, b) {
    const x = train.x.map((column) => Float64Array.of(column[b]));
    const y = [Float64Array.of(train.y[0][b])];
    const { runs, nodes } = KAN.backward.valueAndGradient(model.network, x, y);
    const values = [x, ...runs.map((run) => run.y)].map((row) => row.map((column) => column[0]));
    picture.showValues({ nodes: values, edges: runs.map(({ phi }) => phi.map((row) => row.map((column) => (column ? column[0] : 0)))) });
    const rows = values.flatMap((row, l) => row.map((value, i) => html("tr", {}, html("th", { scope: "row" }, KAN.edgePanel.nodeName(model, l, i)),
      html("td", {}, format(value)), html("td", {}, format(nodes[l][i][0])))));
    byId("train-sample-rows").replaceChildren(...rows.reverse());
    byId("train-sample-value").textContent = String(b + 1);
    byId("train-sample-say").textContent = `Sample ${b + 1}: x = ${format(x[0][0])}, y = ${format(x[1][0])}, target ${format(y[0][0])}. The derivatives run from the output back to the inputs.`;
  }

  KAN.trainingPicture = { drawErrors, drawMaps, drawEdge, markWeak, showSample };
})(globalThis);
