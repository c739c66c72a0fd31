// The picture of a network: where everything stands in it, and how it is drawn.
"use strict";

// Where everything stands in the picture of a network, as in kan_ref.drawing's plan.py and the paper's Fig. 2.4: inputs below, outputs
// above, a box for every edge, boxes grouped by target; n boxes in g groups share the width as slots,
//
//   (G1)  slot s, in group r, has its middle at  width (s + 1/2 + e (r + 1/2)) / (n + e g)
//
// with e = 1/2 between groups, or 0. Where boxes would be too small they stand alternately in two rows; where even these would be, the
// picture is wider than its place. Lengths are pixels, y points down.
KAN.diagram = (() => {
  const MOST_SIDE = 64;
  const LEAST_SINGLE = 40; // below this side boxes stand in two rows
  const LEAST_SIDE = 26; // a finger's least
  const [SINGLE, DOUBLE] = [0.84, 1.45]; // side of a box in slots, in one row and in two
  const BETWEEN_ROWS = 12;
  const NAME = 26; // height of a row of names
  const SIDE_AIR = 16;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // Slots of one layer: for each target its edges and their middles in slots (one empty slot without edges), and how many there are in all.
  function slots(edges, targets) {
    const groups = targets.map((target) => edges.filter((edge) => edge.output === target));
    const between = groups.length > 1 && groups.some((group) => group.length > 1) ? 0.5 : 0;
    let first = 0;
    const middles = groups.map((group, r) => {
      const own = Array.from({ length: Math.max(1, group.length) }, (_, s) => first + s + 0.5 + between * (r + 0.5));
      first += own.length;
      return own;
    });
    return { groups, middles, total: first + between * groups.length };
  }

  // The height that wires need which run so far sideways.
  const gap = (runs) => Math.min(Math.max(0.16 * Math.max(0, ...runs), 26), 76);

  // `drawn`: for each layer its edges {output, input}; `shown`: for each row the indices of its nodes.
  // {width, height, nodes: [{row, index, x, y}], boxes: [{layer, output, input, x, y, side, from, to, band}]}, x and y of a box its corner.
  function layOut(drawn, shown, room) {
    const plans = drawn.map((edges, l) => slots(edges, shown[l + 1]));
    const width = Math.max(room - 2 * SIDE_AIR, ...plans.map(({ total }) => (total * LEAST_SIDE) / DOUBLE), ...shown.map((row) => row.length * LEAST_SIDE));
    let at = new Map(shown[0].map((i, n) => [i, (width * (n + 0.5)) / shown[0].length]));
    let floor = 0; // heights grow upwards here
    const nodes = shown[0].map((index) => ({ row: 0, index, x: at.get(index), y: 0 }));
    const boxes = [];
    plans.forEach(({ groups, middles, total }, l) => {
      const slot = width / total;
      const two = SINGLE * slot < LEAST_SINGLE && total > 2;
      const side = Math.min(MOST_SIDE, (two ? DOUBLE : SINGLE) * slot);
      const step = two ? side + BETWEEN_ROWS : 0;
      const targets = new Map(shown[l + 1].map((target, r) => [target, slot * mean(middles[r])]));
      const own = groups.flatMap((group, r) => group.map((edge, s) => ({ ...edge, middle: slot * middles[r][s] })));
      const straight = own.length > 0 && targets.size === 1 && own.every(({ input }, n) => n === 0 || at.get(input) - at.get(own[n - 1].input) >= side * 1.1);
      if (straight) {
        for (const edge of own) edge.middle = at.get(edge.input); // the only target's boxes stand above their sources
        targets.set(shown[l + 1][0], mean(own.map(({ middle }) => middle)));
      }
      const low = floor + gap(own.map(({ input, middle }) => Math.abs(at.get(input) - middle)));
      const top = low + side + step + gap(own.map(({ output, middle }) => Math.abs(targets.get(output) - middle)));
      own.forEach(({ output, input, middle }, n) => {
        const bottom = low + (two && !straight && n % 2 ? step : 0);
        boxes.push({ layer: l, output, input, x: middle - side / 2, y: bottom + side, side,
          from: [at.get(input), floor], to: [targets.get(output), top], band: [low, low + side + step] });
      });
      nodes.push(...shown[l + 1].map((index) => ({ row: l + 1, index, x: targets.get(index), y: top })));
      [at, floor] = [targets, top];
    });
    const place = ([x, y]) => [x + SIDE_AIR, NAME + floor - y];
    for (const one of [...nodes, ...boxes]) [one.x, one.y] = place([one.x, one.y]);
    for (const box of boxes) Object.assign(box, { from: place(box.from), to: place(box.to), band: box.band.map((y) => NAME + floor - y) });
    return { width: width + 2 * SIDE_AIR, height: floor + 2 * NAME, nodes, boxes };
  }

  return { layOut };
})();

// The picture of a network: nodes, wires, and for every edge a box with its curve, as dark as its score says (G2: tanh(3 score)).
KAN.networkPicture = (() => {
  const { svg, set, format, plural, pathOf, scale, reach, grid, isWithin } = KAN.draw;
  const { livingEdges, edgeCurve } = KAN.network;

  const MOST_EDGES = 48; // of a layer; with more, boxes are too small to read
  const PADDING = 5;
  const [CAPTION, LEAST_NAMED] = [0.25, 36]; // a formula's name in its box: share of the side, and the least side that has one
  const LEAST_TEXT = 8; // pixels; a longer name is cut

  const sameEdge = (one, other) => one !== null && other !== null && ["layer", "output", "input"].every((name) => one[name] === other[name]);

  // Which edges have a box, and which nodes are shown; with a sentence about what is left out.
  function choose({ network, scores }) {
    const living = network.layers.map(livingEdges);
    const drawn = living.map((edges, l) => {
      const score = ({ output, input }) => scores[l][output][input];
      const kept = new Set([...edges].sort((one, other) => score(other) - score(one)).slice(0, MOST_EDGES));
      return edges.filter((edge) => kept.has(edge));
    });
    const shown = network.widths.map((width, row) => {
      const isEnd = (row === 0 || row === network.widths.length - 1) && width <= MOST_EDGES;
      const touched = new Set([...(drawn[row] ?? []).map(({ input }) => input), ...(drawn[row - 1] ?? []).map(({ output }) => output)]);
      return [...Array(width).keys()].filter((i) => isEnd || touched.has(i));
    });
    const count = (lists) => lists.reduce((sum, edges) => sum + edges.length, 0);
    const dead = network.layers.reduce((sum, { nInputs, nOutputs }) => sum + nInputs * nOutputs, 0) - count(living);
    const left = count(living) - count(drawn);
    const notes = [];
    if (dead) notes.push(`${plural(dead, "masked edge")} ${dead === 1 ? "is" : "are"} not drawn.`);
    if (left) notes.push(`${left} more active edges, with smaller scores than the ${MOST_EDGES} drawn in their layer, are not drawn.`);
    return { drawn, shown, note: notes.join(" ") };
  }

  // Draws it; `select(edge)` is called for an edge that is pointed at, focused or clicked. Returns {markEdge, showValues, note, strongest, width}.
  function draw(holder, model, select) {
    const { network, scores, ranges, names } = model;
    const { drawn, shown, note } = choose(model);
    const plan = KAN.diagram.layOut(drawn, shown, holder.clientWidth);
    const scoreOf = ({ layer, output, input }) => scores[layer][output][input];
    const strongest = plan.boxes.reduce((best, box) => (best === null || scoreOf(box) > scoreOf(best) ? box : best), null);
    const wires = svg("g", { class: "wires", "aria-hidden": "true" });
    const buttons = plan.boxes.map((box, n) => {
      const opacity = Math.max(0.08, Math.tanh(3 * scoreOf(box)));
      const middle = box.x + box.side / 2;
      const [low, high] = box.band;
      wires.append(svg("path", { style: `opacity:${opacity}`, d: `M${box.from}L${middle} ${low}V${box.y + box.side}M${middle} ${box.y}V${high}L${box.to}` }));
      return drawBox(box, n, opacity);
    });
    const dots = plan.nodes.map(({ row, index, x, y }) => {
      const isInner = row > 0 && row < network.widths.length - 1;
      const name = isInner ? "" : row === 0 ? names.inputs[index] : names.outputs[index];
      const title = svg("title");
      const text = svg("text", { x, y: row === 0 ? y + 19 : y - 10, "text-anchor": "middle" }, name);
      return { row, index, title, parts: [svg("circle", { cx: x, cy: y, r: isInner ? 4.5 : 4, class: "node" }, title), text] };
    });
    holder.replaceChildren(svg("svg", { width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, role: "group", "aria-label": "the network, its edges as buttons" },
      wires, ...buttons.map(({ group }) => group), svg("g", { class: "nodes" }, ...dots.flatMap(({ parts }) => parts))));

    function drawBox(box, n, opacity) {
      const layer = network.layers[box.layer];
      const kind = KAN.network.edgeKind(layer, box.output, box.input);
      const group = svg("g", {
        class: `edge ${kind}`, role: "button", "aria-pressed": "false", tabindex: box === strongest ? 0 : -1,
        "aria-label": `${KAN.edgePanel.title(model, box)}, ${kind}, score ${format(scoreOf(box), 3)}`, "data-edge": `${box.layer},${box.output},${box.input}`,
      }, svg("rect", { x: box.x, y: box.y, width: box.side, height: box.side, rx: 5, class: "box" }));
      const xs = grid(...ranges[box.layer][box.input], 61);
      const ys = edgeCurve(layer, box.output, box.input, xs);
      const named = kind === "symbolic" && box.side >= LEAST_NAMED;
      const x = scale(reach(xs, 0), [box.x + PADDING, box.x + box.side - PADDING]);
      const y = scale(reach([...ys], 0), [box.y + box.side - PADDING, box.y + PADDING + (named ? CAPTION * box.side : 0)]);
      if (named) {
        const name = KAN.edgePanel.functionText(layer.symbolic.get(`${box.output},${box.input}`).name);
        const size = Math.max(LEAST_TEXT, Math.min(12, (1.5 * box.side) / name.length));
        const most = Math.floor((1.7 * box.side) / size); // characters
        const text = name.length > most ? `${name.slice(0, most - 1)}…` : name; // the large picture has the whole name
        group.append(svg("text", { x: box.x + box.side / 2, y: box.y + 4 + size, "text-anchor": "middle", style: `font-size:${size}px` }, text));
      }
      const dot = svg("circle", { class: "here", visibility: "hidden", r: Math.min(3.5, box.side / 12), style: `opacity:${Math.max(0.3, opacity)}` });
      group.append(svg("path", { class: "line", style: `opacity:${opacity}`, d: pathOf(xs, ys, x, y) }), dot);
      for (const event of ["pointerenter", "focus", "click"]) group.addEventListener(event, () => select(box));
      group.addEventListener("keydown", (event) => pressed(event, n));
      return { group, dot, box, x, y };
    }

    // Left and right go along a layer and on to the next, up and down from layer to layer.
    function pressed(event, n) {
      const here = plan.boxes[n];
      const last = plan.boxes.length - 1;
      const nearest = (layer) => {
        const far = (m) => Math.abs(plan.boxes[m].x + plan.boxes[m].side / 2 - here.x - here.side / 2);
        const others = [...plan.boxes.keys()].filter((m) => plan.boxes[m].layer === layer);
        return others.length ? others.reduce((best, m) => (far(m) < far(best) ? m : best)) : n;
      };
      const moves = {
        ArrowRight: () => Math.min(n + 1, last), ArrowLeft: () => Math.max(n - 1, 0), Home: () => 0, End: () => last,
        ArrowUp: () => nearest(here.layer + 1), ArrowDown: () => nearest(here.layer - 1), Enter: () => n, " ": () => n,
      };
      if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in moves)) return;
      event.preventDefault();
      const next = moves[event.key]();
      buttons.forEach(({ group }, m) => set(group, { tabindex: m === next ? 0 : -1 }));
      buttons[next].group.focus();
    }

    function markEdge(edge) {
      for (const { group, box } of buttons) {
        group.classList.toggle("chosen", sameEdge(box, edge));
        set(group, { "aria-pressed": sameEdge(box, edge) });
      }
    }

    // Puts a dot on every curve where the chosen inputs lead.
    function showValues({ nodes, edges }) {
      for (const { dot, box, x, y } of buttons) {
        const [at, out] = [nodes[box.layer][box.input], edges[box.layer][box.output][box.input]];
        set(dot, isWithin(at, x) && isWithin(out, y) ? { cx: x(at), cy: y(out), visibility: "visible" } : { visibility: "hidden" });
      }
      for (const { row, index, title } of dots) title.textContent = `${KAN.edgePanel.nodeName(model, row, index)} = ${format(nodes[row][index])}`;
    }

    return { markEdge, showValues, note, strongest, width: plan.width };
  }

  return { draw, sameEdge };
})();
