// The state of part 1 of the page, and its pictures: basis functions, the curve with its coefficients, and the derivative.
"use strict";

// What part 1 of the page is about, without its pictures: a knot row, the coefficients of a curve on it, and how both may change.
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

// The picture of the basis functions: one line each, their sum, the knots below, and the support of the selected basis function.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, set, format, pathOf, grid, plot, subscript, byId } = KAN.draw;
  const { state, ends } = KAN.splineState;

  const N_POINTS = 420;

  // The range of x of all pictures of part 1: the whole row.
  function reachX() {
    const [first, last] = [state.knots[0], state.knots[state.knots.length - 1]];
    const air = 0.03 * (last - first);
    return [first - air, last + air];
  }

  const places = () => grid(...reachX(), N_POINTS, state.knots);

  function shadeGrid(chart) {
    const [left, right] = ends().map(chart.x);
    chart.body.append(svg("rect", { class: "inside", x: left, width: right - left, y: chart.inner.y, height: chart.inner.height }));
  }

  // A line at the chosen x; what is returned moves it there.
  function addCursor(chart) {
    const line = svg("line", { class: "cursor", y1: chart.inner.y, y2: chart.inner.y + chart.inner.height });
    chart.body.append(line);
    return () => set(line, { x1: chart.x(state.x), x2: chart.x(state.x) });
  }

  // Redraws everything. Calls `point(m)` when the pointer is on basis function m, and `point(null)` when it is on none. Returns {mark, moveCursor}.
  function draw(holder, point) {
    const { knots, degree } = state;
    const label = "The B-splines, their sum, and the knots";
    const chart = plot(holder, { width: holder.clientWidth, height: 250, xDomain: reachX(), yDomain: [-0.03, 1.12], label, bottom: 56, xAxis: false });
    shadeGrid(chart);
    const xs = places();
    const columns = xs.map((x) => KAN.bspline.basis(knots, degree, x));
    const sums = columns.map((all) => all.reduce((sum, value) => sum + value, 0));
    chart.body.append(svg("path", { class: "sum", d: pathOf(xs, sums, chart.x, chart.y) }));
    const lines = state.coef.map((_, m) => pathOf(...onSupport(xs, columns, m), chart.x, chart.y));
    const shapes = lines.map((d, m) => svg("path", { class: `basis colour-${m % 7}`, d, "data-m": m }));
    const targets = lines.map((d, m) => {
      const target = svg("path", { class: "basis-target", d });
      target.addEventListener("pointerenter", () => point(m));
      target.addEventListener("pointerdown", () => point(m));
      target.addEventListener("pointerleave", () => point(null));
      return target;
    });
    chart.body.append(...shapes, ...targets);
    const moveCursor = addCursor(chart);
    const { bar, dots } = drawKnots(chart);

    function mark(m) {
      shapes.forEach((shape, n) => {
        shape.classList.toggle("chosen", n === m);
        shape.classList.toggle("faded", m !== null && n !== m);
      });
      const last = m === null ? -1 : m + degree + 1;
      dots.forEach((dot, n) => dot.classList.toggle("chosen", m !== null && n >= m && n <= last));
      set(bar, m === null ? { width: 0 } : { x: chart.x(knots[m]) - 6, width: chart.x(knots[last]) - chart.x(knots[m]) + 12 });
      byId("bases-say").textContent = m === null
        ? "Point at a basis function, or move to a coefficient below, to see where it is nonzero."
        : `B${subscript(m)} is nonzero between the knots t${subscript(m)} = ${format(knots[m])} and t${subscript(last)} = ${format(knots[last])}; its coefficient is c${subscript(m)} = ${format(state.coef[m])}.`;
    }
    return { mark, moveCursor };
  }

  // A basis is drawn where it is not zero, from knot to knot.
  function onSupport(xs, columns, m) {
    const [low, high] = [state.knots[m], state.knots[m + state.degree + 1]];
    const air = 2e-9 * (state.knots[state.knots.length - 1] - state.knots[0]);
    const kept = xs.map((_, n) => n).filter((n) => xs[n] >= low - air && xs[n] <= high + air);
    return [kept.map((n) => xs[n]), kept.map((n) => columns[n][m])];
  }

  function drawKnots(chart) {
    const { knots, degree } = state;
    const y = chart.y.range[0] + 16;
    const bar = svg("rect", { class: "support", y: y - 6, height: 12, rx: 6, width: 0 });
    const row = svg("g", { class: "knots", role: "img", "aria-label": `Knots: ${knots.map((knot) => format(knot, 3)).join(", ")}` });
    row.append(svg("line", { x1: chart.x.range[0], x2: chart.x.range[1], y1: y, y2: y, class: "tick" }), bar);
    const dots = knots.map((knot, m) => {
      const before = knots.slice(0, m).filter((other) => other === knot).length; // a repeated knot is stacked
      const outer = m < degree || m > knots.length - 1 - degree;
      const dot = svg("circle", { cx: chart.x(knot), cy: y - 8 * before, r: 4, class: outer ? "knot outer" : "knot" });
      dot.append(svg("title", {}, `t${subscript(m)} = ${format(knot)}${outer ? ", outside [a, b]" : ""}`));
      return dot;
    });
    row.append(...dots);
    const [a, b] = ends();
    const apart = chart.x(b) - chart.x(a) > 90;
    row.append(svg("text", { x: chart.x(a), y: y + 22, "text-anchor": apart ? "middle" : "end" }, `a = ${format(a)}`));
    row.append(svg("text", { x: chart.x(b), y: y + 22, "text-anchor": apart ? "middle" : "start" }, `b = ${format(b)}`));
    const [first, last] = [knots[0], knots[knots.length - 1]];
    if (chart.x(a) - chart.x(first) > 80) {
      row.append(svg("text", { x: chart.x(first), y: y + 22, "text-anchor": "middle" }, format(first, 3)));
      row.append(svg("text", { x: chart.x(last), y: y + 22, "text-anchor": "middle" }, format(last, 3)));
    }
    chart.root.append(row);
    return { bar, dots };
  }

  KAN.basesPicture = { draw, reachX, places, shadeGrid, addCursor };
})(globalThis);

// The picture of a curve with one handle for each coefficient, to be moved by pointer or keys, and the picture of its derivative.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, set, format, pathOf, plot, reach } = KAN.draw;
  const { reachX, places, shadeGrid, addCursor } = KAN.basesPicture;
  const { state, MOST, points, value, setCoef } = KAN.splineState;

  const STEP = 0.05;

  // Draws axes, lines and handles. `calls`: point(m or null), moved(m) after a coefficient has changed, locked() while none may.
  function draw(holder, focused, calls) {
    const label = "The curve, with one handle for each coefficient";
    const chart = plot(holder, { width: holder.clientWidth, height: 260, xDomain: reachX(), yDomain: [-MOST - 0.25, MOST + 0.25], label });
    shadeGrid(chart);
    const xs = places();
    const lines = { ghost: svg("path", { class: "polygon ghost" }), polygon: svg("path", { class: "polygon" }), curve: svg("path", { class: "curve" }) };
    chart.body.append(...Object.values(lines));
    const moveCursor = addCursor(chart);
    const group = svg("g", { role: "group", "aria-label": "coefficients", "aria-describedby": "handles-help" });
    const handles = state.coef.map((_, m) => makeHandle(m));
    group.append(...handles);
    chart.root.append(group);

    function makeHandle(m) {
      const handle = svg("g", {
        class: "handle", role: "slider", tabindex: m === focused ? 0 : -1, "aria-label": `coefficient c_${m}`,
        "aria-orientation": "vertical", "aria-valuemin": -MOST, "aria-valuemax": MOST, "data-m": m,
      });
      handle.append(svg("circle", { r: 14, class: "touch" }), svg("circle", { r: 6.5, class: `dot colour-${m % 7}` }));
      let grip = null; // how far from the handle's middle the pointer took hold
      const change = (wanted) => {
        setCoef(m, wanted);
        calls.moved(m);
      };
      handle.addEventListener("pointerdown", (event) => {
        if (calls.locked()) return;
        handle.setPointerCapture(event.pointerId);
        grip = pointed(event) - state.coef[m];
        focus(m);
        event.preventDefault();
      });
      handle.addEventListener("pointermove", (event) => grip !== null && change(pointed(event) - grip));
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) handle.addEventListener(end, () => (grip = null));
      handle.addEventListener("pointerenter", () => calls.point(m));
      handle.addEventListener("pointerleave", () => grip === null && calls.point(document.activeElement === handle ? m : null));
      handle.addEventListener("focus", () => calls.point(m));
      handle.addEventListener("blur", () => calls.point(null));
      handle.addEventListener("keydown", (event) => pressed(event, m, change));
      return handle;
    }

    const pointed = (event) => chart.y.back(event.clientY - chart.root.getBoundingClientRect().top);

    function pressed(event, m, change) {
      const step = event.shiftKey ? 5 * STEP : STEP;
      const last = handles.length - 1;
      const moves = { ArrowUp: step, ArrowDown: -step, PageUp: 0.5, PageDown: -0.5 };
      const others = { ArrowRight: Math.min(m + 1, last), ArrowLeft: Math.max(m - 1, 0), Home: 0, End: last };
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (Object.hasOwn(others, event.key)) focus(others[event.key]);
      else if (!Object.hasOwn(moves, event.key)) return;
      else if (!calls.locked()) change(Math.round((state.coef[m] + moves[event.key]) * 1e6) / 1e6);
      event.preventDefault();
    }

    function focus(m) {
      handles.forEach((handle, n) => handle.setAttribute("tabindex", n === m ? 0 : -1));
      handles[m].focus({ preventScroll: true });
    }

    // The curve as it is now; handles at `shown` = {points, coef}, which differ from the curve's own while they slide.
    function update(shown) {
      set(lines.curve, { d: pathOf(xs, xs.map((x) => value(x)), chart.x, chart.y) });
      set(lines.polygon, { d: pathOf(shown.points, shown.coef, chart.x, chart.y) });
      handles.forEach((handle, m) =>
        set(handle, {
          transform: `translate(${chart.x(shown.points[m]).toFixed(2)} ${chart.y(shown.coef[m]).toFixed(2)})`,
          "aria-valuenow": state.coef[m].toFixed(3),
          "aria-valuetext": format(state.coef[m]),
        }));
    }

    const ghost = (old) => set(lines.ghost, { d: old ? pathOf(old.points, old.coef, chart.x, chart.y) : "" });
    const mark = (m) => handles.forEach((handle, n) => handle.classList.toggle("chosen", n === m));
    return { update, ghost, mark, moveCursor, settled: () => ({ points: points(), coef: state.coef }) };
  }

  // The derivative; drawn anew at every change, because its scale follows. Returns what moves its cursor.
  function drawSlope(holder) {
    const xs = places();
    const slopes = xs.map((x) => value(x, 1));
    const label = "The derivative of the curve";
    const chart = plot(holder, { width: holder.clientWidth, height: 150, xDomain: reachX(), yDomain: reach([...slopes, -1, 1]), label, yTicks: 3 });
    shadeGrid(chart);
    chart.body.append(svg("path", { class: "slope", d: pathOf(xs, slopes, chart.x, chart.y) }));
    return addCursor(chart);
  }

  KAN.curvePicture = { draw, drawSlope };
})(globalThis);
