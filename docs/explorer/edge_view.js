// Part 2 of the page: one edge, phi(x) = w_b b(x) + w_s spline(x), with the spline that part 1 shows.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, html, set, format, pathOf, grid, plot, reach, whenResized, byId } = KAN.draw;
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
      byId(`${name}-value`).textContent = format(own(name));
      byId(name).setAttribute("aria-valuetext", format(own(name)));
    }
    byId("edge-say").replaceChildren(
      `φ(${format(x)}) = `, weight("b"), " b(x) + ", weight("s"), " spline(x)",
      ` = ${factor(own("w-base"))} · ${factor(base)} + ${factor(own("w-spline"))} · ${factor(spline)} = ${format(baseTerm + splineTerm)}`,
    );
  }

  const weight = (letter) => html("i", {}, "w", html("sub", {}, letter));
  const factor = (number) => (number < 0 ? `(${format(number)})` : format(number));

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
