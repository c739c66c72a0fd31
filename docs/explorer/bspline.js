// B-splines of a knot vector, their derivatives, and knot insertion, as in evaluation.py, knots.py and blossom.py of kan_ref.bspline.
// The operations have the same order, so that both give the same float64 numbers bit for bit (tests/explorer/test_explorer.py).
//
//   (B4)  B_{m,0}(x) = 1 where t_m <= x < t_{m+1}, else 0
//   (B5)  B_{m,d}(x) = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x),   T_{m,d} = B_{m,d-1} / (t_{m+d} - t_m)
//   (B6)  B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
//   (B20)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,   alpha_m = (t - t_m) / (t_{m+k} - t_m) held in [0, 1]
//
// A classic script: it adds to the one global name KAN, in a browser (also from file://) and under node.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});

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

  // Whether x lies within the row, its ends included.
  const within = (knots, x) => x >= knots[0] && x <= knots[knots.length - 1];

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

  // (B6) of the d quotients, into the first d + 1 numbers of `plane`.
  function differentiate(plane, quotients) {
    const d = quotients.length;
    for (let r = 0; r < d; r++) plane[r] = -quotients[r];
    plane[d] = 0;
    for (let r = 0; r < d; r++) plane[r + 1] += quotients[r];
    for (let r = 0; r <= d; r++) plane[r] *= d;
  }

  // The degree + 1 numbers that need not be zero at x: of the B-splines first, first + 1, ..., or of a derivative of them.
  // Outside the row all are 0; some may belong to no B-spline of the row (first < 0, or too many at the right end).
  function live(knots, degree, x, derivative = 0) {
    const values = new Array(degree + 1).fill(0);
    const last = knots.length - 1;
    if (!within(knots, x)) return { first: 0, values };
    const cell = findCell(knots, x);
    const t = (m) => knots[clamp(m, 0, last)]; // knots beyond the row are copies of its ends
    const left = (d, r) => x - t(cell - d + 1 + r); // x - t_m, r = 0, ..., d - 1
    const right = (r) => t(cell + 1 + r) - x;
    const quotientsOf = (lower, d) => lower.slice(0, d).map((value, r) => value / (right(r) + left(d, r))); // T_{m,d}

    values[0] = 1;
    const plane = new Array(degree + 1).fill(0);
    for (let d = 1; d <= degree; d++) {
      const quotients = quotientsOf(values, d);
      if (d === degree - derivative + 1) differentiate(plane, quotients);
      else if (d > degree - derivative + 1) differentiate(plane, quotientsOf(plane, d));
      for (let r = 0; r < d; r++) values[r] = right(r) * quotients[r];
      values[d] = 0;
      for (let r = 0; r < d; r++) values[r + 1] += left(d, r) * quotients[r];
    }
    return { first: cell - degree, values: derivative === 0 ? values : plane };
  }

  // `live` for a whole column of numbers, values and first derivatives together, without an array of their own for each number:
  // 4 times as fast. first[b], values[b (degree + 1) + r], slopes likewise.
  function liveColumn(knots, degree, column) {
    const width = degree + 1;
    const last = knots.length - 1;
    const first = new Int32Array(column.length);
    const values = new Float64Array(column.length * width);
    const slopes = new Float64Array(column.length * width);
    const quotients = new Float64Array(width);
    for (let b = 0; b < column.length; b++) {
      const x = column[b];
      if (!within(knots, x)) continue;
      const cell = findCell(knots, x);
      const at = b * width;
      first[b] = cell - degree;
      values[at] = 1;
      for (let d = 1; d <= degree; d++) {
        for (let r = 0; r < d; r++) {
          const right = knots[Math.min(cell + 1 + r, last)] - x;
          const left = x - knots[Math.max(cell - d + 1 + r, 0)];
          quotients[r] = values[at + r] / (right + left);
        }
        if (d === degree) {
          for (let r = 0; r < d; r++) slopes[at + r] = -quotients[r] * d;
          for (let r = 0; r < d; r++) slopes[at + r + 1] += quotients[r] * d;
        }
        for (let r = 0; r < d; r++) values[at + r] = (knots[Math.min(cell + 1 + r, last)] - x) * quotients[r];
        values[at + d] = 0;
        for (let r = 0; r < d; r++) values[at + r + 1] += (x - knots[Math.max(cell - d + 1 + r, 0)]) * quotients[r];
      }
    }
    return { first, values, slopes };
  }

  // All B-splines of the row at x, or a derivative of them: knots.length - degree - 1 numbers.
  function basis(knots, degree, x, derivative = 0) {
    const all = new Array(knots.length - degree - 1).fill(0);
    const { first, values } = live(knots, degree, x, derivative);
    values.forEach((value, r) => {
      if (first + r >= 0 && first + r < all.length) all[first + r] = value;
    });
    return all;
  }

  // sum_m coef_m B_m(x), or a derivative of it.
  function curve(knots, degree, coef, x, derivative = 0) {
    const { first, values } = live(knots, degree, x, derivative);
    let sum = 0;
    values.forEach((value, r) => {
      if (first + r >= 0 && first + r < coef.length) sum += coef[first + r] * value;
    });
    return sum;
  }

  // Greville points: where the coefficients of a curve are drawn; at degree 0 the middle of each interval.
  function greville(knots, degree) {
    const points = [];
    for (let m = 0; m + degree + 1 < knots.length; m++) {
      let sum = 0;
      for (let n = 1; n <= degree; n++) sum += knots[m + n] / degree;
      points.push(degree === 0 ? 0.5 * knots[m] + 0.5 * knots[m + 1] : sum);
    }
    return points;
  }

  // (B20): the knot vector with one more knot, the coefficients of the same curve on it, and the alphas.
  function insertKnot(knots, degree, coef, t) {
    const moved = [];
    const alphas = [];
    for (let m = 0; m <= coef.length; m++) {
      const low = knots[m];
      const high = knots[degree + m];
      const alpha = t >= high ? 1 : (clamp(t, low, high) - low) / (high > low ? high - low : 1);
      alphas.push(alpha);
      moved.push((1 - alpha) * (m > 0 ? coef[m - 1] : 0) + alpha * (m < coef.length ? coef[m] : 0));
    }
    const place = knots.filter((knot) => knot <= t).length;
    return { knots: [...knots.slice(0, place), t, ...knots.slice(place)], coef: moved, alphas };
  }

  KAN.bspline = { uniformKnots, live, liveColumn, basis, curve, greville, insertKnot, clamp };
})(globalThis);
