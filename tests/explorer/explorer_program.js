// Runs the explorer's own scripts under node: `node explorer_program.js FOLDER`, requests as one JSON list on standard input,
// [[function, ...arguments], ...], answers as one JSON list on standard output; what is thrown becomes {"error": sentence}.
"use strict";

const path = require("node:path");
const folder = process.argv[2];
for (const name of ["bspline", "functions", "json", "read_network", "network", "affine_fit", "diagram", "example"]) require(path.resolve(folder, `${name}.js`));
const { bspline, functions, reading, network, affineFit } = globalThis.KAN;

const calls = {
  basis: (knots, degree, xs, derivative) => xs.map((x) => bspline.basis(knots, degree, x, derivative)),
  curve: (knots, degree, coef, xs, derivative) => xs.map((x) => bspline.curve(knots, degree, coef, x, derivative)),
  uniformKnots: (...given) => bspline.uniformKnots(...given),
  greville: (...given) => bspline.greville(...given),
  insertKnot: (...given) => bspline.insertKnot(...given),
  formula: (name, xs) => xs.map((x) => functions.find(name).f(x)),
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
  suggest: (xs, ys) => affineFit.suggest(xs, ys),
  examples: () => globalThis.KAN.examples.map(({ title, document }) => ({ title, widths: reading.fromDocument(document).widths })),
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
