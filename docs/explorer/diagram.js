// Where everything stands in the picture of a network, as in kan_ref.drawing's plan.py and the paper's Fig. 2.4: inputs below, outputs
// above, a box for every edge, boxes grouped by target; n boxes in g groups share the width as slots,
//
//   (G1)  slot s, in group r, has its middle at  width (s + 1/2 + e (r + 1/2)) / (n + e g)
//
// with e = 1/2 between groups, or 0. Where boxes would be too small they stand alternately in two rows; where even these would be, the
// picture is wider than its place. Lengths are pixels, y points down.
"use strict";

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
