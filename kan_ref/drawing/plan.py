"""Where the nodes, boxes, wires and texts of a diagram stand.

Inputs are at the bottom, outputs at the top. Between two rows of nodes every edge has a box and a
wire, which runs from its source up to the box, behind it, and up to its target. The paper (Liu et
al. 2024, figures 2.4 and 4.1) groups the boxes of a layer by source. Here they are grouped by
target, and a node stands in the middle above its own boxes: a node is read with its summands, and
no wires cross above the boxes. The n boxes of a layer, in g groups, divide the width into slots:

    (G1)  the middle of slot s, in group r, is  width (s + 1/2 + e (r + 1/2)) / (n + e g),
          s, r = 0, 1, ..., where e = 1/2 is half a slot between groups, and e = 0
          if there is only one group, or no group with several boxes

The boxes of a single target stand straight above their sources where these leave them their slots.
Where one row would make the boxes too small to read, they alternate between two rows. Lengths are
in inches, y points up, the lowest nodes are at y = 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, IntArray

BOX, SLOT = 0.54, 0.68  # largest side of a box, and its slot
SINGLE, DOUBLE = 0.82, 1.4  # side of a box in slots, in one row and in two
LEAST_BOX = 0.4  # a single row of smaller boxes becomes two
BETWEEN_ROWS = 0.12
LEAST_RISE, MOST_RISE = 0.36, 1.2  # height of a band of wires,
RISE = 0.16  # of its longest horizontal run
NODE, MARGIN = 0.12, 0.12  # space around a node, around everything
MOST_WIDTH = 11.0  # of all boxes side by side, where no space is given
BETWEEN_NAMES = 0.05
NAME_POINTS, TITLE_POINTS, NOTE_POINTS = 10.0, 11.0, 8.0


@dataclass(frozen=True)
class Label:
    """A text whose upper edge, lower edge or middle is `at`, for va "top", "bottom", "center".

    `role` is "name", "title", "note" or "function"; `angle` is 0 or 90.
    """

    role: str
    text: str
    at: tuple[float, float]
    points: float
    va: str
    angle: float = 0.0
    alpha: float = 1.0


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout.

    `extent` (4,): left, bottom, right, top; `nodes` (n_nodes, 2): row, 0 for inputs, and index, at
    `node_at` (n_nodes, 2). For each edge, (n_edges, ...): `edges` layer, output, input; `boxes`
    left, bottom, side; `wires` (4, 2), from the source to the target. Everything, letters too, is
    reduced by the factor `scale`.
    """

    extent: FloatArray
    nodes: IntArray
    node_at: FloatArray
    edges: IntArray
    boxes: FloatArray
    wires: FloatArray
    labels: tuple[Label, ...] = ()
    scale: float = 1.0

    @property
    def size(self) -> FloatArray:
        """Width and height before everything is reduced."""
        return self.extent[2:] - self.extent[:2]


def plan_diagram(
    drawn: Sequence[BoolArray],
    shown: Sequence[IntArray],
    names: tuple[Sequence[str], Sequence[str]],
    title: str = "",
    note: str = "",
    space: FloatArray | None = None,
) -> Plan:
    """Return the layout of the edges `drawn` (n_out, n_in) in each layer, as large as fits.

    `shown` are the nodes of each row, `names` those of the shown inputs and outputs. In a `space`
    (width, height) boxes move together first, then everything is reduced. None is natural size.
    """
    texts = [*names, [title], [note]]
    sizes = [text_sizes(one) for one in texts]
    totals = [_slots(edges, row)[2] for edges, row in zip(drawn, shown[1:], strict=True)]
    of_names = [len(one) * (_widest(one) * NAME_POINTS + MARGIN) for one in sizes[:2]]
    natural = max(SLOT * max(1.0, len(shown[0]), *totals), *of_names)
    scale = 1.0
    while True:  # ends: as the scale falls, the width becomes the natural one
        most = MOST_WIDTH if space is None else max(SLOT, space[0] / scale - 2.0 * MARGIN)
        plan = _with_texts(_places(drawn, shown, min(natural, most)), len(drawn), texts, sizes)
        if space is None:
            return plan
        fit = float((space / plan.size).min())
        if fit >= 0.97 * scale:
            return replace(plan, scale=min(1.0, fit))
        scale *= 0.97


# --- nodes, boxes and wires


def _slots(edges: BoolArray, targets: IntArray) -> tuple[FloatArray, FloatArray, float]:
    """Return the middles of boxes and of targets by (G1) for the width 1, and n + e g.

    A target without an edge has an empty slot.
    """
    n_boxes = edges[targets].sum(axis=1)
    counts = np.maximum(1, n_boxes)
    group = np.repeat(np.arange(len(counts)), counts)
    n, g, e = len(group), len(counts), 0.5 if 1 < len(counts) < len(group) else 0.0
    # [eq:row-of-slots]
    middles = (np.arange(n) + 0.5 + e * (group + 0.5)) / (n + e * g)
    # [/eq:row-of-slots]
    return middles[n_boxes[group] > 0], np.bincount(group, middles) / counts, n + e * g


def _places(drawn: Sequence[BoolArray], shown: Sequence[IntArray], width: float) -> Plan:
    """Return the layout of nodes, boxes and wires in a width."""
    n_inputs, y = len(shown[0]), 0.0
    at = width * (np.arange(n_inputs) + 0.5) / max(1, n_inputs)
    if np.array_equal(np.nonzero(drawn[0])[1], shown[0]):
        at = width * _slots(drawn[0], shown[1])[0]  # inputs with one box each stand under it
    node_at, bands = [_points(at, y)], []
    for n, (layer, sources, targets) in enumerate(zip(drawn, shown, shown[1:], strict=False)):
        j, i = np.nonzero(layer)
        start = at[np.searchsorted(sources, i)]
        x, at = (width * middles for middles in _slots(layer, targets)[:2])
        least = min(0.999 * width / max(1, len(x)), 1.001 * SLOT)
        if len(at) == 1 and len(x) and np.diff(start).min(initial=width) >= least:
            x, at = start, start.mean(keepdims=True)  # boxes straight above their sources
        end = at[np.searchsorted(targets, j)]
        spacing = float(np.diff(x).min(initial=width))
        n_rows = 1 if SINGLE * spacing >= LEAST_BOX else 2
        side = min(BOX, (SINGLE if n_rows == 1 else DOUBLE) * spacing)
        low = y + _rise(start - x)
        bottom = low + np.arange(len(x)) % n_rows * (side + BETWEEN_ROWS)
        high = low + n_rows * (side + BETWEEN_ROWS) - BETWEEN_ROWS
        top = high + _rise(end - x)
        stops = [_points(start, y), _points(x, low), _points(x, high), _points(end, top)]
        edges = np.stack([np.full(len(j), n), j, i], axis=1)
        boxes = np.stack([x - side / 2.0, bottom, np.full(len(x), side)], axis=1)
        bands.append((edges, boxes, np.stack(stops, axis=1)))
        node_at.append(_points(at, top))
        y = top
    edges, boxes, wires = (np.concatenate(parts) for parts in zip(*bands, strict=True))
    nodes = [np.stack([np.full(len(row), n), row], axis=1) for n, row in enumerate(shown)]
    extent = np.array([0.0, 0.0, width, y])
    return Plan(extent, np.concatenate(nodes), np.concatenate(node_at), edges, boxes, wires)


def _points(x: FloatArray, y: float) -> FloatArray:
    """Return points (n, 2) at one height."""
    return np.stack([x, np.full(len(x), y)], axis=1)


def _rise(runs: FloatArray) -> float:
    """Return the height of a band of wires with these horizontal runs."""
    return float(np.clip(RISE * np.abs(runs).max(initial=0.0), LEAST_RISE, MOST_RISE))


# --- texts


def text_sizes(texts: Sequence[str]) -> FloatArray:
    """Return the widths and heights (n, 2) of texts whose letters have one point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ruler, points = Figure(dpi=72.0), 40.0
    FigureCanvasAgg(ruler)
    boxes = [ruler.text(0.0, 0.0, one, size=points).get_window_extent() for one in texts]
    return np.array([box.size for box in boxes]).reshape(-1, 2) / (72.0 * points)


def _widest(sizes: FloatArray) -> float:
    return float(sizes[:, 0].max(initial=0.0))


def _with_texts(
    plan: Plan, last: int, texts: Sequence[Sequence[str]], sizes: Sequence[FloatArray]
) -> Plan:
    """Return the layout with the names of the rows 0 and `last`, a title above, a note below."""
    _, bottom, width, top = plan.extent
    labels, wide = [], width
    for n, row, va in ((0, 0, "top"), (1, last, "bottom")):
        at = plan.node_at[plan.nodes[:, 0] == row, 0]
        ends = np.concatenate([-at[:1], at, 2.0 * width - at[-1:]])
        room = float(np.diff(ends).min(initial=np.inf))
        angle, points, tall = _row_of_names(sizes[n], room)
        y = bottom - NODE if va == "top" else top + NODE
        for text, x in zip(texts[n], at, strict=True):
            labels.append(Label("name", text, (float(x), y), points, va, angle))
        bottom, top = (y - tall, top) if va == "top" else (bottom, y + tall)
    for n, role, points, va in (
        (2, "title", TITLE_POINTS, "bottom"),
        (3, "note", NOTE_POINTS, "top"),
    ):
        if texts[n][0]:
            y = bottom - MARGIN if va == "top" else top + MARGIN
            broad, tall = points * sizes[n][0]
            labels.append(Label(role, texts[n][0], (width / 2.0, y), points, va))
            bottom, top = (y - tall, top) if va == "top" else (bottom, y + tall)
            wide = max(wide, broad)
    extent = np.array([(width - wide) / 2.0, bottom, (width + wide) / 2.0, top])
    margins = MARGIN * np.array([-1.0, -1.0, 1.0, 1.0])
    return replace(plan, extent=extent + margins, labels=tuple(labels))


def _row_of_names(sizes: FloatArray, room: float) -> tuple[float, float, float]:
    """Return angle, points and height of names in a row, each with `room` from left to right.

    Names that would touch are turned upright, and smaller where even that is too wide.
    """
    wide, tall = sizes.max(axis=0, initial=0.0)
    if wide * NAME_POINTS + BETWEEN_NAMES <= room:
        return 0.0, NAME_POINTS, tall * NAME_POINTS
    points = min(NAME_POINTS, 0.95 * room / tall)
    return 90.0, points, wide * points
