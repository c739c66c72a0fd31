// Parts 1 and 2 of the page at work: basis functions with a curve, and one edge with this spline.
"use strict";

// What part 1 of the page is about, without its pictures: a knot row, the coefficients of a curve on it, and how both may change.
KAN.splineState = (() => {
  const { uniformKnots, curve, greville, insertKnot, clamp } = KAN.bspline;

  const MOST = 2; // a coefficient lies in [-MOST, MOST]
  const MOST_INTERVALS = 30; // that insertion may lead to
  const wave = (x) => 0.9 * Math.sin(2.6 * x) + 0.25 * Math.cos(5 * x);

  const state = { degree: 3, knots: [], coef: [], x: 0.3 };
  // What was last made by hand, as points and coefficients: when degree or intervals change, new coefficients are read off this polygon.
  let made = null;

  const nIntervals = () => state.coef.length - state.degree;
  const ends = () => [state.knots[state.degree], state.knots.at(-1 - state.degree)];
  const points = () => greville(state.knots, state.degree);
  const value = (x, derivative = 0) => curve(state.knots, state.degree, state.coef, x, derivative);
  const keep = () => (made = { points: points(), coef: [...state.coef] });

  // The polygon at x; level beyond its ends.
  function polygonAt(x) {
    const above = made.points.findIndex((point) => point >= x);
    if (above <= 0) return made.coef.at(above);
    const [p, q] = [made.points[above - 1], made.points[above]];
    const share = (x - p) / (q - p);
    return (1 - share) * made.coef[above - 1] + share * made.coef[above];
  }

  // An evenly spaced row of this degree and number of intervals on [-1, 1], with a curve of about the shape of the last one.
  function renew(degree, intervals) {
    Object.assign(state, { degree, knots: uniformKnots(-1, 1, intervals, degree) });
    state.coef = points().map((x) => clamp(made ? polygonAt(x) : wave(x), -MOST, MOST));
    state.x = clamp(state.x, state.knots[0], state.knots.at(-1));
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

  // One knot more, the curve kept; returns by how much it has changed on 501 points.
  function insert(t) {
    const { knots, degree, coef } = state;
    Object.assign(state, insertKnot(knots, degree, coef, t));
    keep();
    const xs = Array.from({ length: 501 }, (_, n) => knots[0] + ((knots.at(-1) - knots[0]) * n) / 500);
    return Math.max(...xs.map((x) => Math.abs(curve(knots, degree, coef, x) - value(x))));
  }

  // The middles of all intervals of the grid that are not empty.
  function middles() {
    const [a, b] = ends();
    const inner = state.knots.filter((knot) => knot >= a && knot <= b);
    return inner.slice(1).map((knot, m) => 0.5 * (inner[m] + knot)).filter((_, m) => inner[m + 1] > inner[m]);
  }

  return { state, MOST, MOST_INTERVALS, nIntervals, ends, points, value, renew, reset, setCoef, refusal, insert, middles };
})();

KAN.basesView = (() => {
  const { svg, format, plural, subscript, set, say, label, reach, grid, pathOf, plot, whenResized, byId } = KAN.draw;
  const spline = KAN.splineState;
  const { state, MOST, ends, points, value, setCoef } = spline;

  const shown = (number) => format(number, 4, 1); // knots and coefficients have the size 1
  let [bases, curve, moveSlopeCursor, ghost] = [null, null, null, null];
  const listeners = [];

  const STEP = 0.05; // of a coefficient, by keys

  // The range of x of all pictures of part 1: the whole row.
  function reachX() {
    const air = 0.03 * (state.knots.at(-1) - state.knots[0]);
    return [state.knots[0] - air, state.knots.at(-1) + air];
  }

  const places = () => grid(...reachX(), 420, state.knots);

  // One line for each basis function, their sum, the knots below, and the support of the selected basis function. Calls `point(m)` when
  // the pointer is on basis function m, and `point(null)` when it is on none. Returns {mark, moveCursor}.
  function drawBases(holder, point) {
    const { knots, degree } = state;
    const chart = plot(holder, { height: 250, xDomain: reachX(), yDomain: [-0.03, 1.12], label: "The B-splines, their sum, and the knots", bottom: 56, xAxis: false });
    chart.band(...ends());
    const xs = places();
    const columns = xs.map((x) => KAN.bspline.basis(knots, degree, x));
    chart.line("sum", xs, columns.map((all) => all.reduce((sum, one) => sum + one, 0)));
    const lines = state.coef.map((_, m) => pathOf(...onSupport(xs, columns, m), chart.x, chart.y));
    const shapes = lines.map((d, m) => chart.add(svg("path", { class: `basis colour-${m % 7}`, d })));
    lines.forEach((d, m) => {
      const target = chart.add(svg("path", { class: "basis-target", d }));
      for (const event of ["pointerenter", "pointerdown"]) target.addEventListener(event, () => point(m));
      target.addEventListener("pointerleave", () => point(null));
    });
    const moveCursor = chart.cursor();
    const { bar, dots } = drawKnots(chart);

    function mark(m) {
      const last = m === null ? -1 : m + degree + 1;
      shapes.forEach((shape, n) => {
        shape.classList.toggle("chosen", n === m);
        shape.classList.toggle("faded", m !== null && n !== m);
      });
      dots.forEach((dot, n) => dot.classList.toggle("chosen", m !== null && n >= m && n <= last));
      set(bar, m === null ? { width: 0 } : { x: chart.x(knots[m]) - 6, width: chart.x(knots[last]) - chart.x(knots[m]) + 12 });
      say("bases-say", m === null
        ? "Point at a basis function, or move to a coefficient below, to see where it is nonzero."
        : `B${subscript(m)} is nonzero between the knots t${subscript(m)} = ${format(knots[m])} and t${subscript(last)} = ${format(knots[last])}; its coefficient is c${subscript(m)} = ${format(state.coef[m])}.`);
    }
    return { mark, moveCursor };
  }

  // A basis is drawn where it is not zero, from knot to knot.
  function onSupport(xs, columns, m) {
    const [low, high] = [state.knots[m], state.knots[m + state.degree + 1]];
    const air = 2e-9 * (state.knots.at(-1) - state.knots[0]);
    const kept = [...xs.keys()].filter((n) => xs[n] >= low - air && xs[n] <= high + air);
    return [kept.map((n) => xs[n]), kept.map((n) => columns[n][m])];
  }

  function drawKnots(chart) {
    const { knots, degree } = state;
    const y = chart.y.range[0] + 16;
    const bar = svg("rect", { class: "support", y: y - 6, height: 12, rx: 6, width: 0 });
    const dots = knots.map((knot, m) => {
      const before = knots.slice(0, m).filter((other) => other === knot).length; // a repeated knot is stacked
      const outer = m < degree || m > knots.length - 1 - degree;
      const title = svg("title", {}, `t${subscript(m)} = ${format(knot)}${outer ? ", outside [a, b]" : ""}`);
      return svg("circle", { cx: chart.x(knot), cy: y - 8 * before, r: 4, class: outer ? "knot outer" : "knot" }, title);
    });
    const [a, b] = ends();
    const apart = chart.x(b) - chart.x(a) > 90;
    const name = (at, anchor, text) => svg("text", { x: chart.x(at), y: y + 22, "text-anchor": anchor }, text);
    const names = [name(a, apart ? "middle" : "end", `a = ${format(a)}`), name(b, apart ? "middle" : "start", `b = ${format(b)}`)];
    if (chart.x(a) - chart.x(knots[0]) > 80) names.push(...[knots[0], knots.at(-1)].map((knot) => name(knot, "middle", format(knot, 3))));
    const line = svg("line", { x1: chart.x.range[0], x2: chart.x.range[1], y1: y, y2: y, class: "tick" });
    const label = `Knots: ${knots.map((knot) => format(knot, 3)).join(", ")}`;
    chart.root.append(svg("g", { class: "knots", role: "img", "aria-label": label }, line, bar, ...dots, ...names));
    return { bar, dots };
  }

  // The curve with one handle for each coefficient, to be moved by pointer or keys, and the polygon `ghost` = {points, coef} from before a
  // knot was inserted. `calls`: point(m or null), moved(m) after a coefficient has changed.
  function drawCurve(holder, focused, ghost, calls) {
    const yDomain = [-MOST - 0.25, MOST + 0.25];
    const chart = plot(holder, { height: 260, xDomain: reachX(), yDomain, label: "The curve, with one handle for each coefficient" });
    chart.band(...ends());
    const xs = places();
    if (ghost) chart.line("polygon ghost", ghost.points, ghost.coef);
    const [polygon, curve] = ["polygon", "curve"].map((kind) => chart.add(svg("path", { class: kind })));
    const moveCursor = chart.cursor();
    const handles = state.coef.map((_, m) => makeHandle(m));
    chart.root.append(svg("g", { role: "group", "aria-label": "coefficients", "aria-describedby": "handles-help" }, ...handles));

    function makeHandle(m) {
      const handle = svg("g", {
        class: "handle", role: "slider", tabindex: m === focused ? 0 : -1, "aria-label": `coefficient c_${m}`,
        "aria-orientation": "vertical", "aria-valuemin": -MOST, "aria-valuemax": MOST, "data-m": m,
      }, svg("circle", { r: 14, class: "touch" }), svg("circle", { r: 6.5, class: `dot colour-${m % 7}` }));
      let grip = null; // how far from the handle's middle the pointer took hold
      const pointed = (event) => chart.y.back(event.clientY - chart.root.getBoundingClientRect().top);
      const events = {
        pointerdown: (event) => {
          handle.setPointerCapture(event.pointerId);
          grip = pointed(event) - state.coef[m];
          focus(m);
          event.preventDefault();
        },
        pointermove: (event) => grip !== null && change(m, pointed(event) - grip),
        lostpointercapture: () => (grip = null),
        pointerenter: () => calls.point(m),
        pointerleave: () => grip === null && calls.point(document.activeElement === handle ? m : null),
        focus: () => calls.point(m),
        blur: () => calls.point(null),
        keydown: (event) => pressed(event, m),
      };
      for (const [name, action] of Object.entries(events)) handle.addEventListener(name, action);
      return handle;
    }

    function change(m, wanted) {
      setCoef(m, wanted);
      calls.moved(m);
    }

    function pressed(event, m) {
      const step = event.shiftKey ? 5 * STEP : STEP;
      const last = handles.length - 1;
      const moves = { ArrowUp: step, ArrowDown: -step, PageUp: 0.5, PageDown: -0.5 };
      const others = { ArrowRight: Math.min(m + 1, last), ArrowLeft: Math.max(m - 1, 0), Home: 0, End: last };
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key in others) focus(others[event.key]);
      else if (event.key in moves) change(m, Math.round((state.coef[m] + moves[event.key]) * 1e6) / 1e6);
      else return;
      event.preventDefault();
    }

    function focus(m) {
      handles.forEach((handle, n) => set(handle, { tabindex: n === m ? 0 : -1 }));
      handles[m].focus({ preventScroll: true });
    }

    function update() {
      const at = points();
      set(curve, { d: pathOf(xs, xs.map((x) => value(x)), chart.x, chart.y) });
      set(polygon, { d: pathOf(at, state.coef, chart.x, chart.y) });
      handles.forEach((handle, m) =>
        set(handle, {
          transform: `translate(${chart.x(at[m]).toFixed(2)} ${chart.y(state.coef[m]).toFixed(2)})`,
          "aria-valuenow": state.coef[m].toFixed(3),
          "aria-valuetext": format(state.coef[m]),
        }));
    }

    const mark = (m) => handles.forEach((handle, n) => handle.classList.toggle("chosen", n === m));
    return { update, mark, moveCursor };
  }

  // The derivative; drawn anew at every change, because its scale follows. Returns what moves its cursor.
  function drawSlope(holder) {
    const xs = places();
    const slopes = xs.map((x) => value(x, 1));
    const chart = plot(holder, { height: 150, xDomain: reachX(), yDomain: reach([...slopes, -1, 1]), label: "The derivative of the curve", yTicks: 3 });
    chart.band(...ends());
    chart.line("slope", xs, slopes);
    return chart.cursor();
  }

  // --- the view

  function point(m) {
    bases.mark(m);
    curve.mark(m);
  }

  function drawAll() {
    const held = document.activeElement.closest(".handle");
    const focused = Math.min(held ? Number(held.dataset.m) : 0, state.coef.length - 1);
    bases = drawBases(byId("bases-plot"), point);
    const moved = (m) => {
      update();
      point(m);
    };
    curve = drawCurve(byId("curve-plot"), focused, ghost, { point, moved });
    point(null);
    update();
    const outer = state.degree > 0 ? `, ${2 * state.degree} of them outside [a, b]` : "";
    say("count", `${plural(spline.nIntervals(), "interval")} + degree ${state.degree} = ${plural(state.coef.length, "basis function")}, on ${state.knots.length} knots${outer}.`);
    say("degree-value", state.degree);
    say("intervals-value", spline.nIntervals());
  }

  function update() {
    curve.update();
    moveSlopeCursor = drawSlope(byId("slope-plot"));
    updateCursor();
    listeners.forEach((listener) => listener());
  }

  function updateCursor() {
    for (const move of [bases.moveCursor, curve.moveCursor, moveSlopeCursor]) move(state.x);
    const values = KAN.bspline.basis(state.knots, state.degree, state.x);
    const nonzero = values.map((value, m) => `B${subscript(m)} = ${format(value, 3)}`).filter((_, m) => values[m] !== 0);
    const sum = values.reduce((total, value) => total + value, 0);
    const at = shown(state.x);
    label("at", at);
    say("curve-say", `At x = ${at}: ${nonzero.join(", ") || "all basis functions are 0"}. Sum ${format(sum)}; curve ${shown(spline.value(state.x))}, derivative ${shown(spline.value(state.x, 1))}.`);
  }

  // Inserts knots at all of `places`; the polygon from before stays in sight, on whose sides the new coefficients lie.
  function insert(places) {
    const before = { points: spline.points(), coef: state.coef };
    for (const t of places) {
      const no = spline.refusal(t, format);
      if (no) return say("insert-say", no);
      const apart = spline.insert(t);
      say("insert-say", `Knot inserted at ${format(t)}: ${state.coef.length} coefficients instead of ${state.coef.length - 1}; the curve is the same (largest change ${format(apart, 2)}).`);
    }
    ghost = before;
    drawAll();
  }

  function halve() {
    const middles = spline.middles();
    if (spline.nIntervals() + middles.length <= spline.MOST_INTERVALS) insert(middles);
    else say("insert-say", `Halving would give more than ${spline.MOST_INTERVALS} intervals, which are too small to see.`);
  }

  function changed() {
    ghost = null;
    byId("degree").value = state.degree;
    byId("intervals").value = spline.nIntervals();
    set(byId("at"), { min: state.knots[0].toFixed(2), max: state.knots.at(-1).toFixed(2) });
    byId("at").value = state.x;
    say("insert-say", "");
    drawAll();
  }

  function renew() {
    spline.renew(Number(byId("degree").value), Number(byId("intervals").value));
    changed();
  }

  // Takes degree and intervals from the address.
  function follow() {
    if (KAN.address.text("part", "") === "bases") spline.renew(...["degree", "intervals"].map((name) => Math.round(KAN.address.slider(name, byId(name)))));
    changed();
  }

  function start() {
    spline.reset();
    byId("degree").addEventListener("input", renew);
    byId("intervals").addEventListener("input", renew);
    byId("at").addEventListener("input", () => {
      state.x = Number(byId("at").value);
      updateCursor();
    });
    byId("insert").addEventListener("click", () => insert([state.x]));
    byId("halve").addEventListener("click", halve);
    byId("reset").addEventListener("click", () => {
      spline.reset();
      changed();
    });
    follow();
    whenResized(byId("bases-plot"), drawAll);
  }

  return { start, follow, listen: (listener) => listeners.push(listener) };
})();

// Part 2 of the page: one edge, phi(x) = w_b b(x) + w_s spline(x), with the spline that part 1 shows.
KAN.edgeView = (() => {
  const { html, set, label, format, grid, plot, reach, whenResized, byId } = KAN.draw;
  const { state, ends, value } = KAN.splineState;

  const AIR = 0.6; // how far beyond the knot row the picture goes: there the base function is alone
  const shown = (number) => format(number, 4, 1); // weights and values have the size 1
  const own = (name) => Number(byId(name).value);
  let move = () => {};

  function parts(x) {
    const base = KAN.functions.BASES[byId("edge-base").value].f(x);
    const spline = value(x);
    return { base, spline, baseTerm: own("w-base") * base, splineTerm: own("w-spline") * spline };
  }

  function draw() {
    const xDomain = [state.knots[0] - AIR, state.knots.at(-1) + AIR];
    const xs = grid(...xDomain, 480, state.knots);
    const all = xs.map(parts);
    const lines = {
      base: all.map(({ baseTerm }) => baseTerm),
      spline: all.map(({ splineTerm }) => splineTerm),
      phi: all.map(({ baseTerm, splineTerm }) => baseTerm + splineTerm),
    };
    const yDomain = reach([...Object.values(lines).flat(), -1, 1]);
    const chart = plot(byId("edge-plot"), { height: 280, xDomain, yDomain, label: "An edge, its base term and its spline term" });
    chart.band(...ends());
    for (const [name, ys] of Object.entries(lines)) chart.line(`term ${name}`, xs, ys);
    const [moveCursor, moveDot] = [chart.cursor(), chart.dot()];
    move = (x, phi) => {
      moveCursor(x);
      moveDot(x, phi);
    };
    set(byId("edge-at"), { min: xDomain[0].toFixed(2), max: xDomain[1].toFixed(2) });
    sayValues();
  }

  function sayValues() {
    const x = own("edge-at");
    const { base, spline, baseTerm, splineTerm } = parts(x);
    move(x, baseTerm + splineTerm);
    for (const name of ["w-base", "w-spline", "edge-at"]) label(name, shown(own(name)));
    byId("edge-say").replaceChildren(
      `φ(${shown(x)}) = `, weight("b"), " b(x) + ", weight("s"), " spline(x)",
      ` = ${factor(own("w-base"))} · ${factor(base)} + ${factor(own("w-spline"))} · ${factor(spline)} = ${shown(baseTerm + splineTerm)}`,
    );
  }

  const weight = (letter) => html("i", {}, "w", html("sub", {}, letter));
  const factor = (number) => (number < 0 ? `(${shown(number)})` : shown(number));

  function start() {
    for (const name of ["w-base", "w-spline", "edge-base"]) byId(name).addEventListener("input", draw);
    byId("edge-at").addEventListener("input", sayValues);
    KAN.basesView.listen(draw);
    whenResized(byId("edge-plot"), draw);
    draw();
  }

  return { start };
})();
