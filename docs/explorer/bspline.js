// B-splines of a knot vector, their derivative, and knot insertion, as in evaluation.py, knots.py and blossom.py of kan_ref.bspline.
// The operations have the same order, so that the values are the same float64 numbers bit for bit (tests/explorer/test_explorer.py).
//
//   (B4)  B_{m,0}(x) = 1 where t_m <= x < t_{m+1}, else 0
//   (B5)  B_{m,d}(x) = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x),   T_{m,d} = B_{m,d-1} / (t_{m+d} - t_m)
//   (B6)  B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
//   (B20)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,   alpha_m = (t - t_m) / (t_{m+k} - t_m) held in [0, 1]
"use strict";

KAN.bspline = (() => {
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  // Evenly spaced knots whose grid is [low, high], with `degree` more on both sides.
  function uniformKnots(low, high, nIntervals, degree) {
    const h = (high - low) / nIntervals;
    const knots = [];
    for (let n = degree; n >= 1; n--) knots.push(low - n * h);
    for (let n = 0; n <= nIntervals; n++) knots.push(n === nIntervals ? high : n * h + low);
    for (let n = 1; n <= degree; n++) knots.push(high + n * h);
    return knots;
  }

  // The interval that owns x, for x within the row: closed on the left, the last that is not empty on both sides.
  function findCell(knots, x) {
    let low = 0;
    let high = knots.length; // the first place whose knot is above x lies in [low, high]
    while (low < high) {
      const middle = (low + high) >> 1;
      if (knots[middle] <= x) low = middle + 1;
      else high = middle;
    }
    let cell = Math.min(low - 1, knots.length - 2);
    while (cell > 0 && !(knots[cell] < knots[cell + 1])) cell--; // only at the right end of the row
    return cell;
  }

  // The degree + 1 B-splines that need not be zero at each number of a column: those from first[b] on have values[b (degree + 1) + r]
  // and slopes likewise. Outside the row all are 0; some may belong to no B-spline of the row (first < 0, or too many at the right end).
  function live(knots, degree, column) {
    const width = degree + 1;
    const last = knots.length - 1;
    const first = new Int32Array(column.length);
    const values = new Float64Array(column.length * width);
    const slopes = new Float64Array(column.length * width);
    const quotients = new Float64Array(width); // T_{m,d}
    for (let b = 0; b < column.length; b++) {
      const x = column[b];
      if (!(x >= knots[0] && x <= knots[last])) continue;
      const cell = findCell(knots, x);
      const at = b * width;
      const left = (d, r) => x - knots[Math.max(cell - d + 1 + r, 0)]; // x - t_m; knots beyond the row are copies of its ends
      const right = (r) => knots[Math.min(cell + 1 + r, last)] - x;
      first[b] = cell - degree;
      values[at] = 1;
      for (let d = 1; d <= degree; d++) {
        for (let r = 0; r < d; r++) quotients[r] = values[at + r] / (right(r) + left(d, r));
        for (let r = 0; d === degree && r < d; r++) {
          slopes[at + r] -= quotients[r] * d;
          slopes[at + r + 1] += quotients[r] * d;
        }
        for (let r = 0; r < d; r++) values[at + r] = right(r) * quotients[r];
        values[at + d] = 0;
        for (let r = 0; r < d; r++) values[at + r + 1] += left(d, r) * quotients[r];
      }
    }
    return { first, values, slopes };
  }

  // All B-splines of the row at x, or their derivatives: knots.length - degree - 1 numbers.
  function basis(knots, degree, x, derivative = 0) {
    const { first, values, slopes } = live(knots, degree, [x]);
    const found = derivative ? slopes : values;
    return Array.from({ length: knots.length - degree - 1 }, (_, m) => found[m - first[0]] ?? 0);
  }

  // sum_m coef_m B_m(x), or its derivative.
  const curve = (knots, degree, coef, x, derivative = 0) => basis(knots, degree, x, derivative).reduce((sum, value, m) => sum + coef[m] * value, 0);

  // Greville points: where the coefficients of a curve are drawn; at degree 0 the middle of each interval.
  function greville(knots, degree) {
    if (degree === 0) return knots.slice(1).map((knot, m) => 0.5 * (knots[m] + knot));
    const points = Array.from({ length: knots.length - degree - 1 }, (_, m) => knots.slice(m + 1, m + degree + 1));
    return points.map((inner) => inner.reduce((sum, knot) => sum + knot / degree, 0));
  }

  // (B20): the knot vector with one more knot, the coefficients of the same curve on it.
  function insertKnot(knots, degree, coef, t) {
    const moved = [];
    for (let m = 0; m <= coef.length; m++) {
      const [low, high] = [knots[m], knots[degree + m]];
      const alpha = t >= high ? 1 : (clamp(t, low, high) - low) / (high > low ? high - low : 1);
      moved.push((1 - alpha) * (m > 0 ? coef[m - 1] : 0) + alpha * (m < coef.length ? coef[m] : 0));
    }
    const place = knots.filter((knot) => knot <= t).length;
    return { knots: [...knots.slice(0, place), t, ...knots.slice(place)], coef: moved };
  }

  return { uniformKnots, live, basis, curve, greville, insertKnot, clamp };
})();
