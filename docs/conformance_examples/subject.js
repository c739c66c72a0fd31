// A conformance subject in JavaScript: B-splines and layers over JSON lines, Node.js alone.
//
//   python -m kan_ref.conformance --program "node docs/conformance_examples/subject.js"
//
// A request is one line, {"id": 7, "method": "basis", "args": {"x": [...], "knots": [...], "degree": 3}}; so is the answer,
// {"id": 7, "result": [[...], ...]} or {"id": 7, "unsupported": true}.
"use strict";

const ratio = (a, b) => (b > 0 ? a / b : 0); // 0/0 := 0

// All B-splines of the knot row t at x: the recursion of Cox and de Boor.
function basisAt(x, t, degree) {
  const intervals = t.slice(0, -1).map((_, m) => m);
  const last = Math.max(...intervals.filter((m) => t[m] < t[m + 1]));
  let b = intervals.map((m) => (Number.isNaN(x) ? NaN : t[m] <= x && x < t[m + 1] ? 1 : 0));
  if (x === t[t.length - 1]) b[last] = 1; // the last interval that is not empty owns its right end too
  for (let d = 1; d <= degree; d++) {
    b = b.slice(0, -1).map((_, m) =>
      ratio(x - t[m], t[m + d] - t[m]) * b[m] + ratio(t[m + d + 1] - x, t[m + d + 1] - t[m + 1]) * b[m + 1]);
  }
  return b;
}

const bases = { silu: (x) => x / (1 + Math.exp(-x)), identity: (x) => x, zero: () => 0 };

// phi_ji(x) = mask_ji (w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x))
function edge(layer, j, i, x, basis) {
  const spline = layer.coef[j][i].reduce((sum, c, m) => sum + c * basis[m], 0);
  return layer.mask[j][i] * (layer.w_base[j][i] * bases[layer.base](x) + layer.w_spline[j][i] * spline);
}

const methods = {
  basis: ({ x, knots, degree }) => x.map((at) => basisAt(at, knots, degree)),
  layer_forward: ({ layer, x }) => x.map((sample) => {
    const rows = sample.map((at, i) => basisAt(at, layer.knots[i], layer.degree));
    return layer.coef.map((_, j) => sample.reduce((sum, at, i) => sum + edge(layer, j, i, at, rows[i]), 0));
  }),
};

// JSON has no words for these numbers
const spoken = (key, value) =>
  typeof value === "number" && !Number.isFinite(value) ? (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity") : value;

const heard = (key, value) => (["NaN", "Infinity", "-Infinity"].includes(value) ? Number(value) : value);

function answer({ id, method, args }) {
  if (method === "hello") return { result: { name: "example in JavaScript", version: process.version } };
  if (!(method in methods)) return { id, unsupported: true };
  try {
    return { id, result: methods[method](args) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line, heard)), spoken) + "\n");
});
