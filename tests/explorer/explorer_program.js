// Runs the explorer's own scripts under node: `node explorer_program.js FOLDER`, requests as one JSON list on standard input,
// [[function, ...arguments], ...], answers as one JSON list on standard output; what is thrown becomes {"error": sentence}.
"use strict";

const path = require("node:path");
for (const name of ["draw", "bspline", "functions", "network", "training"]) require(path.resolve(process.argv[2], `${name}.js`));
const { bspline, functions, reading, network, affineFit, training, expression } = globalThis.KAN;

// rows of samples as the columns that the page takes
const columns = (rows) => rows[0].map((_, i) => Float64Array.from(rows, (row) => row[i]));
const read = (text) => reading.fromText(text, "network.json");

const calls = {
  basis: (knots, degree, xs, derivative) => xs.map((x) => bspline.basis(knots, degree, x, derivative)),
  uniformKnots: bspline.uniformKnots,
  greville: bspline.greville,
  insertKnot: bspline.insertKnot,
  library: (name, xs) => ["f", "d1"].map((kind) => xs.map((x) => functions.FUNCTIONS[name][kind](x))),
  complexities: () => Object.fromEntries(Object.entries(functions.FUNCTIONS).map(([name, { complexity }]) => [name, complexity])),
  base: (name, xs) => xs.map(functions.BASES[name].f),
  forward: (text, xs) => xs.map((x) => network.at(read(text), x)),
  samples: (text, n) => network.samples(read(text), n).map((column) => [...column]),
  scores: (text, x) => network.look(read(text), columns(x)).scores,
  gradient: (text, x, y, penalty) => {
    const { value, gradients } = network.valueAndGradient(read(text), columns(x), columns(y), penalty);
    return { value, gradient: training.lists(gradients).flat() };
  },
  adam: (text, x, y, nSteps, rate, penalty) => {
    const own = read(text);
    const step = training.adam(own);
    const [given, wanted] = [columns(x), columns(y)];
    for (let n = 0; n < nSteps; n++) step(given, wanted, rate, penalty);
    return training.lists(own.layers).flat();
  },
  halve: (text) => training.halveIntervals(read(text)).layers.map(({ knots, coef, nIntervals }) => ({ knots, coef, nIntervals })),
  pruned: (text, scores, threshold) => training.prune(read(text), scores, threshold).layers.map(({ mask }) => mask),
  named: (text, xs) => {
    const own = read(text);
    const { network: named, fits } = training.nameEdges(own, network.look(own, columns(xs)).values);
    return { outputs: xs.map((x) => network.at(named, x).nodes.at(-1)), names: fits.map(({ name }) => name) };
  },
  fresh: (widths, nIntervals, degree, seed) => training.newNetwork(widths, nIntervals, degree, seed).layers.map(({ coef, w_base, w_spline }) => ({ coef, w_base, w_spline })),
  expression: (text, points) => points.map(expression.read(text, ["x", "y"])),
  suggest: affineFit.suggest,
};

// JSON has no words for these numbers
const spoken = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

const answers = JSON.parse(require("node:fs").readFileSync(0, "utf8")).map(([name, ...given]) => {
  try {
    return calls[name](...given);
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(answers, spoken));
