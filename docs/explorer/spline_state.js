// What part 1 of the page is about, without its pictures: a knot row, the coefficients of a curve on it, and how both may change.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { uniformKnots, curve, greville, insertKnot, clamp } = KAN.bspline;

  const LOW = -1;
  const HIGH = 1; // the grid [a, b]
  const MOST = 2; // a coefficient lies in [-MOST, MOST]
  const MOST_INTERVALS = 30; // that insertion may lead to
  const wave = (x) => 0.9 * Math.sin(2.6 * x) + 0.25 * Math.cos(5 * x);

  const state = { degree: 3, nIntervals: 5, knots: [], coef: [], x: 0.3 };
  // What was last made by hand, as points and coefficients: when degree or intervals change, new coefficients are read off this polygon.
  let made = null;

  const nIntervals = () => state.coef.length - state.degree;
  const ends = () => [state.knots[state.degree], state.knots[state.knots.length - 1 - state.degree]];
  const points = () => greville(state.knots, state.degree);
  const value = (x, derivative = 0) => curve(state.knots, state.degree, state.coef, x, derivative);
  const keep = () => (made = { points: points(), coef: [...state.coef] });

  // The polygon at x; level beyond its ends.
  function polygonAt(x) {
    const above = made.points.findIndex((point) => point >= x);
    if (above <= 0) return made.coef[above === 0 ? 0 : made.coef.length - 1];
    const [p, q] = [made.points[above - 1], made.points[above]];
    const share = (x - p) / (q - p);
    return (1 - share) * made.coef[above - 1] + share * made.coef[above];
  }

  // An evenly spaced row of this degree and number of intervals, with a curve of about the shape of the last one.
  function renew(degree, intervals) {
    Object.assign(state, { degree, nIntervals: intervals, knots: uniformKnots(LOW, HIGH, intervals, degree) });
    state.coef = points().map((x) => clamp(made ? polygonAt(x) : wave(x), -MOST, MOST));
    state.x = clamp(state.x, state.knots[0], state.knots[state.knots.length - 1]);
  }

  function reset() {
    made = null;
    renew(3, 5);
  }

  function setCoef(m, wanted) {
    state.coef[m] = clamp(wanted, -MOST, MOST);
    keep();
  }

  // Why no knot may come to t, or "".
  function refusal(t, write) {
    const [a, b] = ends();
    const times = state.knots.filter((knot) => knot === t).length;
    if (!(t >= a && t <= b)) return `x = ${write(t)} is outside [a, b] = [${write(a)}, ${write(b)}]: move x into the grid first.`;
    if (times >= Math.max(1, state.degree)) {
      return `There ${times === 1 ? "is already one knot" : `are already ${times} knots`} at ${write(t)}: with one more the curve could jump there.`;
    }
    return nIntervals() >= MOST_INTERVALS ? `There are ${MOST_INTERVALS} intervals already: more are too small to see.` : "";
  }

  // One knot more, the curve kept: what was before, the alphas of (B20), and by how much the curve has changed on 501 points.
  function insert(t) {
    const { knots, degree, coef } = state;
    const old = { points: points(), coef };
    const next = insertKnot(knots, degree, coef, t);
    const width = knots[knots.length - 1] - knots[0];
    let apart = 0;
    for (let n = 0; n <= 500; n++) {
      const x = knots[0] + (width * n) / 500;
      apart = Math.max(apart, Math.abs(curve(next.knots, degree, next.coef, x) - value(x)));
    }
    Object.assign(state, { knots: next.knots, coef: next.coef });
    keep();
    return { old, alphas: next.alphas, apart };
  }

  // The middles of all intervals of the grid that are not empty.
  function middles() {
    const [a, b] = ends();
    const inner = state.knots.filter((knot) => knot >= a && knot <= b);
    return inner.slice(1).map((knot, m) => 0.5 * (inner[m] + knot)).filter((_, m) => inner[m + 1] > inner[m]);
  }

  KAN.splineState = { state, MOST, MOST_INTERVALS, nIntervals, ends, points, value, renew, reset, setCoef, refusal, insert, middles };
})(globalThis);
