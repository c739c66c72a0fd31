// Training in the page: new networks, Adam, halved intervals, pruning, and formulas in the place of splines, as in kan_ref.
//
//   (O2)  m = 0.9 m + 0.1 g,   v = 0.999 v + 0.001 g^2,   theta -= rate (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { table, prepare, valueAndGradient } = KAN.backward;

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

  // Every number that trains, as [list, place] in the order of kan_ref's theta; with gradients for `parts`, theirs.
  function places(network, parts) {
    return network.layers.flatMap((layer, l) => {
      const { coef, w_base: base, w_spline: spline } = parts[l];
      const affine = [...layer.symbolic.keys()].sort((one, other) => order(one) - order(other));
      function order(key) {
        const [output, input] = key.split(",").map(Number);
        return output * layer.nInputs + input;
      }
      const lists = [...coef.flat(), ...base, ...spline, ...new Set(affine.map((key) => parts[l].affine.get(key)))];
      return lists.flatMap((list) => list.map((_, n) => [list, n]));
    });
  }

  const parameters = (network) => places(network, network.layers.map((layer) => ({ ...layer, affine: new Map([...layer.symbolic].map(([key, { affine }]) => [key, affine])) })));
  const flat = (found) => found.map(([list, n]) => list[n]);

  // Adam on a network, which it changes in place. A change of the parameters' number needs a new one.
  function adam(network) {
    const theta = parameters(network);
    const m = new Float64Array(theta.length);
    const v = new Float64Array(theta.length);
    let t = 0;
    let kept = { x: null };
    return function step(x, y, rate, penaltyWeight = 0) {
      if (kept.x !== x) kept = { x, prepared: prepare(network.layers[0], x) };
      const found = valueAndGradient(network, x, y, penaltyWeight, kept.prepared);
      const gradient = places(network, found.gradients);
      t += 1;
      const [first, second] = [1 - Math.pow(0.9, t), 1 - Math.pow(0.999, t)];
      for (let p = 0; p < theta.length; p++) {
        const g = gradient[p][0][gradient[p][1]];
        m[p] = 0.9 * m[p] + 0.1 * g;
        v[p] = 0.999 * v[p] + 0.001 * g * g;
        theta[p][0][theta[p][1]] -= (rate * (m[p] / first)) / (Math.sqrt(v[p] / second) + 1e-8);
      }
      return found;
    };
  }

  // The same network on a grid with every interval of [a, b] halved: knots are inserted, the function stays (B20).
  function halveIntervals(network) {
    const layers = network.layers.map((layer) => {
      const { degree } = layer;
      const middles = layer.knots.map((row) => row.slice(degree, -degree - 1 || undefined).map((knot, n) => (knot + row[degree + n + 1]) / 2));
      const insert = (coef, i) => middles[i].reduce((curve, t) => KAN.bspline.insertKnot(curve.knots, degree, curve.coef, t), { knots: layer.knots[i], coef });
      return { ...layer, nIntervals: 2 * layer.nIntervals,
        knots: layer.knots.map((_, i) => insert(layer.coef[0][i], i).knots),
        coef: layer.coef.map((row) => row.map((coef, i) => insert(coef, i).coef)) };
    });
    return { ...network, layers };
  }

  // The network without the edges whose score is below the threshold, and without edges of nodes that have no way in or out.
  function prune(network, scores, threshold) {
    const layers = network.layers.map((layer, l) => {
      const keep = (output, input) => KAN.network.edgeKind(layer, output, input) !== "dead" && scores[l][output][input] >= threshold;
      return { ...layer, mask: table(layer.nOutputs, layer.nInputs, (j, i) => (layer.mask[j][i] === 1 && keep(j, i) ? 1 : 0)),
        symbolic: new Map([...layer.symbolic].filter(([key]) => keep(...key.split(",").map(Number)))) };
    });
    const cut = (l, loses) => {
      const layer = layers[l];
      for (const { output, input } of KAN.network.livingEdges(layer)) {
        if (!loses(output, input)) continue;
        layer.mask[output][input] = 0;
        layer.symbolic.delete(`${output},${input}`);
      }
    };
    const has = (l, end, node) => KAN.network.livingEdges(layers[l]).some((edge) => edge[end] === node);
    for (let l = 1; l < layers.length; l++) cut(l, (_, input) => !has(l - 1, "output", input));
    for (let l = layers.length - 2; l >= 0; l--) cut(l, (output) => !has(l + 1, "input", output));
    return { ...network, layers };
  }

  // The network with each spline edge replaced by the formula that is nearest to it on the samples: {network, fits}.
  function nameEdges(network, inputs) {
    const fits = [];
    const layers = network.layers.map((layer, l) => {
      const symbolic = new Map([...layer.symbolic].map(([key, { name, affine }]) => [key, { name, affine: [...affine] }]));
      const mask = layer.mask.map((row) => [...row]);
      for (const { output, input, kind } of KAN.network.livingEdges(layer)) {
        if (kind !== "spline") continue;
        const x = inputs[l].map((row) => row[input]);
        const [best] = KAN.affineFit.suggest(x, x.map((at) => KAN.network.edgeValue(layer, output, input, at)));
        if (!best) continue;
        mask[output][input] = 0;
        symbolic.set(`${output},${input}`, { name: best.name, affine: best.affine });
        fits.push({ layer: l, output, input, ...best });
      }
      return { ...layer, mask, symbolic };
    });
    return { network: { ...network, layers }, fits };
  }

  // About half of the records {steps, train, test}, in order: the first one, and of each eight others those with the smallest and the
  // largest errors, so that no peak of a curve is lost.
  const BLOCK = 8;
  function thinned([first, ...others]) {
    const kept = [first];
    for (let at = 0; at < others.length; at += BLOCK) {
      const block = others.slice(at, at + BLOCK);
      const extreme = ["train", "test"].flatMap((name) => [1, -1].map((sign) => block.reduce((best, row) => (sign * (row[name] - best[name]) > 0 ? row : best))));
      kept.push(...block.filter((row) => extreme.includes(row)));
    }
    return kept;
  }

  KAN.training = { thinned, newNetwork, adam, parameters, places, flat, halveIntervals, prune, nameEdges, generator };
})(globalThis);
