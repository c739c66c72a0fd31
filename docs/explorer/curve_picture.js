// The picture of a curve with one handle for each coefficient, to be moved by pointer or keys, and the picture of its derivative.
"use strict";

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
