// Runs the explorer's own scripts under node: `node explorer_program.js FOLDER`, requests as one JSON list on standard input,
// [[function, ...arguments], ...], answers as one JSON list on standard output; what is thrown becomes {"error": sentence}.
"use strict";

const path = require("node:path");
const folder = process.argv[2];
for (const name of ["bspline", "functions", "read_network", "network", "training", "example", "draw", "network_view"]) require(path.resolve(folder, `${name}.js`));
const { bspline, functions, reading, network, affineFit, backward, training, expression, draw, edgePanel } = globalThis.KAN;

// rows of samples as the columns that training takes
const columns = (rows) => rows[0].map((_, i) => Float64Array.from(rows, (row) => row[i]));
const gradientOf = (own, x, y, penalty) => {
  const { mse, value, gradients } = backward.valueAndGradient(own, columns(x), columns(y), penalty);
  return { mse, value, gradient: training.flat(training.places(own, gradients)) };
};
// differences of fourth order, one parameter at a time, and the gradient
const checkGradient = (own, x, y) => {
  const { gradient } = gradientOf(own, x, y);
  const [h, places] = [1e-4, training.parameters(own)];
  const differences = places.map(([list, n]) => {
    const start = list[n];
    const at = (step) => {
      list[n] = start + step;
      const { value } = backward.valueAndGradient(own, columns(x), columns(y));
      list[n] = start;
      return value;
    };
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  });
  return { gradient, differences };
};
const samplesAndTarget = (own, n) => {
  const x = network.samples(own, n);
  return { x, y: x.map(([a, b]) => [Math.exp(Math.sin(Math.PI * a) + b * b)]) };
};

const calls = {
  basis: (knots, degree, xs, derivative) => xs.map((x) => bspline.basis(knots, degree, x, derivative)),
  curve: (knots, degree, coef, xs, derivative) => xs.map((x) => bspline.curve(knots, degree, coef, x, derivative)),
  uniformKnots: (...given) => bspline.uniformKnots(...given),
  greville: (...given) => bspline.greville(...given),
  insertKnot: (...given) => bspline.insertKnot(...given),
  formula: (name, xs) => xs.map((x) => functions.FUNCTIONS[name].f(x)),
  complexities: () => Object.fromEntries(Object.entries(functions.FUNCTIONS).map(([name, { complexity }]) => [name, complexity])),
  base: (name, xs) => xs.map(functions.BASES[name]),
  widths: (text, name) => reading.fromText(text, name).widths,
  // of a file in base64: its widths and degrees
  read: (content) => {
    const { widths, layers } = reading.fromBytes(Buffer.from(content, "base64"), "network.json");
    return { widths, degrees: layers.map(({ degree }) => degree) };
  },
  forward: (text, xs) => {
    const read = reading.fromText(text, "network.json");
    return xs.map((x) => network.forward(read, x));
  },
  edgeValues: (text, layer, output, input, xs) => {
    const read = reading.fromText(text, "network.json");
    return xs.map((x) => network.edgeValue(read.layers[layer], output, input, x));
  },
  samples: (text, n) => network.samples(reading.fromText(text, "network.json"), n),
  scores: (text, xs) => network.look(reading.fromText(text, "network.json"), xs).scores,
  derivative: (name, xs) => xs.map((x) => functions.FUNCTIONS[name].d1(x)),
  liveColumn: (knots, degree, xs) => {
    const { first, values, slopes } = bspline.liveColumn(knots, degree, xs);
    return { first: [...first], values: [...values], slopes: [...slopes] };
  },
  gradient: (text, x, y, penalty) => gradientOf(reading.fromText(text, "network.json"), x, y, penalty),
  checkFresh: (widths, seed) => {
    const own = training.newNetwork(widths, 4, 3, seed);
    const { x, y } = samplesAndTarget(own, 60);
    return checkGradient(own, x, y);
  },
  adam: (text, x, y, nSteps, rate, penalty) => {
    const own = reading.fromText(text, "network.json");
    const step = training.adam(own);
    const [given, wanted] = [columns(x), columns(y)];
    for (let n = 0; n < nSteps; n++) step(given, wanted, rate, penalty);
    return training.flat(training.parameters(own));
  },
  halve: (text) => {
    const { layers } = training.halveIntervals(reading.fromText(text, "network.json"));
    return layers.map(({ knots, coef, nIntervals }) => ({ knots, coef, nIntervals }));
  },
  // of a trained network: scores, what is left below a threshold, and the outputs before and after its edges are named
  pruned: (text, scores, threshold) => training.prune(reading.fromText(text, "network.json"), scores, threshold).layers.map(({ mask, symbolic }) => ({ mask, symbolic: [...symbolic.keys()] })),
  named: (text, xs) => {
    const own = reading.fromText(text, "network.json");
    const { network: named, fits } = training.nameEdges(own, network.look(own, xs).inputs);
    return { outputs: xs.map((x) => network.forward(named, x).nodes.at(-1)), names: fits.map(({ name }) => name) };
  },
  draws: (seed, n) => {
    const { uniform, normal } = training.generator(seed);
    return { uniform: Array.from({ length: n }, uniform), normal: Array.from({ length: n }, normal) };
  },
  fresh: (widths, nIntervals, degree, seed) => training.newNetwork(widths, nIntervals, degree, seed).layers.map(({ knots, coef, w_base, w_spline }) => ({ knots, coef, w_base, w_spline })),
  // errors before the intervals are halved after `nBefore` steps, and after each of `nAfter` steps from there
  errorsAroundHalving: (seed, nBefore, nAfter) => {
    const own = training.newNetwork([2, 5, 1], 5, 3, seed);
    const { x, y } = samplesAndTarget(own, 50);
    const [given, wanted] = [columns(x), columns(y)];
    const train = (net, n) => {
      const step = training.adam(net);
      return Array.from({ length: n + 1 }, () => Math.sqrt(step(given, wanted, 0.02).mse));
    };
    train(own, nBefore);
    return train(training.halveIntervals(own), nAfter);
  },
  format: (...given) => draw.format(...given),
  formulaText: (...given) => edgePanel.formulaText(...given),
  expression: (text, points) => points.map(expression.read(text, ["x", "y"])),
  suggest: (xs, ys) => affineFit.suggest(xs, ys),
};

// JSON has no words for these numbers
const spoken = (key, value) =>
  typeof value === "number" && !Number.isFinite(value) ? (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity") : value;

const requests = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const answers = requests.map(([name, ...given]) => {
  try {
    return calls[name](...given);
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(answers, spoken));
