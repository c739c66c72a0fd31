// The picture of the basis functions: one line each, their sum, the knots below, and the support of the selected basis function.
"use strict";

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
