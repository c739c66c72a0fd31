// A network's values, and its gradients over a batch.
"use strict";

// What a network gives: every edge, every node, scores on samples (kan_ref.network.layer and kan_ref.sparsity.scores).
//
//   an edge is exactly one of three:   mask 1     w_base b(x) + w_spline sum_m coef_m B_m(x)
//                                      symbolic   c f(a x + b) + d
//                                      neither    0 (masked)
//   a node is the sum of the edges that enter it;   score (P8) of an edge: mean of |phi| over the samples
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const edgeKey = (output, input) => `${output},${input}`;

  function edgeKind(layer, output, input) {
    if (layer.mask[output][input] === 1) return "spline";
    return layer.symbolic.has(edgeKey(output, input)) ? "symbolic" : "dead";
  }

  // All living edges of a layer as {output, input, kind}, in [out, in] order.
  function livingEdges(layer) {
    const edges = [];
    for (let output = 0; output < layer.nOutputs; output++) {
      for (let input = 0; input < layer.nInputs; input++) {
        const kind = edgeKind(layer, output, input);
        if (kind !== "dead") edges.push({ output, input, kind });
      }
    }
    return edges;
  }

  // Outputs of all edges at one x (n_in numbers), as [output][input]; nan where a formula is not defined.
  function edgeOutputs(layer, x) {
    const base = x.map(KAN.functions.BASES[layer.base]);
    const live = x.map((at, i) => KAN.bspline.live(layer.knots[i], layer.degree, at));
    const nBasis = layer.coef[0][0].length;
    return layer.coef.map((row, output) =>
      row.map((coef, input) => {
        if (layer.mask[output][input] === 1) {
          const { first, values } = live[input];
          let spline = 0;
          for (let r = 0; r < values.length; r++) {
            if (first + r >= 0 && first + r < nBasis) spline += coef[first + r] * values[r];
          }
          return layer.w_base[output][input] * base[input] + layer.w_spline[output][input] * spline;
        }
        const formula = layer.symbolic.get(edgeKey(output, input));
        return formula ? KAN.functions.formulaValue(formula.name, formula.affine, x[input]) : 0;
      }));
  }

  // One edge at one number.
  function edgeValue(layer, output, input, x) {
    const formula = layer.symbolic.get(edgeKey(output, input));
    if (formula) return KAN.functions.formulaValue(formula.name, formula.affine, x);
    if (layer.mask[output][input] === 0) return 0;
    const spline = KAN.bspline.curve(layer.knots[input], layer.degree, layer.coef[output][input], x);
    return layer.w_base[output][input] * KAN.functions.BASES[layer.base](x) + layer.w_spline[output][input] * spline;
  }

  // All nodes at one x, row by row from the inputs to the outputs, and all edges between: {nodes, edges}.
  function forward(network, x) {
    const nodes = [x];
    const edges = [];
    for (const layer of network.layers) {
      const outputs = edgeOutputs(layer, nodes[nodes.length - 1]);
      edges.push(outputs);
      nodes.push(outputs.map((row) => row.reduce((sum, value) => sum + value, 0)));
    }
    return { nodes, edges };
  }

  // [a, b] of every input.
  function domain(network) {
    const { knots, degree } = network.layers[0];
    return knots.map((row) => [row[degree], row[row.length - 1 - degree]]);
  }

  // Points that fill the box of the inputs' grids evenly: fractions of n g^(i+1), g the reciprocal of the root of g^(d+1) = g + 1
  // (the R_d sequence). The same for everybody, without chance.
  function samples(network, nSamples) {
    const box = domain(network);
    let g = 2;
    for (let step = 0; step < 60; step++) g = Math.pow(1 + g, 1 / (box.length + 1));
    const strides = box.map((_, i) => Math.pow(1 / g, i + 1) % 1);
    return Array.from({ length: nSamples }, (_, n) => box.map(([a, b], i) => a + (b - a) * ((0.5 + n * strides[i]) % 1)));
  }

  // What the samples say: for each layer the edges' scores [output][input], and what goes in, the range [low, high] of each node.
  function look(network, points) {
    const runs = points.map((x) => forward(network, x));
    const defined = runs.filter(({ nodes }) => nodes.every((row) => row.every(Number.isFinite)));
    const scores = network.layers.map((layer, l) =>
      layer.coef.map((row, j) =>
        row.map((_, i) => defined.reduce((sum, { edges }) => sum + Math.abs(edges[l][j][i]), 0) / Math.max(1, defined.length))));
    const ranges = network.widths.map((width, l) =>
      Array.from({ length: width }, (_, i) => {
        const values = defined.map(({ nodes }) => nodes[l][i]);
        return values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
      }));
    return { scores, ranges, inputs: network.layers.map((_, l) => defined.map(({ nodes }) => nodes[l])), usedSamples: defined.length };
  }

  KAN.network = { edgeKind, livingEdges, edgeOutputs, edgeValue, forward, domain, samples, look };
})(globalThis);

// The forward and the backward pass of a network over a batch, as in kan_ref.network's layer.py and kan_ref.sparsity's penalties;
// tests/explorer compares values and gradients.
//
//   (L1)  y_j = sum_i phi_ji(x_i),   phi = w_base b(x) + w_spline sum_m coef_m B_m(x),  or  c f(u) + d with u = a x + b
//   (L3)-(L5)  d coef_m = w_spline sum_b dphi B_m,   d w_spline = sum_b dphi spline,   d w_base = sum_b dphi b(x)
//   (L6)  dx_i = sum_j dphi phi'_ji(x_i)
//   (L8)  d a = sum_b dphi c f'(u) x,   d b = sum_b dphi c f'(u),   d c = sum_b dphi f(u),   d d = sum_b dphi
//   (L9)  with a penalty, dphi_bji = dy_bj + lambda sign(phi_bji) / N (1 - (log p_ji + S) / |Phi|_1),   p = score / |Phi|_1
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  // A matrix of nRows rows from a function of row and column.
  const table = (nRows, nColumns, value) => Array.from({ length: nRows }, (_, j) => Array.from({ length: nColumns }, (_, i) => value(j, i)));

  const baseSlope = { identity: () => 1, zero: () => 0,
    silu: (x) => {
      const s = KAN.functions.FUNCTIONS.sigmoid.f(x);
      return s * (1 + x * (1 - s));
    } };

  // The active basis functions and the base function of a layer's inputs, which for data are the same in every step.
  const prepare = (layer, x) => ({
    live: x.map((column, i) => KAN.bspline.liveColumn(layer.knots[i], layer.degree, column)),
    base: x.map((column) => Float64Array.from(column, KAN.functions.BASES[layer.base])),
  });

  // One layer over a batch. `x` and the answer y are columns: x[i] holds input i of all samples.
  function runLayer(layer, x, size, { live, base } = prepare(layer, x)) {
    const { degree, nInputs, nOutputs } = layer;
    const width = degree + 1;
    const y = Array.from({ length: nOutputs }, () => new Float64Array(size));
    const phi = table(nOutputs, nInputs, () => null); // outputs of edges
    const spline = table(nOutputs, nInputs, () => null);
    for (const { output: j, input: i, kind } of KAN.network.livingEdges(layer)) {
      const own = (phi[j][i] = new Float64Array(size));
      if (kind === "symbolic") {
        const { name, affine } = layer.symbolic.get(`${j},${i}`);
        for (let b = 0; b < size; b++) own[b] = KAN.functions.formulaValue(name, affine, x[i][b]);
      } else {
        const [coef, wBase, wSpline] = [layer.coef[j][i], layer.w_base[j][i], layer.w_spline[j][i]];
        const { first, values } = live[i];
        const sums = (spline[j][i] = new Float64Array(size));
        for (let b = 0; b < size; b++) {
          let sum = 0;
          for (let r = 0, m = first[b]; r < width; r++, m++) if (m >= 0 && m < coef.length) sum += coef[m] * values[b * width + r];
          sums[b] = sum;
          own[b] = wBase * base[i][b] + wSpline * sum;
        }
      }
      for (let b = 0; b < size; b++) y[j][b] += own[b];
    }
    return { x, live, base, spline, phi, y };
  }

  // Gradients of 0. Locked edges share one list a, b, c, d, and one list of its derivatives.
  function zeros(layer) {
    const shared = new Map([...layer.symbolic.values()].map(({ affine }) => [affine, [0, 0, 0, 0]]));
    return {
      coef: layer.coef.map((row) => row.map((coef) => new Array(coef.length).fill(0))),
      w_base: table(layer.nOutputs, layer.nInputs, () => 0),
      w_spline: table(layer.nOutputs, layer.nInputs, () => 0),
      affine: new Map([...layer.symbolic].map(([key, { affine }]) => [key, shared.get(affine)])),
    };
  }

  // Gradients of one layer and, where it is wanted, dx from dy, columns as in runLayer; `penalty[j][i]` is lambda / N times the
  // bracket of (L9).
  function pullBack(layer, run, dy, size, penalty, wanted) {
    const width = layer.degree + 1;
    const gradient = zeros(layer);
    const dx = run.x.map(() => new Float64Array(size));
    const dPhi = new Float64Array(size);
    for (const { output: j, input: i, kind } of KAN.network.livingEdges(layer)) {
      const [phi, x] = [run.phi[j][i], run.x[i]];
      const share = penalty ? penalty[j][i] : 0;
      for (let b = 0; b < size; b++) dPhi[b] = dy[j][b] + share * Math.sign(phi[b]);
      if (kind === "symbolic") {
        const { name, affine: [a, shift, c] } = layer.symbolic.get(`${j},${i}`);
        const { f, d1 } = KAN.functions.FUNCTIONS[name];
        const own = gradient.affine.get(`${j},${i}`);
        for (let b = 0; b < size; b++) {
          const u = a * x[b] + shift;
          const inner = dPhi[b] * c * d1(u);
          own[0] += inner * x[b];
          own[1] += inner;
          own[2] += dPhi[b] * f(u);
          own[3] += dPhi[b];
          dx[i][b] += inner * a;
        }
        continue;
      }
      const { first, values, slopes } = run.live[i];
      const [coef, wBase, wSpline] = [layer.coef[j][i], layer.w_base[j][i], layer.w_spline[j][i]];
      const dCoef = gradient.coef[j][i];
      const slope = baseSlope[layer.base];
      let [dBase, dSpline] = [0, 0];
      for (let b = 0; b < size; b++) {
        for (let r = 0, m = first[b]; r < width; r++, m++) {
          if (m >= 0 && m < coef.length) dCoef[m] += wSpline * dPhi[b] * values[b * width + r];
        }
        dBase += dPhi[b] * run.base[i][b];
        dSpline += dPhi[b] * run.spline[j][i][b];
      }
      for (let b = 0; wanted && b < size; b++) {
        let bend = 0;
        for (let r = 0, m = first[b]; r < width; r++, m++) if (m >= 0 && m < coef.length) bend += coef[m] * slopes[b * width + r];
        dx[i][b] += dPhi[b] * (wBase * slope(x[b]) + wSpline * bend);
      }
      gradient.w_base[j][i] = dBase;
      gradient.w_spline[j][i] = dSpline;
    }
    return { gradient, dx };
  }

  function runForward(network, x, prepared) {
    const size = x[0].length;
    const runs = [runLayer(network.layers[0], x, size, prepared)];
    for (const layer of network.layers.slice(1)) runs.push(runLayer(layer, runs[runs.length - 1].y, size));
    return runs;
  }

  // What (L9) adds, and the penalty itself: sum over layers of |Phi|_1 + S.
  function penaltyOf(run, layer, weight, size) {
    const scores = run.phi.map((row) => row.map((phi) => (phi ? phi.reduce((sum, value) => sum + Math.abs(value), 0) / size : 0)));
    const total = scores.flat().reduce((sum, score) => sum + score, 0);
    const share = (score) => (score > 0 ? Math.log(score / total) : 0);
    const entropy = total > 0 ? -scores.flat().reduce((sum, score) => sum + (score / total) * share(score), 0) : 0;
    const factors = scores.map((row) => row.map((score) => (total > 0 ? (weight / size) * (1 - (share(score) + entropy) / total) : 0)));
    return { value: weight * (total + entropy), factors };
  }

  // Mean squared error with its gradient, layer by layer; x and y are columns. `penaltyWeight` is lambda with mu_1 = mu_2 = 1.
  // nodes[l][i][b] is the derivative of the error with respect to node i of row l; that of the inputs is left out with `prepared`.
  function valueAndGradient(network, x, y, penaltyWeight = 0, prepared = undefined) {
    const size = x[0].length;
    const runs = runForward(network, x, prepared);
    const outputs = runs[runs.length - 1].y;
    const count = size * y.length;
    let mse = 0;
    let penalty = 0;
    let dy = outputs.map((column, j) => column.map((value, b) => {
      mse += (value - y[j][b]) ** 2 / count;
      return (2 * (value - y[j][b])) / count;
    }));
    const nodes = [dy];
    const gradients = [];
    for (let l = network.layers.length - 1; l >= 0; l--) {
      const layer = network.layers[l];
      const own = penaltyWeight > 0 ? penaltyOf(runs[l], layer, penaltyWeight, size) : null;
      const { gradient, dx } = pullBack(layer, runs[l], dy, size, own && own.factors, l > 0 || !prepared);
      penalty += own ? own.value : 0;
      gradients.unshift(gradient);
      nodes.unshift(dx);
      dy = dx;
    }
    return { mse, value: mse + penalty, gradients, runs, nodes };
  }

  KAN.backward = { table, prepare, runForward, valueAndGradient };
})(globalThis);
