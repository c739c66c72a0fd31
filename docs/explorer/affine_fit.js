// Which formula c f(a x + b) + d is nearest to an edge: a small search, for networks that come without suggestions of kan_ref's own.
//
// On the range of the samples, z = (x - middle) / half in [-1, 1] and a x + b = A z + B: a lattice of (A, B) is tried for each of a few
// functions, c and d by least squares; from the best place a pattern search walks on, halving its steps. Judged by
// 1 - R^2 = SS_res / SS_tot. It may miss what kan_ref.suggest_symbolic finds, whose search is finer and knows 31 functions.
"use strict";

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
    let meanF = 0;
    for (const value of f) meanF += value / f.length;
    let ff = 0;
    let fy = 0;
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
    let stepA = scales.length > 2 ? 0.2 * Math.abs(best.A) : 0;
    let stepB = shifts.length > 1 ? 0.5 * (shifts[1] - shifts[0]) : 0;
    for (let round = 0; round < 120 && best.miss > 1e-13; round++) {
      const { A, B } = best;
      let moved = false;
      for (const p of [-1, 0, 1]) for (const q of [-1, 0, 1]) if (p || q) moved = offer(at(A + p * stepA, B + q * stepB)) || moved;
      if (!moved) [stepA, stepB] = [stepA / 2, stepB / 2];
    }
    return best;
  }

  // Fits {name, affine: [a, b, c, d], miss}, the best first: a function one more complex must miss by half as much.
  function suggest(x, y) {
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const middle = low / 2 + high / 2;
    const half = high / 2 - low / 2;
    const meanY = y.reduce((sum, value) => sum + value / y.length, 0);
    const total = y.reduce((sum, value) => sum + (value - meanY) ** 2, 0);
    const size = Math.max(...y.map(Math.abs));
    if (!(half > 1e-9 * Math.max(1, Math.abs(middle)))) return []; // a single point: nothing can be told apart
    if (!(total > 1e-24 * size * size * y.length)) return [{ name: "0", affine: [1, 0, 0, meanY], miss: 0 }];
    const z = x.map((value) => (value - middle) / half);
    const fits = [];
    for (const name of Object.keys(CANDIDATES)) {
      const fit = fitOne(name, z, y, meanY, total);
      if (fit === null) continue;
      const a = fit.A / half;
      fits.push({ name, affine: [a, fit.B - a * middle, fit.c, fit.d], miss: fit.miss });
    }
    const price = ({ name, miss }) => Math.log2(Math.max(miss, 1e-12)) + KAN.functions.FUNCTIONS[name].complexity;
    return fits.sort((one, other) => price(one) - price(other));
  }

  KAN.affineFit = { suggest, nCandidates: Object.keys(CANDIDATES).length };
})(globalThis);
