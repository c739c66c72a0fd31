// The picture of a network: where everything stands in it, and how it is drawn.
"use strict";

// Where everything stands in the picture of a network, as in kan_ref.drawing's plan.py and the paper's Fig. 2.4: inputs below, outputs
// above, a box for every edge, boxes grouped by target; n boxes in g groups share the width as slots,
//
//   (G1)  slot s, in group r, has its middle at  width (s + 1/2 + e (r + 1/2)) / (n + e g)
//
// with e = 1/2 between groups, or 0. Where boxes would be too small they stand alternately in two rows; where even these would be, the
// picture is wider than its place. Lengths are pixels, y points down.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const MOST_SIDE = 64;
  const LEAST_SINGLE = 40; // below this side boxes stand in two rows
  const LEAST_SIDE = 26; // a finger's least
  const SINGLE = 0.84;
  const DOUBLE = 1.45; // side of a box in slots, in one row and in two
  const BETWEEN_ROWS = 12;
  const [LEAST_GAP, MOST_GAP, GAP_PER_RUN] = [26, 76, 0.16];
  const NAME = 26; // height of a row of names
  const SIDE_AIR = 16;

  // Slots of one layer: for each target its first slot's middle and those of its edges, in slots, and how many there are in all.
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

  const even = (row, width) => new Map(row.map((i, n) => [i, (width * (n + 0.5)) / Math.max(1, row.length)]));
  const gap = (runs) => Math.min(Math.max(GAP_PER_RUN * Math.max(0, ...runs), LEAST_GAP), MOST_GAP);

  // `drawn`: for each layer its edges {output, input}; `shown`: for each row the indices of its nodes.
  // {width, height, nodes: [{row, index, x, y}], boxes: [{layer, output, input, x, y, side, from, to}]}, x and y of a box its corner.
  function layOut(drawn, shown, room) {
    const plans = drawn.map((edges, l) => slots(edges, shown[l + 1]));
    const width = Math.max(room - 2 * SIDE_AIR, ...plans.map(({ total }) => (total * LEAST_SIDE) / DOUBLE), LEAST_SIDE * Math.max(...shown.map((row) => row.length)));
    let at = even(shown[0], width);
    let floor = 0; // heights grow upwards here
    const nodes = shown[0].map((index) => ({ row: 0, index, x: at.get(index), y: 0 }));
    const boxes = [];
    plans.forEach(({ groups, middles, total }, l) => {
      const slot = width / total;
      const two = SINGLE * slot < LEAST_SINGLE && total > 2;
      const side = Math.min(MOST_SIDE, (two ? DOUBLE : SINGLE) * slot);
      const step = two ? side + BETWEEN_ROWS : 0;
      const targets = new Map(shown[l + 1].map((target, r) => [target, (slot * middles[r].reduce((sum, s) => sum + s, 0)) / middles[r].length]));
      const own = groups.flatMap((group, r) => group.map((edge, s) => ({ ...edge, middle: slot * middles[r][s] })));
      const straight = shown[l + 1].length === 1 && own.every(({ input }, n) => n === 0 || at.get(input) - at.get(own[n - 1].input) >= side * 1.1);
      if (straight) own.forEach((edge) => (edge.middle = at.get(edge.input))); // the only target's boxes stand above their sources
      if (straight && own.length) targets.set(shown[l + 1][0], own.reduce((sum, { middle }) => sum + middle, 0) / own.length);
      const low = floor + gap(own.map(({ input, middle }) => Math.abs(at.get(input) - middle)));
      const top = low + side + step + gap(own.map(({ output, middle }) => Math.abs(targets.get(output) - middle)));
      own.forEach((edge, n) => {
        const bottom = low + (two && !straight && n % 2 ? step : 0);
        boxes.push({ layer: l, output: edge.output, input: edge.input, x: edge.middle - side / 2, y: bottom + side, side,
          from: [at.get(edge.input), floor], to: [targets.get(edge.output), top], band: [low, low + side + step] });
      });
      nodes.push(...shown[l + 1].map((index) => ({ row: l + 1, index, x: targets.get(index), y: top })));
      [at, floor] = [targets, top];
    });
    const flip = (y) => NAME + floor - y;
    for (const node of nodes) Object.assign(node, { x: node.x + SIDE_AIR, y: flip(node.y) });
    for (const box of boxes) {
      Object.assign(box, { x: box.x + SIDE_AIR, y: flip(box.y), from: [box.from[0] + SIDE_AIR, flip(box.from[1])], to: [box.to[0] + SIDE_AIR, flip(box.to[1])] });
      box.band = box.band.map(flip);
    }
    return { width: width + 2 * SIDE_AIR, height: floor + 2 * NAME, nodes, boxes };
  }

  KAN.diagram = { layOut };
})(globalThis);

// The picture of a network: nodes, wires, and for every edge a box with its curve, as dark as its score says (G2: tanh(3 score)).
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { svg, set, format, pathOf, scale, between, reach } = KAN.draw;
  const { livingEdges, edgeValue } = KAN.network;

  const MOST_EDGES = 48; // of a layer; with more, boxes are too small to read
  const BETA = 3;
  const N_POINTS = 61;
  const PADDING = 5;
  const [CAPTION, LEAST_NAMED] = [0.25, 36]; // a formula's name in its box: share of the side, and the least side that has one

  const LEAST_TEXT = 8; // pixels; a longer name is cut

  // Which edges have a box, and which nodes are shown; with a sentence about what is left out.
  function choose({ network, scores }) {
    let left = 0;
    const drawn = network.layers.map((layer, l) => {
      const living = livingEdges(layer);
      const ranked = [...living].sort((one, other) => scores[l][other.output][other.input] - scores[l][one.output][one.input]);
      const kept = new Set(ranked.slice(0, MOST_EDGES));
      left += living.length - kept.size;
      return living.filter((edge) => kept.has(edge));
    });
    const dead = network.layers.reduce((sum, layer) => sum + layer.nInputs * layer.nOutputs - livingEdges(layer).length, 0);
    const shown = network.widths.map((width, row) => {
      const all = Array.from({ length: width }, (_, i) => i);
      const end = row === 0 || row === network.widths.length - 1;
      const touched = (i) => drawn.some((edges, l) => edges.some((edge) => (l === row && edge.input === i) || (l === row - 1 && edge.output === i)));
      return end && width <= MOST_EDGES ? all : all.filter(touched);
    });
    const notes = [];
    if (dead) notes.push(`${dead} masked ${dead === 1 ? "edge is" : "edges are"} not drawn.`);
    if (left) notes.push(`${left} more active edges, with smaller scores than the ${MOST_EDGES} drawn in their layer, are not drawn.`);
    return { drawn, shown, note: notes.join(" ") };
  }

  // Draws it; `select(edge)` is called for an edge that is pointed at, focused or clicked. Returns {markEdge, showValues, note}.
  function draw(holder, model, room, select) {
    const { network, scores, ranges, names } = model;
    const { drawn, shown, note } = choose(model);
    const plan = KAN.diagram.layOut(drawn, shown, room);
    const picture = svg("svg", { width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, role: "group", "aria-label": "the network, its edges as buttons" });
    const wires = svg("g", { class: "wires", "aria-hidden": "true" });
    const buttons = plan.boxes.map((box, n) => {
      const score = scores[box.layer][box.output][box.input];
      const opacity = Math.max(0.08, Math.tanh(BETA * score));
      const middle = box.x + box.side / 2;
      const [low, high] = box.band;
      wires.append(svg("path", { style: `opacity:${opacity}`, d: `M${box.from}L${middle} ${low}V${box.y + box.side}M${middle} ${box.y}V${high}L${box.to}` }));
      return drawBox(box, n, score, opacity);
    });
    const dots = new Map();
    const nodes = svg("g", { class: "nodes" });
    for (const { row, index, x, y } of plan.nodes) {
      const inner = row > 0 && row < network.widths.length - 1;
      const node = svg("circle", { cx: x, cy: y, r: inner ? 4.5 : 4, class: "node" });
      const title = svg("title", {}, "");
      node.append(title);
      nodes.append(node);
      const name = row === 0 ? names.inputs[index] : inner ? "" : names.outputs[index];
      if (name) nodes.append(svg("text", { x, y: row === 0 ? y + 19 : y - 10, "text-anchor": "middle" }, name));
      dots.set(`${row},${index}`, title);
    }
    picture.append(wires, ...buttons.map(({ group }) => group), nodes);
    holder.replaceChildren(picture);

    function drawBox(box, n, score, opacity) {
      const layer = network.layers[box.layer];
      const kind = KAN.network.edgeKind(layer, box.output, box.input);
      const group = svg("g", {
        class: `edge ${kind}`, role: "button", "aria-pressed": "false",
        "aria-label": KAN.edgePanel.title(model, box) + `, ${kind}, score ${format(score, 3)}`,
      });
      group.dataset.edge = `${box.layer},${box.output},${box.input}`;
      group.append(svg("rect", { x: box.x, y: box.y, width: box.side, height: box.side, rx: 5, class: "box" }));
      const [from, to] = ranges[box.layer][box.input];
      const xs = Array.from({ length: N_POINTS }, (_, k) => between(from, to, k / (N_POINTS - 1)));
      const ys = xs.map((x) => edgeValue(layer, box.output, box.input, x));
      const x = scale(reach([from, to], 0), [box.x + PADDING, box.x + box.side - PADDING]);
      const named = kind === "symbolic" && box.side >= LEAST_NAMED;
      const top = box.y + PADDING + (named ? CAPTION * box.side : 0);
      const y = scale(reach(ys, 0), [box.y + box.side - PADDING, top]);
      if (named) {
        const name = KAN.edgePanel.functionText(layer.symbolic.get(`${box.output},${box.input}`).name);
        const size = Math.max(LEAST_TEXT, Math.min(12, (1.5 * box.side) / name.length));
        const room = Math.floor((1.7 * box.side) / size); // characters
        const text = name.length > room ? `${name.slice(0, room - 1)}…` : name; // the large picture has the whole name
        group.append(svg("text", { x: box.x + box.side / 2, y: box.y + 4 + size, "text-anchor": "middle", style: `font-size:${size}px` }, text));
      }
      group.append(svg("path", { class: "line", style: `opacity:${opacity}`, d: pathOf(xs, ys, x, y) }));
      const dot = svg("circle", { class: "here", r: Math.min(3.5, box.side / 12), style: `opacity:${Math.max(0.3, opacity)}` });
      group.append(dot);
      const choosing = () => select(box);
      for (const event of ["pointerenter", "focus", "click"]) group.addEventListener(event, choosing);
      group.addEventListener("keydown", (event) => pressed(event, n));
      return { group, dot, box, x, y };
    }

    // Left and right go along a layer and on to the next, up and down from layer to layer.
    function pressed(event, n) {
      const here = plan.boxes[n];
      const nearest = (layer) => {
        const others = plan.boxes.map((box, m) => [box, m]).filter(([box]) => box.layer === layer);
        const far = ([box]) => Math.abs(box.x + box.side / 2 - here.x - here.side / 2);
        return others.length ? others.reduce((best, other) => (far(other) < far(best) ? other : best))[1] : n;
      };
      const last = plan.boxes.length - 1;
      const moves = {
        ArrowRight: () => Math.min(n + 1, last), ArrowLeft: () => Math.max(n - 1, 0), Home: () => 0, End: () => last,
        ArrowUp: () => nearest(here.layer + 1), ArrowDown: () => nearest(here.layer - 1),
        Enter: () => n, " ": () => n,
      };
      if (event.altKey || event.ctrlKey || event.metaKey || !Object.hasOwn(moves, event.key)) return;
      event.preventDefault();
      const next = moves[event.key]();
      buttons.forEach(({ group }, m) => group.setAttribute("tabindex", m === next ? 0 : -1));
      buttons[next].group.focus();
    }

    function markEdge(edge) {
      for (const { group, box } of buttons) {
        const chosen = edge !== null && box.layer === edge.layer && box.output === edge.output && box.input === edge.input;
        group.classList.toggle("chosen", chosen);
        set(group, { "aria-pressed": chosen });
      }
    }

    // Puts a dot on every curve where the chosen inputs lead.
    function showValues({ nodes: rows, edges }) {
      for (const { dot, box, x, y } of buttons) {
        const [at, out] = [rows[box.layer][box.input], edges[box.layer][box.output][box.input]];
        const inside = at >= x.domain[0] && at <= x.domain[1] && out >= y.domain[0] && out <= y.domain[1];
        set(dot, inside ? { cx: x(at), cy: y(out), visibility: "visible" } : { visibility: "hidden" });
      }
      for (const [key, title] of dots) {
        const [row, index] = key.split(",").map(Number);
        title.textContent = `${KAN.edgePanel.nodeName(model, row, index)} = ${format(rows[row][index])}`;
      }
    }

    const scoreOf = ({ layer, output, input }) => scores[layer][output][input];
    const strongest = plan.boxes.reduce((best, box) => (best === null || scoreOf(box) > scoreOf(best) ? box : best), null);
    buttons.forEach(({ group, box }) => group.setAttribute("tabindex", box === strongest ? 0 : -1));
    return { markEdge, showValues, note, strongest, width: plan.width };
  }

  KAN.networkPicture = { draw };
})(globalThis);
