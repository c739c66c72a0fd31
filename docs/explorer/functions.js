// Functions of one variable by their names, the search for the one nearest to an edge, and targets that a reader writes as text.
"use strict";

// The base functions and the library of formulas, as in kan_ref.functions' base_function.py and values.py: outside its domain a
// formula is NaN. `d1` is the derivative where f has a value, `complexity` the library's.
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

  // c f(a x + b) + d
  const formulaValue = (name, [a, b, c, d], x) => c * FUNCTIONS[name].f(a * x + b) + d;

  KAN.functions = { BASES, FUNCTIONS, formulaValue };
})(globalThis);

// Which formula c f(a x + b) + d is nearest to an edge: a small search, for networks that come without suggestions of kan_ref's own.
//
// On the range of the samples, z = (x - middle) / half in [-1, 1] and a x + b = A z + B: a lattice of (A, B) is tried for each of a few
// functions, c and d by least squares; from the best place a pattern search walks on, halving its steps. Judged by
// 1 - R^2 = SS_res / SS_tot. It may miss what kan_ref.suggest_symbolic finds, whose search is finer and knows 31 functions.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const range = (low, high, n) => Array.from({ length: n }, (_, k) => low + ((high - low) * k) / (n - 1));
  const ONE = [1];
  const SCALES = range(Math.log(0.1), Math.log(12), 22).map(Math.exp);
  const SHIFTS = range(-6, 6, 37);
  const LEAST_SCALE = 0.05; // with less, c grows without bound: sin becomes a parabola, whose own name is x^2
  const SIGNED = [...SCALES.map((scale) => -scale), ...SCALES];
  // scales and shifts worth trying: c and d undo what they can (the scale of a power, the shift of an exponential)
  const CANDIDATES = {
    x: [ONE, [0]],
    "x^2": [ONE, SHIFTS],
    "x^3": [ONE, SHIFTS],
    "x^4": [ONE, SHIFTS],
    "1/x": [ONE, range(-8, 8, 64)],
    sqrt: [[-1, 1], range(1, 8, 40)],
    exp: [SIGNED, [0]],
    log: [[-1, 1], range(1.001, 8, 40)],
    abs: [ONE, range(-0.95, 0.95, 39)],
    sin: [SCALES, range(-Math.PI / 2, Math.PI / 2, 13)],
    tanh: [SCALES, SHIFTS],
    arctan: [SCALES, SHIFTS],
    gaussian: [SCALES, SHIFTS],
  };

  // c, d and 1 - R^2 of the best line through (f, y); null where f is not finite.
  function line(f, y, meanY, total) {
    const meanF = f.reduce((sum, value) => sum + value / f.length, 0);
    let [ff, fy] = [0, 0];
    for (let n = 0; n < f.length; n++) {
      ff += (f[n] - meanF) ** 2;
      fy += (f[n] - meanF) * (y[n] - meanY);
    }
    if (!Number.isFinite(ff) || !Number.isFinite(fy)) return null;
    const c = ff > 0 ? fy / ff : 0;
    let rest = 0;
    for (let n = 0; n < f.length; n++) rest += (y[n] - meanY - c * (f[n] - meanF)) ** 2;
    return { c, d: meanY - c * meanF, miss: rest / total };
  }

  function fitOne(name, z, y, meanY, total) {
    const { f } = KAN.functions.FUNCTIONS[name];
    const [scales, shifts] = CANDIDATES[name];
    const at = (A, B) => {
      if (scales.length > 2 && Math.abs(A) < LEAST_SCALE) return null;
      const found = line(z.map((value) => f(A * value + B)), y, meanY, total);
      return found && { ...found, A, B };
    };
    let best = null;
    const offer = (fit) => {
      if (fit && (best === null || fit.miss < best.miss)) best = fit;
      return best === fit;
    };
    for (const A of scales) for (const B of shifts) offer(at(A, B));
    if (best === null) return null;
    let [stepA, stepB] = [scales.length > 2 ? 0.2 * Math.abs(best.A) : 0, shifts.length > 1 ? 0.5 * (shifts[1] - shifts[0]) : 0];
    for (let round = 0; round < 120 && best.miss > 1e-13; round++) {
      const { A, B } = best;
      let moved = false;
      for (const p of [-1, 0, 1]) for (const q of [-1, 0, 1]) if (p || q) moved = offer(at(A + p * stepA, B + q * stepB)) || moved;
      if (!moved) [stepA, stepB] = [stepA / 2, stepB / 2];
    }
    return best;
  }

  const rounded = (sum, terms) => (Math.abs(sum) <= 1e-15 * terms ? 0 : sum); // 0 instead of a rounding error of the terms

  // Fits {name, affine: [a, b, c, d], miss}, the best first: a function one more complex must miss by half as much. Units have no effect.
  function suggest(x, given) {
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const [middle, half] = [low / 2 + high / 2, high / 2 - low / 2];
    const size = Math.max(...given.map(Math.abs)) || 1;
    const y = given.map((value) => value / size);
    const meanY = y.reduce((sum, value) => sum + value / y.length, 0);
    const total = y.reduce((sum, value) => sum + (value - meanY) ** 2, 0);
    if (!(half > 1e-12 * Math.abs(middle))) return []; // a single point: nothing can be distinguished
    if (!(total > 1e-24 * y.length)) return [{ name: "0", affine: [1, 0, 0, size * meanY], miss: 0 }];
    const z = x.map((value) => (value - middle) / half);
    const fits = [];
    for (const name of Object.keys(CANDIDATES)) {
      const fit = fitOne(name, z, y, meanY, total);
      if (fit === null) continue;
      const a = fit.A / half;
      const b = rounded(fit.B - a * middle, Math.abs(fit.B) + Math.abs(a * middle));
      fits.push({ name, affine: [a, b, size * fit.c, size * rounded(fit.d, 1)], miss: fit.miss });
    }
    const price = ({ name, miss }) => Math.log2(Math.max(miss, 1e-12)) + KAN.functions.FUNCTIONS[name].complexity;
    return fits.sort((one, other) => price(one) - price(other));
  }

  KAN.affineFit = { suggest, nCandidates: Object.keys(CANDIDATES).length };
})(globalThis);

// A reader's own target: text such as "exp(sin(pi x) + y^2)" becomes a function of its variables. Nothing of the text is executed:
//
//   sum = product {(+ | -) product}     product = sign {(* | / | nothing) sign}     sign = [+ | -] power
//   power = atom [^ sign]               atom = number | pi | e | variable | function ( sum ) | ( sum )
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const FUNCTIONS = { exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, sin: Math.sin, cos: Math.cos, tan: Math.tan,
    tanh: Math.tanh, arctan: Math.atan, gaussian: (u) => Math.exp(-u * u) };
  const CONSTANTS = { pi: Math.PI, "π": Math.PI, e: Math.E };
  const SAME_AS = { "·": ["*"], "−": ["-"], "**": ["^"], "²": ["^", "2"], "³": ["^", "3"] };
  const MOST_CHARACTERS = 200;

  function tokensOf(text) {
    const [tokens, rest] = [[], text.trimEnd()];
    const pattern = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]+|π|\*\*|[-+*/^()·−²³])/iy;
    while (pattern.lastIndex < rest.length) {
      const at = pattern.lastIndex;
      const match = pattern.exec(rest);
      if (match === null) throw new Error(`cannot read "${rest.slice(at, at + 10)}"`);
      const token = match[1];
      tokens.push(...(Object.hasOwn(SAME_AS, token) ? SAME_AS[token] : [token]));
    }
    return tokens;
  }

  // The function of a list of numbers, one for each of `variables`; an Error says what cannot be read.
  function read(text, variables) {
    if (text.length > MOST_CHARACTERS) throw new Error(`the formula has ${text.length} characters, but may have at most ${MOST_CHARACTERS}`);
    const tokens = tokensOf(text);
    let at = 0;
    const next = (...wanted) => wanted.includes(tokens[at]) && tokens[at++];
    const need = (token) => {
      if (!next(token)) throw new Error(at < tokens.length ? `"${token}" is missing before "${tokens[at]}"` : `"${token}" is missing at the end`);
    };

    function sum() {
      let value = product();
      for (let sign = next("+", "-"); sign; sign = next("+", "-")) {
        const [left, right, factor] = [value, product(), sign === "+" ? 1 : -1];
        value = (x) => left(x) + factor * right(x);
      }
      return value;
    }

    const startsAtom = () => at < tokens.length && /^[\d.a-zπ(]/i.test(tokens[at]);

    function product() {
      let value = sign();
      for (;;) {
        const operator = next("*", "/") || (startsAtom() ? "*" : null);
        if (operator === null) return value;
        const [left, right] = [value, sign()];
        value = operator === "*" ? (x) => left(x) * right(x) : (x) => left(x) / right(x);
      }
    }

    function sign() {
      if (next("-")) {
        const inner = sign();
        return (x) => -inner(x);
      }
      next("+");
      return power();
    }

    function power() {
      const base = atom();
      if (!next("^")) return base;
      const exponent = sign();
      return (x) => Math.pow(base(x), exponent(x));
    }

    function atom() {
      const token = tokens[at];
      if (token === undefined) throw new Error("the formula ends too early");
      at += 1;
      if (/^[\d.]/.test(token)) return () => Number(token);
      if (token === "(") {
        const inner = sum();
        need(")");
        return inner;
      }
      const place = variables.indexOf(token);
      if (place >= 0) return (x) => x[place];
      if (Object.hasOwn(CONSTANTS, token)) return () => CONSTANTS[token];
      if ("+-*/^)".includes(token)) throw new Error(`a number, a name or a bracket is missing before "${token}"`);
      if (!Object.hasOwn(FUNCTIONS, token)) {
        throw new Error(`"${token}" is not known; there are ${variables.join(", ")}, pi, e and ${Object.keys(FUNCTIONS).join(", ")}`);
      }
      need("(");
      const inner = sum();
      need(")");
      return (x) => FUNCTIONS[token](inner(x));
    }

    const value = sum();
    if (at < tokens.length) throw new Error(`"${tokens[at]}" is not expected after "${tokens[at - 1]}"`);
    return value;
  }

  KAN.expression = { read };
})(globalThis);
