// Training in the page: samples of a target, new networks, Adam, halved intervals, pruning, and formulas in the place of splines.
//
//   (O2)  m = 0.9 m + 0.1 g,   v = 0.999 v + 0.001 g^2,   theta -= rate (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
"use strict";

KAN.training = (() => {
  const { table, prepare, edgeCurve, livingEdges, valueAndGradient } = KAN.network;

  const N_SAMPLES = 400; // to train on, and as many to test on
  const GREATEST = 1e6;

  // Uniform numbers in [0, 1) from a whole number (mulberry32), and normal ones from pairs of them (Box and Muller).
  function generator(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  }

  // A network as the paper starts it: coef ~ N(0, 0.1^2), w_spline = 1, w_base uniform to sqrt(6 / (n_in + n_out)); all grids are [-1, 1].
  function newNetwork(widths, nIntervals, degree, seed) {
    const { uniform, normal } = generator(seed);
    const layers = widths.slice(1).map((nOutputs, l) => {
      const nInputs = widths[l];
      const bound = Math.sqrt(6 / (nInputs + nOutputs));
      return {
        degree, base: "silu", nInputs, nOutputs, nIntervals, symbolic: new Map(),
        knots: Array.from({ length: nInputs }, () => KAN.bspline.uniformKnots(-1, 1, nIntervals, degree)),
        coef: table(nOutputs, nInputs, () => Array.from({ length: nIntervals + degree }, () => 0.1 * normal())),
        w_base: table(nOutputs, nInputs, () => bound * (2 * uniform() - 1)),
        w_spline: table(nOutputs, nInputs, () => 1),
        mask: table(nOutputs, nInputs, () => 1),
      };
    });
    return { widths: [...widths], layers };
  }

  // Samples {x, y} on [-1, 1]^2 of the target that a text defines: {train, test}.
  function sample(text) {
    const target = KAN.expression.read(text, ["x", "y"]);
    const columns = KAN.network.samples(newNetwork([2, 1], 1, 1, 0), 2 * N_SAMPLES);
    const values = columns[0].map((_, n) => target([columns[0][n], columns[1][n]]));
    const bad = values.findIndex((value) => !(Math.abs(value) <= GREATEST));
    if (bad >= 0) {
      const [x, y, value] = [columns[0][bad], columns[1][bad], values[bad]].map((number) => number.toPrecision(3));
      throw new Error(`at x = ${x}, y = ${y} the target is ${value}; on all of [−1, 1]² it has to be a number of at most ${GREATEST}`);
    }
    const part = (...ends) => ({ x: columns.map((column) => column.slice(...ends)), y: [values.slice(...ends)] });
    return { train: part(0, N_SAMPLES), test: part(N_SAMPLES) };
  }

  // The lists of all numbers that train; of gradients, theirs.
  const lists = (layers) => layers.flatMap(({ coef, w_base: base, w_spline: spline, symbolic }) =>
    [...coef.flat(), ...base, ...spline, ...new Set([...symbolic.values()].map(({ affine }) => affine))]);

  // Adam on a network, which it changes in place. A change of the parameters' number needs a new one.
  function adam(network) {
    const theta = lists(network.layers);
    const [m, v] = [0, 0].map(() => theta.map((list) => new Float64Array(list.length)));
    let t = 0;
    let kept = { x: null };
    return function step(x, y, rate, penalty = 0) {
      if (kept.x !== x) kept = { x, prepared: x.map((column, i) => prepare(network.layers[0], i, column)) };
      const found = valueAndGradient(network, x, y, penalty, kept.prepared);
      t += 1;
      const [first, second] = [1 - Math.pow(0.9, t), 1 - Math.pow(0.999, t)];
      lists(found.gradients).forEach((gradient, n) => gradient.forEach((g, p) => {
        m[n][p] = 0.9 * m[n][p] + 0.1 * g;
        v[n][p] = 0.999 * v[n][p] + 0.001 * g * g;
        theta[n][p] -= (rate * (m[n][p] / first)) / (Math.sqrt(v[n][p] / second) + 1e-8);
      }));
      return found;
    };
  }

  // The same network on a grid with every interval of [a, b] halved: knots are inserted, the function stays (B20).
  function halveIntervals(network) {
    const layers = network.layers.map((layer) => {
      const { degree, knots } = layer;
      const middles = knots.map((row) => row.slice(degree, -degree - 1).map((knot, n) => (knot + row[degree + n + 1]) / 2));
      const insert = (coef, i) => middles[i].reduce((curve, t) => KAN.bspline.insertKnot(curve.knots, degree, curve.coef, t), { knots: knots[i], coef });
      return { ...layer, nIntervals: 2 * layer.nIntervals,
        knots: knots.map((_, i) => insert(layer.coef[0][i], i).knots),
        coef: layer.coef.map((row) => row.map((coef, i) => insert(coef, i).coef)) };
    });
    return { ...network, layers };
  }

  // The network without the edges that do not pass `keep(layer, output, input)`.
  function filtered(network, keep) {
    const layers = network.layers.map((layer, l) => ({
      ...layer,
      mask: layer.mask.map((row, j) => row.map((flag, i) => (keep(l, j, i) ? flag : 0))),
      symbolic: new Map([...layer.symbolic].filter(([key]) => keep(l, ...key.split(",").map(Number)))),
    }));
    return { ...network, layers };
  }

  // The network without the edges whose score is below the threshold, and without edges of nodes that have no way in or out.
  function prune(network, scores, threshold) {
    let kept = filtered(network, (l, j, i) => scores[l][j][i] >= threshold);
    const last = network.layers.length - 1;
    const has = (l, end, node) => livingEdges(kept.layers[l]).some((edge) => edge[end] === node);
    for (let l = 1; l <= last; l++) kept = filtered(kept, (own, _, i) => own !== l || has(l - 1, "output", i));
    for (let l = last - 1; l >= 0; l--) kept = filtered(kept, (own, j) => own !== l || has(l + 1, "input", j));
    return kept;
  }

  // The network with each spline edge replaced by the formula that is nearest to it on the samples `values[row][node]`: {network, fits}.
  function nameEdges(network, values) {
    const named = filtered(network, () => true);
    const fits = named.layers.flatMap((layer, l) => livingEdges(layer).filter(({ kind }) => kind === "spline").flatMap(({ output, input }) => {
      const x = values[l][input];
      const [best] = KAN.affineFit.suggest(x, [...edgeCurve(layer, output, input, x)]);
      if (!best) return [];
      layer.mask[output][input] = 0;
      layer.symbolic.set(`${output},${input}`, { name: best.name, affine: best.affine });
      return [best];
    }));
    return { network: named, fits };
  }

  return { sample, newNetwork, adam, lists, halveIntervals, prune, nameEdges, generator };
})();
