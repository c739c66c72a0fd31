// Parts 1 and 2 of the page at work: basis functions with a curve, and one edge with this spline.
"use strict";

KAN.basesView = (() => {
  const { format, plural, subscript, set, say, label, whenResized, byId } = KAN.draw;
  const { drawBases, drawCurve, drawSlope } = KAN.basesPicture;
  const spline = KAN.splineState;
  const { state } = spline;

  const shown = (number) => format(number, 4, 1); // knots and coefficients have the size 1
  let [bases, curve, moveSlopeCursor, ghost] = [null, null, null, null];
  const listeners = [];

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
