// Parts 1 and 2 of the page at work: basis functions with a curve, and one edge with this spline.
"use strict";

// Part 1 of the page at work: sliders, handles and buttons on one side, the two pictures on the other, and knots that slide in.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { format, formatSmall, subscript, set, whenResized, byId, reducedMotion } = KAN.draw;
  const { clamp, basis } = KAN.bspline;
  const spline = KAN.splineState;
  const { state } = spline;

  const shown = (number) => format(number, 4, 1); // knots and coefficients have the size 1
  const MILLISECONDS = 900; // of an insertion

  let bases = null;
  let curve = null;
  let moveSlopeCursor = null;
  let moving = null; // the insertion that is being shown: {handles()}
  const listeners = [];

  function point(m) {
    bases.mark(m);
    curve.mark(m);
  }

  function drawAll() {
    const held = document.activeElement && document.activeElement.closest(".handle");
    const focused = clamp(held ? Number(held.dataset.m) : 0, 0, state.coef.length - 1);
    bases = KAN.basesPicture.draw(byId("bases-plot"), point);
    const moved = (m) => {
      update();
      point(m);
    };
    curve = KAN.curvePicture.draw(byId("curve-plot"), focused, { point, moved, locked: () => moving !== null });
    point(null);
    update();
    const outer = state.degree > 0 ? `, ${2 * state.degree} of them outside [a, b]` : "";
    byId("count").textContent =
      `${spline.nIntervals()} interval${spline.nIntervals() === 1 ? "" : "s"} + degree ${state.degree} = ${state.coef.length} basis function${state.coef.length === 1 ? "" : "s"}, on ${state.knots.length} knots${outer}.`;
    byId("degree-value").textContent = state.degree;
    byId("intervals-value").textContent = spline.nIntervals();
  }

  function update() {
    curve.update(moving ? moving.handles() : curve.settled());
    moveSlopeCursor = KAN.curvePicture.drawSlope(byId("slope-plot"));
    updateCursor();
    listeners.forEach((listener) => listener());
  }

  function updateCursor() {
    [bases.moveCursor, curve.moveCursor, moveSlopeCursor].forEach((move) => move());
    const values = basis(state.knots, state.degree, state.x);
    const nonzero = values.map((value, m) => `B${subscript(m)} = ${format(value, 3)}`).filter((_, m) => values[m] !== 0);
    const sum = values.reduce((total, value) => total + value, 0);
    const at = shown(state.x);
    byId("at-value").textContent = at;
    byId("at").setAttribute("aria-valuetext", `x = ${at}`);
    byId("curve-say").textContent =
      `At x = ${at}: ${nonzero.join(", ") || "all basis functions are 0"}. Sum ${format(sum)}; curve ${shown(spline.value(state.x))}, derivative ${shown(spline.value(state.x, 1))}.`;
  }

  // --- knots that slide in

  function insert(t, done = () => {}) {
    if (moving) return;
    const no = spline.refusal(t, format);
    if (no) {
      byId("insert-say").textContent = no;
      return;
    }
    const before = state.coef.length;
    const { old, alphas, apart } = spline.insert(t);
    byId("insert-say").textContent =
      `Knot inserted at ${format(t)}: ${state.coef.length} coefficients instead of ${before}; the curve is the same (largest change ${formatSmall(apart)}).`;
    drawAll();
    if (reducedMotion()) done();
    else slide(old, alphas, done);
  }

  // Every new handle starts at an old one and slides along that leg of the old polygon to the place that (B20) gives it.
  function slide(old, alphas, done) {
    const goal = curve.settled();
    const start = alphas.map((alpha, m) => clamp(alpha === 1 ? m : m - 1, 0, old.coef.length - 1));
    const began = performance.now();
    let share = 0;
    const mix = (from, to) => to.map((value, m) => (1 - share) * from[start[m]] + share * value);
    const mine = { handles: () => ({ points: mix(old.points, goal.points), coef: mix(old.coef, goal.coef) }) };
    const frame = (now) => {
      if (moving !== mine) return; // something else has been asked for
      const time = clamp((now - began) / MILLISECONDS, 0, 1);
      share = time * time * (3 - 2 * time);
      if (time < 1) {
        curve.update(mine.handles());
        requestAnimationFrame(frame);
        return;
      }
      moving = null;
      curve.ghost(null);
      update();
      done();
    };
    moving = mine;
    curve.ghost(old);
    curve.update(mine.handles());
    requestAnimationFrame(frame);
  }

  function halve() {
    if (moving) return;
    const middles = spline.middles();
    if (spline.nIntervals() + middles.length > spline.MOST_INTERVALS) {
      byId("insert-say").textContent = `Halving would give more than ${spline.MOST_INTERVALS} intervals, which are too small to see.`;
      return;
    }
    const next = () => middles.length && insert(middles.shift(), next);
    next();
  }

  // --- controls

  function changed() {
    moving = null;
    byId("degree").value = state.degree;
    byId("intervals").value = state.nIntervals;
    const [first, last] = [state.knots[0], state.knots[state.knots.length - 1]];
    set(byId("at"), { min: first.toFixed(2), max: last.toFixed(2) });
    byId("at").value = state.x;
    byId("insert-say").textContent = "";
    drawAll();
  }

  function renew() {
    spline.renew(Number(byId("degree").value), Number(byId("intervals").value));
    changed();
  }

  // Takes degree and intervals from the address, or else those with which the page starts.
  function fromAddress() {
    const given = ({ id, defaultValue, min, max }) => Math.round(KAN.address.number(id, Number(defaultValue), Number(min), Number(max)));
    if (KAN.address.text("part", "") === "bases") spline.renew(given(byId("degree")), given(byId("intervals")));
  }

  function follow() {
    fromAddress();
    changed();
  }

  function start() {
    spline.renew(state.degree, state.nIntervals);
    fromAddress();
    byId("degree").addEventListener("input", renew);
    byId("intervals").addEventListener("input", renew);
    byId("at").addEventListener("input", (event) => {
      state.x = Number(event.target.value);
      updateCursor();
    });
    byId("insert").addEventListener("click", () => insert(state.x));
    byId("halve").addEventListener("click", halve);
    byId("reset").addEventListener("click", () => {
      spline.reset();
      changed();
    });
    changed();
    whenResized(byId("bases-plot"), () => {
      moving = null;
      drawAll();
    });
  }

  KAN.basesView = { start, follow, listen: (listener) => listeners.push(listener) };
})(globalThis);

// Part 2 of the page: one edge, phi(x) = w_b b(x) + w_s spline(x), with the spline that part 1 shows.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, html, set, format, pathOf, grid, plot, reach, whenResized, byId } = KAN.draw;
  const shown = (number) => format(number, 4, 1); // weights and values have the size 1
  const { state, ends, value } = KAN.splineState;
  const AIR = 0.6; // how far beyond the knot row the picture goes: there the base function is alone

  const own = (name) => Number(byId(name).value);

  function parts(x) {
    const base = KAN.functions.BASES[byId("edge-base").value](x);
    const spline = value(x);
    return { base, spline, baseTerm: own("w-base") * base, splineTerm: own("w-spline") * spline };
  }

  let moveCursor = () => {};

  function draw() {
    const holder = byId("edge-plot");
    const xDomain = [state.knots[0] - AIR, state.knots[state.knots.length - 1] + AIR];
    const xs = grid(...xDomain, 480, state.knots);
    const all = xs.map(parts);
    const lines = {
      base: all.map(({ baseTerm }) => baseTerm),
      spline: all.map(({ splineTerm }) => splineTerm),
      phi: all.map(({ baseTerm, splineTerm }) => baseTerm + splineTerm),
    };
    const label = "An edge, its base term and its spline term";
    const yDomain = reach([...Object.values(lines).flat(), -1, 1]);
    const chart = plot(holder, { width: holder.clientWidth, height: 280, xDomain, yDomain, label });
    const [a, b] = ends();
    chart.body.append(svg("rect", { class: "inside", x: chart.x(a), width: chart.x(b) - chart.x(a), y: chart.inner.y, height: chart.inner.height }));
    for (const [name, ys] of Object.entries(lines)) chart.body.append(svg("path", { class: `term ${name}`, d: pathOf(xs, ys, chart.x, chart.y) }));
    const cursor = svg("line", { class: "cursor", y1: chart.inner.y, y2: chart.inner.y + chart.inner.height });
    const dot = svg("circle", { class: "here", r: 5 });
    chart.body.append(cursor, dot);
    moveCursor = () => {
      const x = own("edge-at");
      const { baseTerm, splineTerm } = parts(x);
      set(cursor, { x1: chart.x(x), x2: chart.x(x) });
      set(dot, { cx: chart.x(x), cy: chart.y(baseTerm + splineTerm) });
    };
    set(byId("edge-at"), { min: xDomain[0].toFixed(2), max: xDomain[1].toFixed(2) });
    say();
  }

  function say() {
    moveCursor();
    const x = own("edge-at");
    const { base, spline, baseTerm, splineTerm } = parts(x);
    for (const name of ["w-base", "w-spline", "edge-at"]) {
      byId(`${name}-value`).textContent = shown(own(name));
      byId(name).setAttribute("aria-valuetext", shown(own(name)));
    }
    byId("edge-say").replaceChildren(
      `φ(${shown(x)}) = `, weight("b"), " b(x) + ", weight("s"), " spline(x)",
      ` = ${factor(own("w-base"))} · ${factor(base)} + ${factor(own("w-spline"))} · ${factor(spline)} = ${shown(baseTerm + splineTerm)}`,
    );
  }

  const weight = (letter) => html("i", {}, "w", html("sub", {}, letter));
  const factor = (number) => (number < 0 ? `(${shown(number)})` : shown(number));

  function start() {
    for (const name of ["w-base", "w-spline"]) byId(name).addEventListener("input", draw);
    byId("edge-base").addEventListener("change", draw);
    byId("edge-at").addEventListener("input", say);
    KAN.basesView.listen(draw);
    whenResized(byId("edge-plot"), draw);
    draw();
  }

  KAN.edgeView = { start };
})(globalThis);
