// What a network gives on samples: every edge, every node, scores (kan_ref.network.layer, kan_ref.sparsity.scores), and gradients.
// Samples are columns: x[i] holds input i of all of them. tests/explorer compares values and gradients with kan_ref's.
//
//   an edge is exactly one of three:   mask 1     w_base b(x) + w_spline sum_m coef_m B_m(x)
//                                      symbolic   c f(u) + d with u = a x + b
//                                      neither    0 (masked)
//   a node is the sum of the edges that enter it;   score (P8) of an edge: mean of |phi| over the samples
//
//   (L3)-(L5)  d coef_m = w_spline sum_b dphi B_m,   d w_spline = sum_b dphi spline,   d w_base = sum_b dphi b(x)
//   (L6)  dx_i = sum_j dphi phi'_ji(x_i)
//   (L8)  d a = sum_b dphi c f'(u) x,   d b = sum_b dphi c f'(u),   d c = sum_b dphi f(u),   d d = sum_b dphi
//   (L9)  with a penalty, dphi_bji = dy_bj + lambda sign(phi_bji) / N (1 - (log p_ji + S) / |Phi|_1),   p = score / |Phi|_1
"use strict";

// A network from the text of a JSON file that kan_ref.save wrote: versions 1 to 3 of the format in kan_ref/io/document.py.
//
// The file may come from anywhere: what would give wrong curves, or none, is refused in one sentence (an Error). Nothing of it is run.
KAN.reading = (() => {
  const VERSION = 3;

  function must(holds, sentence) {
    if (!holds) throw new Error(sentence);
  }

  const isWhole = (value, low, high = Infinity) => Number.isInteger(value) && value >= low && value <= high;

  // Shape of nested lists of finite numbers; NaN where anything else is in them, or where rows have different lengths.
  function shapeOf(value) {
    if (!Array.isArray(value)) return Number.isFinite(value) ? [] : [NaN];
    const shapes = value.map(shapeOf);
    return shapes.some((shape) => String(shape) !== String(shapes[0])) ? [NaN] : [value.length, ...(shapes[0] ?? [])];
  }

  // "output,input" -> {name, affine} of every symbolic edge; edges on one row of affine are locked and share its list.
  function readSymbolic(owner, { symbolic = [], affine = [], mask }) {
    must(Array.isArray(symbolic) && (symbolic.length === 0 || shapeOf(affine)[1] === 4), `${owner} has symbolic edges without their a, b, c and d`);
    const found = new Map();
    for (const { output, input, row, function: name } of symbolic) {
      const edge = `${owner}: the symbolic edge from input ${input} to output ${output}`;
      must(Object.hasOwn(KAN.functions.FUNCTIONS, name), `${edge} has the function '${name}', which this page does not know`);
      must(mask[output]?.[input] === 0 && !found.has(`${output},${input}`), `${edge} is no edge of the layer, is a spline edge too, or is there twice`);
      must(isWhole(row, 0, affine.length - 1), `${edge} has no row of affine`);
      found.set(`${output},${input}`, { name, affine: affine[row] });
    }
    return found;
  }

  function readLayer(plain, number) {
    const owner = `layer ${number}`;
    const { degree, base, knots, coef, w_base, w_spline, mask } = plain;
    must(isWhole(degree, 0), `${owner} has no degree`);
    must(Object.hasOwn(KAN.functions.BASES, base), `${owner} has the base '${base}', but must have one of ${Object.keys(KAN.functions.BASES).join(", ")}`);
    const [[nInputs, nKnots], [nOutputs]] = [shapeOf(knots), shapeOf(mask)];
    const wanted = { knots: [nInputs, nKnots], coef: [nOutputs, nInputs, nKnots - degree - 1] };
    for (const name of ["w_base", "w_spline", "mask"]) wanted[name] = [nOutputs, nInputs];
    for (const [name, shape] of Object.entries(wanted)) {
      must(shape.every((size) => size > 0) && String(shapeOf(plain[name])) === String(shape), `${owner}: ${name} needs finite numbers of shape [${shape.join(", ")}]`);
    }
    for (const row of knots) {
      must(row.every((knot, m) => m === 0 || knot >= row[m - 1]), `${owner} has knots that decrease`);
      must(row[degree] < row[nKnots - 1 - degree], `${owner} has a grid without width`);
    }
    must(mask.flat().every((flag) => flag === 0 || flag === 1), `${owner}: mask needs 0 or 1 for every edge`);
    const symbolic = readSymbolic(owner, plain);
    return { degree, base, knots, coef, w_base, w_spline, mask, nInputs, nOutputs, nIntervals: nKnots - 2 * degree - 1, symbolic };
  }

  // The network of a document (what JSON.parse gives): { layers, widths }.
  function fromDocument(document) {
    must(document?.format === "kan_ref network", "it does not say format 'kan_ref network'");
    must(isWhole(document.version, 1, VERSION), `it has format version ${document.version}, but this page reads versions 1 to ${VERSION}`);
    must(document.layers?.length > 0, "it has no layers");
    const layers = document.layers.map(readLayer);
    layers.slice(1).forEach(({ nInputs }, l) => must(nInputs === layers[l].nOutputs, `layer ${l} has ${layers[l].nOutputs} outputs, but layer ${l + 1} has ${nInputs} inputs`));
    return { layers, widths: [layers[0].nInputs, ...layers.map((layer) => layer.nOutputs)] };
  }

  // The network of a file's text; every fault is an Error whose one sentence begins with the file's name.
  function fromText(text, name) {
    try {
      must(!text.startsWith("PK"), "it is an .npz archive; this page reads what kr.save(network, 'name.json') writes");
      return fromDocument(JSON.parse(text));
    } catch (error) {
      const why = error.name === "Error" ? error.message : error.name === "SyntaxError" ? "it is not JSON" : "its parts are not what kr.save writes";
      throw new Error(`${name} holds no network that can be read: ${why}`);
    }
  }

  return { fromDocument, fromText };
})();

KAN.network = (() => {
  const { BASES, FUNCTIONS, formulaValue } = KAN.functions;

  // A matrix of nRows rows from a function of row and column.
  const table = (nRows, nColumns, value) => Array.from({ length: nRows }, (_, j) => Array.from({ length: nColumns }, (_, i) => value(j, i)));

  function edgeKind(layer, output, input) {
    if (layer.mask[output][input] === 1) return "spline";
    return layer.symbolic.has(`${output},${input}`) ? "symbolic" : "dead";
  }

  // All living edges of a layer as {output, input, kind}, in [out, in] order.
  const livingEdges = (layer) =>
    table(layer.nOutputs, layer.nInputs, (output, input) => ({ output, input, kind: edgeKind(layer, output, input) })).flat().filter(({ kind }) => kind !== "dead");

  // The active basis functions and the base function of one input of a layer.
  const prepare = (layer, i, column) => ({ ...KAN.bspline.live(layer.knots[i], layer.degree, column), base: Float64Array.from(column, BASES[layer.base].f) });

  // sum_m coef_m B_m, or its derivative with the slopes of the B-splines.
  function splineSum(coef, first, values, width, b) {
    let sum = 0;
    for (let r = 0, m = first[b]; r < width; r++, m++) if (m >= 0 && m < coef.length) sum += coef[m] * values[b * width + r];
    return sum;
  }

  // One edge over a column: {phi, spline}.
  function edgeOn(layer, j, i, column, { first, values, base }) {
    const formula = layer.symbolic.get(`${j},${i}`);
    if (formula) return { phi: Float64Array.from(column, (x) => formulaValue(formula.name, formula.affine, x)) };
    if (layer.mask[j][i] === 0) return { phi: new Float64Array(column.length) };
    const [coef, wBase, wSpline] = [layer.coef[j][i], layer.w_base[j][i], layer.w_spline[j][i]];
    const spline = base.map((_, b) => splineSum(coef, first, values, layer.degree + 1, b));
    return { phi: spline.map((value, b) => wBase * base[b] + wSpline * value), spline };
  }

  const edgeCurve = (layer, j, i, column) => edgeOn(layer, j, i, column, prepare(layer, i, column)).phi;

  // One layer over a batch: its inputs, what is prepared of them, its edges [output][input] and its outputs y.
  function runLayer(layer, x, prepared = x.map((column, i) => prepare(layer, i, column))) {
    const edges = table(layer.nOutputs, layer.nInputs, (j, i) => edgeOn(layer, j, i, x[i], prepared[i]));
    const y = edges.map((row) => {
      const sums = new Float64Array(x[0].length);
      for (const { phi } of row) for (let b = 0; b < sums.length; b++) sums[b] += phi[b];
      return sums;
    });
    return { x, prepared, edges, y };
  }

  function forward(network, x, prepared) {
    const runs = [runLayer(network.layers[0], x, prepared)];
    for (const layer of network.layers.slice(1)) runs.push(runLayer(layer, runs.at(-1).y));
    return runs;
  }

  // All nodes at one point, row by row from the inputs to the outputs, and all edges between: {nodes, edges}.
  function at(network, point) {
    const runs = forward(network, point.map((value) => [value]));
    return { nodes: [point, ...runs.map(({ y }) => y.map(([value]) => value))], edges: runs.map(({ edges }) => edges.map((row) => row.map(({ phi }) => phi[0]))) };
  }

  // [a, b] of every input.
  function domain(network) {
    const { knots, degree } = network.layers[0];
    return knots.map((row) => [row[degree], row[row.length - 1 - degree]]);
  }

  // Samples that fill the box of the inputs' grids evenly: fractions of n g^(i+1), g the reciprocal of the root of g^(d+1) = g + 1
  // (the R_d sequence). The same for everybody, without chance.
  function samples(network, nSamples) {
    const box = domain(network);
    let g = 2;
    for (let step = 0; step < 60; step++) g = Math.pow(1 + g, 1 / (box.length + 1));
    return box.map(([a, b], i) => Float64Array.from({ length: nSamples }, (_, n) => a + (b - a) * ((0.5 + n * Math.pow(1 / g, i + 1)) % 1)));
  }

  // What samples say, of those at which all is defined: scores [layer][output][input] of the edges, and of each row of nodes the values
  // [row][node] and their ranges [low, high].
  function look(network, x) {
    const runs = forward(network, x);
    const rows = [x, ...runs.map(({ y }) => y)];
    const defined = [...x[0].keys()].filter((b) => rows.every((row) => row.every((column) => Number.isFinite(column[b]))));
    const meanSize = ({ phi }) => defined.reduce((sum, b) => sum + Math.abs(phi[b]), 0) / Math.max(1, defined.length);
    const values = rows.map((row) => row.map((column) => defined.map((b) => column[b])));
    const ranges = values.map((row) => row.map((column) => (column.length ? [Math.min(...column), Math.max(...column)] : [0, 0])));
    return { scores: runs.map(({ edges }) => edges.map((row) => row.map(meanSize))), values, ranges, usedSamples: defined.length };
  }

  // Gradients of 0 in the form of a layer. Locked edges share one list a, b, c, d, and one list of its derivatives.
  function zeros(layer) {
    const shared = new Map([...layer.symbolic.values()].map(({ affine }) => [affine, [0, 0, 0, 0]]));
    return {
      coef: layer.coef.map((row) => row.map((coef) => new Array(coef.length).fill(0))),
      w_base: table(layer.nOutputs, layer.nInputs, () => 0),
      w_spline: table(layer.nOutputs, layer.nInputs, () => 0),
      symbolic: new Map([...layer.symbolic].map(([key, { affine }]) => [key, { affine: shared.get(affine) }])),
    };
  }

  // Gradients of one layer and, where it is wanted, dx from dy; `penalty[j][i]` is lambda / N times the bracket of (L9).
  function pullBack(layer, run, dy, penalty, wanted) {
    const width = layer.degree + 1;
    const gradient = zeros(layer);
    const dx = run.x.map((column) => new Float64Array(column.length));
    for (const { output: j, input: i, kind } of livingEdges(layer)) {
      const x = run.x[i];
      const { first, values, slopes, base } = run.prepared[i];
      const { phi, spline } = run.edges[j][i];
      const dPhi = phi.map((value, b) => dy[j][b] + (penalty ? penalty[j][i] * Math.sign(value) : 0));
      if (kind === "symbolic") {
        const { name, affine: [a, shift, c] } = layer.symbolic.get(`${j},${i}`);
        const own = gradient.symbolic.get(`${j},${i}`).affine;
        for (let b = 0; b < x.length; b++) {
          const u = a * x[b] + shift;
          const inner = dPhi[b] * c * FUNCTIONS[name].d1(u);
          own[0] += inner * x[b];
          own[1] += inner;
          own[2] += dPhi[b] * FUNCTIONS[name].f(u);
          own[3] += dPhi[b];
          dx[i][b] += inner * a;
        }
        continue;
      }
      const [coef, wBase, wSpline, dCoef] = [layer.coef[j][i], layer.w_base[j][i], layer.w_spline[j][i], gradient.coef[j][i]];
      const slope = BASES[layer.base].d1;
      let [dBase, dSpline] = [0, 0];
      for (let b = 0; b < x.length; b++) {
        for (let r = 0, m = first[b]; r < width; r++, m++) if (m >= 0 && m < coef.length) dCoef[m] += wSpline * dPhi[b] * values[b * width + r];
        dBase += dPhi[b] * base[b];
        dSpline += dPhi[b] * spline[b];
        if (wanted) dx[i][b] += dPhi[b] * (wBase * slope(x[b]) + wSpline * splineSum(coef, first, slopes, width, b));
      }
      gradient.w_base[j][i] = dBase;
      gradient.w_spline[j][i] = dSpline;
    }
    return { gradient, dx };
  }

  // The penalty of a layer, |Phi|_1 + S times lambda, and what (L9) adds to each edge.
  function penaltyOf({ edges, x }, weight) {
    const scores = edges.map((row) => row.map(({ phi }) => phi.reduce((sum, value) => sum + Math.abs(value), 0) / phi.length));
    const total = scores.flat().reduce((sum, score) => sum + score, 0);
    const logShare = (score) => (score > 0 ? Math.log(score / total) : 0);
    const entropy = scores.flat().reduce((sum, score) => sum - (score > 0 ? (score / total) * logShare(score) : 0), 0);
    const factor = (score) => (total > 0 ? (weight / x[0].length) * (1 - (logShare(score) + entropy) / total) : 0);
    return { value: weight * (total + entropy), factors: scores.map((row) => row.map(factor)) };
  }

  // Mean squared error, and the value to be minimized with its gradient, layer by layer. `weight` is lambda with mu_1 = mu_2 = 1;
  // `prepared` is what was prepared of the inputs.
  function valueAndGradient(network, x, y, weight = 0, prepared = undefined) {
    const runs = forward(network, x, prepared);
    const outputs = runs.at(-1).y;
    const count = x[0].length * y.length;
    const mse = outputs.reduce((sum, column, j) => column.reduce((own, value, b) => own + (value - y[j][b]) ** 2 / count, sum), 0);
    let value = mse;
    let dy = outputs.map((column, j) => column.map((at, b) => (2 * (at - y[j][b])) / count));
    const gradients = [];
    for (let l = network.layers.length - 1; l >= 0; l--) {
      const penalty = weight > 0 ? penaltyOf(runs[l], weight) : { value: 0 };
      const { gradient, dx } = pullBack(network.layers[l], runs[l], dy, penalty.factors, l > 0);
      value += penalty.value;
      gradients.unshift(gradient);
      dy = dx;
    }
    return { mse, value, gradients };
  }

  return { table, edgeKind, livingEdges, edgeCurve, prepare, forward, at, domain, samples, look, valueAndGradient };
})();
