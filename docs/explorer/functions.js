// Functions of one variable by their names, the search for the one nearest to an edge, and targets that a reader writes as text.
"use strict";

// The base functions and the library of formulas, as in kan_ref.functions' base_function.py and values.py: outside its domain a
// formula is NaN. `d1` is the derivative where f has a value, `complexity` the library's.
KAN.functions = (() => {
  // (F5): from e^-|x| alone, which cannot overflow
  function sigmoid(x) {
    const u = Math.exp(-Math.abs(x));
    return (x < 0 ? u : 1) / (1 + u);
  }

  const BASES = {
    silu: { f: (x) => x * sigmoid(x), d1: (x) => sigmoid(x) * (1 + x * sigmoid(-x)) },
    identity: { f: (x) => x, d1: () => 1 },
    zero: { f: () => 0, d1: () => 0 },
  };

  function logCosh(u) {
    const size = Math.abs(u);
    return size < 1 ? Math.log1p(2 * Math.sinh(0.5 * size) ** 2) : size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
  }

  const only = (inside, f) => (u) => (inside(u) ? f(u) : NaN);
  const not0 = (f) => only((u) => u !== 0, f);
  const positive = (f) => only((u) => u > 0, f);
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
    sqrt: { f: Math.sqrt, d1: (u) => 0.5 / Math.sqrt(u), complexity: 2 },
    "1/sqrt": { f: positive((u) => 1 / Math.sqrt(u)), d1: (u) => -0.5 / (u * Math.sqrt(u)), complexity: 2 },
    "x^1.5": { f: power(1.5), d1: (u) => 1.5 * Math.sqrt(u), complexity: 4 },
    exp: { f: Math.exp, d1: Math.exp, complexity: 2 },
    log: { f: positive(Math.log), d1: (u) => 1 / u, complexity: 2 },
    abs: { f: Math.abs, d1: Math.sign, complexity: 3 },
    sin: { f: Math.sin, d1: Math.cos, complexity: 2 },
    cos: { f: Math.cos, d1: (u) => -Math.sin(u), complexity: 2 },
    tan: { f: Math.tan, d1: (u) => 1 / Math.cos(u) ** 2, complexity: 3 },
    tanh: { f: Math.tanh, d1: (u) => 1 / Math.cosh(u) ** 2, complexity: 3 },
    cosh: { f: Math.cosh, d1: Math.sinh, complexity: 5 },
    sgn: { f: Math.sign, d1: () => 0, complexity: 3 },
    arcsin: { f: Math.asin, d1: (u) => 1 / Math.sqrt((1 - u) * (1 + u)), complexity: 4 },
    arccos: { f: Math.acos, d1: (u) => -1 / Math.sqrt((1 - u) * (1 + u)), complexity: 4 },
    arctan: { f: Math.atan, d1: (u) => 1 / (1 + u * u), complexity: 4 },
    arctanh: { f: only((u) => Math.abs(u) < 1, Math.atanh), d1: (u) => 1 / ((1 - u) * (1 + u)), complexity: 4 },
    sigmoid: { f: sigmoid, d1: (u) => sigmoid(u) * sigmoid(-u), complexity: 4 },
    gaussian: { f: (u) => Math.exp(-(u * u)), d1: (u) => -2 * u * Math.exp(-(u * u)), complexity: 3 },
    logcosh: { f: logCosh, d1: Math.tanh, complexity: 5 },
    "1/|x|": { f: not0((u) => 1 / Math.abs(u)), d1: (u) => -Math.sign(u) / (u * u), complexity: 3 },
  };

  // c f(a x + b) + d
  const formulaValue = (name, [a, b, c, d], x) => c * FUNCTIONS[name].f(a * x + b) + d;

  return { BASES, FUNCTIONS, formulaValue };
})();

// Which formula c f(a x + b) + d is nearest to an edge: a small search, for networks that come without suggestions of kan_ref's own.
//
// On the range of the samples, z = (x - middle) / half in [-1, 1] and a x + b = A z + B: a lattice of (A, B) is tried for each of a few
// functions, c and d by least squares; from the best place a pattern search walks on, halving its steps. Judged by
// 1 - R^2 = SS_res / SS_tot. It may miss what kan_ref.suggest_symbolic finds, whose search is finer and knows 31 functions.
KAN.affineFit = (() => {
  const range = (low, high, n) => Array.from({ length: n }, (_, k) => low + ((high - low) * k) / (n - 1));
  const mean = (values) => values.reduce((sum, value) => sum + value / values.length, 0);
  const ONE = [1];
  const SCALES = range(Math.log(0.1), Math.log(12), 22).map(Math.exp);
  const SHIFTS = range(-6, 6, 37);
  const LEAST_SCALE = 0.05; // with less, c grows without bound: sin becomes a parabola, whose own name is x^2
  // scales and shifts worth trying: c and d undo what they can (the scale of a power, the shift of an exponential)
  const CANDIDATES = {
    x: [ONE, [0]],
    "x^2": [ONE, SHIFTS],
    "x^3": [ONE, SHIFTS],
    "x^4": [ONE, SHIFTS],
    "1/x": [ONE, range(-8, 8, 64)],
    sqrt: [[-1, 1], range(1, 8, 40)],
    exp: [[...SCALES.map((scale) => -scale), ...SCALES], [0]],
    log: [[-1, 1], range(1.001, 8, 40)],
    abs: [ONE, range(-0.95, 0.95, 39)],
    sin: [SCALES, range(-Math.PI / 2, Math.PI / 2, 13)],
    tanh: [SCALES, SHIFTS],
    arctan: [SCALES, SHIFTS],
    gaussian: [SCALES, SHIFTS],
  };

  // c, d and SS_res of the best line through (f, y); Infinity where f is not finite. The mean of y is 0.
  function line(f, y) {
    const meanF = mean(f);
    let [ff, fy, miss] = [0, 0, 0];
    for (let n = 0; n < f.length; n++) {
      ff += (f[n] - meanF) ** 2;
      fy += (f[n] - meanF) * y[n];
    }
    if (!Number.isFinite(ff)) return { miss: Infinity };
    const c = ff > 0 ? fy / ff : 0;
    for (let n = 0; n < f.length; n++) miss += (y[n] - c * (f[n] - meanF)) ** 2;
    return { c, d: -c * meanF, miss };
  }

  function fitOne(name, z, y) {
    const { f } = KAN.functions.FUNCTIONS[name];
    const [scales, shifts] = CANDIDATES[name];
    let best = { miss: Infinity };
    const walk = (A, B) => {
      if (scales.length > 2 && Math.abs(A) < LEAST_SCALE) return false;
      const found = line(z.map((value) => f(A * value + B)), y);
      if (!(found.miss < best.miss)) return false;
      best = { ...found, A, B };
      return true;
    };
    for (const A of scales) for (const B of shifts) walk(A, B);
    let [stepA, stepB] = [scales.length > 2 ? 0.2 * Math.abs(best.A) : 0, shifts.length > 1 ? 0.5 * (shifts[1] - shifts[0]) : 0];
    for (let round = 0; round < 120 && best.miss > 1e-13 && best.miss < Infinity; round++) {
      const { A, B } = best;
      let moved = false;
      for (const p of [-1, 0, 1]) for (const q of [-1, 0, 1]) if (p || q) moved = walk(A + p * stepA, B + q * stepB) || moved;
      if (!moved) [stepA, stepB] = [stepA / 2, stepB / 2];
    }
    return best;
  }

  const rounded = (sum, terms) => (Math.abs(sum) <= 1e-15 * terms ? 0 : sum); // 0 instead of a rounding error of the terms

  // Fits {name, affine: [a, b, c, d], miss}, the best first: a function one more complex must miss by half as much. Units have no effect.
  function suggest(x, given) {
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const [middle, half] = [(low + high) / 2, (high - low) / 2];
    const middleY = mean(given);
    const centred = given.map((value) => value - middleY);
    const size = Math.hypot(...centred);
    if (!(half > 1e-12 * Math.abs(middle))) return []; // a single point: nothing can be distinguished
    if (!(size > 1e-12 * Math.hypot(...given))) return [{ name: "0", affine: [1, 0, 0, middleY], miss: 0 }];
    const z = x.map((value) => (value - middle) / half);
    const y = centred.map((value) => value / size); // SS_tot is 1
    const fits = Object.keys(CANDIDATES).map((name) => {
      const { A, B, c, d, miss } = fitOne(name, z, y);
      const a = A / half;
      const b = rounded(B - a * middle, Math.abs(B) + Math.abs(a * middle));
      return { name, affine: [a, b, size * c, rounded(middleY + size * d, Math.abs(middleY) + size)], miss };
    });
    const price = ({ name, miss }) => Math.log2(Math.max(miss, 1e-12)) + KAN.functions.FUNCTIONS[name].complexity;
    return fits.filter(({ miss }) => miss < Infinity).sort((one, other) => price(one) - price(other));
  }

  return { suggest, nCandidates: Object.keys(CANDIDATES).length };
})();

// A reader's own target: text such as "exp(sin(pi x) + y^2)" becomes a function of its variables. Nothing of the text is executed.
//
//   operand = [+ | -] operand | number | pi | e | variable | function ( all ) | ( all ), joined by + - * / ^; with nothing between, by *
KAN.expression = (() => {
  const FUNCTIONS = { exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, sin: Math.sin, cos: Math.cos, tan: Math.tan,
    tanh: Math.tanh, arctan: Math.atan, gaussian: (u) => Math.exp(-u * u) };
  const CONSTANTS = { pi: Math.PI, "π": Math.PI, e: Math.E };
  const OPERATORS = {
    "+": [1, (a, b) => a + b],
    "-": [1, (a, b) => a - b],
    "*": [2, (a, b) => a * b],
    "/": [2, (a, b) => a / b],
    "^": [4, Math.pow],
  };
  const SIGN = 3; // -x^2 is -(x^2), and 2^-x is 2^(-x)
  const TOKEN = /(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]+|π|[-+*/^()])\s*/iy;

  function tokensOf(text) {
    const rest = text.trim().replaceAll("**", "^").replaceAll("²", "^2").replaceAll("³", "^3").replaceAll("·", "*").replaceAll("−", "-");
    const tokens = [];
    for (let at = 0; at < rest.length; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(rest);
      if (match === null) throw new Error(`cannot read "${rest.slice(at, at + 10)}"`);
      tokens.push(match[1]);
    }
    return tokens;
  }

  // The function of a list of numbers, one for each of `variables`; an Error says what cannot be read.
  function read(text, variables) {
    const tokens = tokensOf(text);
    const missing = (what) => new Error(`${what} is missing ${tokens.length ? `before "${tokens[0]}"` : "at the end"}`);

    function bracket() {
      if (tokens[0] !== "(") throw missing('"("');
      tokens.shift();
      const inner = joined(1);
      if (tokens[0] !== ")") throw missing('")"');
      tokens.shift();
      return inner;
    }

    function operand() {
      if (tokens[0] === "(") return bracket();
      if (tokens.length === 0 || tokens[0] === ")" || tokens[0] in OPERATORS) throw missing("a number, a name or a bracket");
      const token = tokens.shift();
      if (/^[\d.]/.test(token)) return () => Number(token);
      const place = variables.indexOf(token);
      if (place >= 0) return (x) => x[place];
      if (Object.hasOwn(CONSTANTS, token)) return () => CONSTANTS[token];
      if (!Object.hasOwn(FUNCTIONS, token)) throw new Error(`"${token}" is not known; there are ${variables.join(", ")}, pi, e and ${Object.keys(FUNCTIONS).join(", ")}`);
      const inner = bracket();
      return (x) => FUNCTIONS[token](inner(x));
    }

    // what operators of at least this rank join
    function joined(rank) {
      let value;
      if (tokens[0] === "-" || tokens[0] === "+") {
        const factor = tokens.shift() === "-" ? -1 : 1;
        const inner = joined(SIGN);
        value = (x) => factor * inner(x);
      } else value = operand();
      while (tokens.length && tokens[0] !== ")") {
        const [own, join] = OPERATORS[tokens[0]] ?? OPERATORS["*"];
        if (own < rank) break;
        if (tokens[0] in OPERATORS) tokens.shift();
        const [left, right] = [value, joined(join === Math.pow ? SIGN : own + 1)];
        value = (x) => join(left(x), right(x));
      }
      return value;
    }

    const value = joined(1);
    if (tokens.length) throw new Error(`")" is not expected`);
    return value;
  }

  return { read };
})();
