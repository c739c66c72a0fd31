// What a network gives: every edge, every node, scores on samples (kan_ref.network.layer and kan_ref.sparsity.scores).
//
//   an edge is exactly one of three:   mask 1     w_base b(x) + w_spline sum_m coef_m B_m(x)
//                                      symbolic   c f(a x + b) + d
//                                      neither    0 (masked)
//   a node is the sum of the edges that enter it;   score (P8) of an edge: mean of |phi| over the samples
"use strict";

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
