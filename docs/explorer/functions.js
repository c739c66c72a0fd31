// The base functions and the library of formulas, as in kan_ref.functions' base_function.py and values.py: outside its domain a
// formula is NaN. `d1` is the derivative where f has a value, `complexity` the library's.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  // (F5): from e^-|x| alone, which cannot overflow
  function sigmoid(x) {
    const u = Math.exp(-Math.abs(x));
    return (x < 0 ? u : 1) / (1 + u);
  }

  const BASES = { silu: (x) => x * sigmoid(x), identity: (x) => x, zero: () => 0 };

  function logCosh(u) {
    const size = Math.abs(u);
    return size < 1 ? Math.log1p(2 * Math.sinh(0.5 * size) ** 2) : size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
  }

  const only = (inside, f) => (u) => (inside(u) ? f(u) : NaN);
  const not0 = (f) => only((u) => u !== 0, f);
  const positive = (f) => only((u) => u > 0, f);
  const atLeast0 = (f) => only((u) => u >= 0, f);
  const inUnit = (f) => only((u) => u >= -1 && u <= 1, f);
  const power = (n) => (u) => Math.pow(u, n);

  const FUNCTIONS = {
    "0": { f: () => 0, d1: () => 0, complexity: 0 },
    x: { f: (u) => u, d1: () => 1, complexity: 1 },
    "x^2": { f: (u) => u * u, d1: (u) => 2 * u, complexity: 2 },
    "x^3": { f: power(3), d1: (u) => 3 * u * u, complexity: 3 },
    "x^4": { f: power(4), d1: (u) => 4 * u ** 3, complexity: 3 },
    "x^5": { f: power(5), d1: (u) => 5 * u ** 4, complexity: 3 },
    "1/x": { f: not0((u) => 1 / u), d1: (u) => -1 / (u * u), complexity: 2 },
    "1/x^2": { f: not0(power(-2)), d1: (u) => -2 / u ** 3, complexity: 2 },
    "1/x^3": { f: not0(power(-3)), d1: (u) => -3 / u ** 4, complexity: 3 },
    "1/x^4": { f: not0(power(-4)), d1: (u) => -4 / u ** 5, complexity: 4 },
    "1/x^5": { f: not0(power(-5)), d1: (u) => -5 / u ** 6, complexity: 5 },
    sqrt: { f: atLeast0(Math.sqrt), d1: (u) => 0.5 / Math.sqrt(u), complexity: 2 },
    "1/sqrt": { f: positive((u) => 1 / Math.sqrt(u)), d1: (u) => -0.5 / (u * Math.sqrt(u)), complexity: 2 },
    "x^1.5": { f: atLeast0(power(1.5)), d1: (u) => 1.5 * Math.sqrt(u), complexity: 4 },
    exp: { f: Math.exp, d1: Math.exp, complexity: 2 },
    log: { f: positive(Math.log), d1: (u) => 1 / u, complexity: 2 },
    abs: { f: Math.abs, d1: Math.sign, complexity: 3 },
    sin: { f: Math.sin, d1: Math.cos, complexity: 2 },
    cos: { f: Math.cos, d1: (u) => -Math.sin(u), complexity: 2 },
    tan: { f: Math.tan, d1: (u) => 1 / Math.cos(u) ** 2, complexity: 3 },
    tanh: { f: Math.tanh, d1: (u) => 1 / Math.cosh(u) ** 2, complexity: 3 },
    cosh: { f: Math.cosh, d1: Math.sinh, complexity: 5 },
    sgn: { f: Math.sign, d1: () => 0, complexity: 3 },
    arcsin: { f: inUnit(Math.asin), d1: (u) => 1 / Math.sqrt((1 - u) * (1 + u)), complexity: 4 },
    arccos: { f: inUnit(Math.acos), d1: (u) => -1 / Math.sqrt((1 - u) * (1 + u)), complexity: 4 },
    arctan: { f: Math.atan, d1: (u) => 1 / (1 + u * u), complexity: 4 },
    arctanh: { f: only((u) => Math.abs(u) < 1, Math.atanh), d1: (u) => 1 / ((1 - u) * (1 + u)), complexity: 4 },
    sigmoid: { f: sigmoid, d1: (u) => sigmoid(u) * sigmoid(-u), complexity: 4 },
    gaussian: { f: (u) => Math.exp(-(u * u)), d1: (u) => -2 * u * Math.exp(-(u * u)), complexity: 3 },
    logcosh: { f: logCosh, d1: Math.tanh, complexity: 5 },
    "1/|x|": { f: not0((u) => 1 / Math.abs(u)), d1: (u) => -Math.sign(u) / (u * u), complexity: 3 },
  };

  // Composed functions: "log(x^2)" is the logarithm of the square, as in kan_ref.functions' library.py. A name is read by this grammar
  // alone, and looked up; nothing of it is run.
  const MOST_PARTS = 6;
  const GRID = [];
  for (let n = -2400; n <= 2400; n++) GRID.push(0.005 * n);
  for (let n = 0; n <= 560; n++) GRID.push(-(10 ** (-6 + n / 40)), 10 ** (-6 + n / 40));
  GRID.sort((one, other) => one - other);
  const known = new Map();

  // The functions of a composed name, the outermost first; null if it is none.
  function partsOf(name) {
    const names = name.split("(");
    const closing = ")".repeat(names.length - 1);
    const last = names[names.length - 1];
    if (names.length < 2 || names.length > MOST_PARTS || !last.endsWith(closing)) return null;
    names[names.length - 1] = last.slice(0, last.length - closing.length);
    return names.every((part) => Object.hasOwn(FUNCTIONS, part) && part !== "0" && part !== "x") ? names : null;
  }

  // { f, d1, complexity } of a function by its name, composed or not; undefined if there is none.
  function find(name) {
    if (Object.hasOwn(FUNCTIONS, name)) return FUNCTIONS[name];
    if (!known.has(name)) known.set(name, composed(name));
    return known.get(name);
  }

  function composed(name) {
    const names = partsOf(name);
    if (names === null) return undefined;
    const parts = names.map((part) => FUNCTIONS[part]);
    // every function within it must have an interval too
    for (let first = parts.length - 2; first >= 0; first--) {
      const f = (u) => parts.slice(first).reduceRight((value, part) => part.f(value), u);
      const defined = GRID.map((u) => !Number.isNaN(f(u)));
      if (!defined.some((here, n) => n > 0 && here && defined[n - 1])) return undefined;
    }
    const f = (u) => {
      let value = u;
      for (let n = parts.length - 1; n >= 0; n--) value = parts[n].f(value);
      return value;
    };
    // the chain rule, from the inside on
    const d1 = (u) => {
      let [value, slope] = [u, 1];
      for (let n = parts.length - 1; n >= 0; n--) [value, slope] = [parts[n].f(value), parts[n].d1(value) * slope];
      return slope;
    };
    return { f, d1, complexity: parts.reduce((sum, part) => sum + part.complexity, 0) };
  }

  // c f(a x + b) + d
  const formulaValue = (name, [a, b, c, d], x) => c * find(name).f(a * x + b) + d;

  KAN.functions = { BASES, FUNCTIONS, find, formulaValue, partsOf };
})(globalThis);
