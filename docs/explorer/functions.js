// The base functions and the library of formulas, as in kan_ref.functions' base_function.py and values.py: outside its domain a
// formula is NaN. `complexity` is the library's.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  // (F5): from e^-|x| alone, which cannot overflow
  function sigmoid(x) {
    const u = Math.exp(-Math.abs(x));
    return (x < 0 ? u : 1) / (1 + u);
  }

  const BASES = { silu: (x) => x * sigmoid(x), identity: (x) => x, zero: () => 0 };

  const only = (inside, f) => (u) => (inside(u) ? f(u) : NaN);
  const not0 = (f) => only((u) => u !== 0, f);
  const positive = (f) => only((u) => u > 0, f);
  const atLeast0 = (f) => only((u) => u >= 0, f);
  const inUnit = (f) => only((u) => u >= -1 && u <= 1, f);
  const power = (n) => (u) => Math.pow(u, n);

  const FUNCTIONS = {
    "0": { f: () => 0, complexity: 0 },
    x: { f: (u) => u, complexity: 1 },
    "x^2": { f: (u) => u * u, complexity: 2 },
    "x^3": { f: power(3), complexity: 3 },
    "x^4": { f: power(4), complexity: 3 },
    "x^5": { f: power(5), complexity: 3 },
    "1/x": { f: not0((u) => 1 / u), complexity: 2 },
    "1/x^2": { f: not0(power(-2)), complexity: 2 },
    "1/x^3": { f: not0(power(-3)), complexity: 3 },
    "1/x^4": { f: not0(power(-4)), complexity: 4 },
    "1/x^5": { f: not0(power(-5)), complexity: 5 },
    sqrt: { f: atLeast0(Math.sqrt), complexity: 2 },
    "1/sqrt": { f: positive((u) => 1 / Math.sqrt(u)), complexity: 2 },
    "x^1.5": { f: atLeast0(power(1.5)), complexity: 4 },
    exp: { f: Math.exp, complexity: 2 },
    log: { f: positive(Math.log), complexity: 2 },
    abs: { f: Math.abs, complexity: 3 },
    sin: { f: Math.sin, complexity: 2 },
    cos: { f: Math.cos, complexity: 2 },
    tan: { f: Math.tan, complexity: 3 },
    tanh: { f: Math.tanh, complexity: 3 },
    cosh: { f: Math.cosh, complexity: 5 },
    sgn: { f: Math.sign, complexity: 3 },
    arcsin: { f: inUnit(Math.asin), complexity: 4 },
    arccos: { f: inUnit(Math.acos), complexity: 4 },
    arctan: { f: Math.atan, complexity: 4 },
    arctanh: { f: only((u) => Math.abs(u) < 1, Math.atanh), complexity: 4 },
    sigmoid: { f: sigmoid, complexity: 4 },
    gaussian: { f: (u) => Math.exp(-(u * u)), complexity: 3 },
  };

  // c f(a x + b) + d
  const formulaValue = (name, [a, b, c, d], x) => c * FUNCTIONS[name].f(a * x + b) + d;

  KAN.functions = { BASES, FUNCTIONS, formulaValue };
})(globalThis);
