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
  };

  // c f(a x + b) + d
  const formulaValue = (name, [a, b, c, d], x) => c * FUNCTIONS[name].f(a * x + b) + d;

  KAN.functions = { BASES, FUNCTIONS, formulaValue };
})(globalThis);
