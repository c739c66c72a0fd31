"""Layout of the diagram of a network: places of nodes, boxes, wires and names.

Inputs are at the bottom, outputs at the top. Between two rows of nodes every edge has a box, a wire
from its source up to the box, and a wire from the box up to its target. The paper (Liu et al. 2024,
figures 2.4 and 4.1) groups the boxes of a layer by source. Here they are grouped by target, in the
order of the sources, and a node is centred above its own boxes: a node and its summands are read
together, and no wires cross above the boxes. The n boxes of a layer, in g groups, divide the width
of the diagram into slots:

    (G1)  the middle of slot s, in group r, is  width (s + 1/2 + e (r + 1/2)) / (n + e g),
          s, r = 0, 1, ..., where e = 1/2 is half a slot between groups, and e = 0
          if there is only one group, or no group with several boxes

So the nodes of a layer with all its edges are evenly spaced, and the boxes of a single target are
straight above their sources. Where edges are missing, these boxes are moved there, and inputs with
one box each are placed under it.

If one row would make the boxes too small to read, they alternate between two rows, and wires pass
vertically between them. Lengths are in inches, the origin is the lower left corner, y points up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, IntArray
from kan_ref.drawing.text import NOTE_POINTS, TITLE_POINTS, Label, name_labels, widest_name

BOX, SLOT = 0.54, 0.68  # largest box, and its slot
MOST_WIDTH = 11.0  # of all boxes side by side, where no space is given
SHRINK = 0.95  # factor of the scale from one trial to the next
ENOUGH = 0.9  # trials end where so much of the scale fits: outer boxes reach out a little
SINGLE, DOUBLE = 0.82, 1.4  # side of a box in slots, in one row and in two
LEAST_SINGLE_BOX = 0.4  # below this side there are two rows of boxes
BETWEEN_ROWS = 0.12
LEAST_GAP, MOST_GAP = 0.36, 1.2  # height of a band of wires
GAP_PER_RUN = 0.16  # of this height per inch of its longest horizontal run
NODE, MARGIN = 0.12, 0.12  # radius of a node with the space around it; space around everything


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout, with one entry for each drawn node and for each edge with a box.

    Parameters
    ----------
    size : (2,)
        Width and height of the picture.
    nodes : (n_nodes, 2) of int
        Row of nodes (0 are the inputs), index in it.
    node_at : (n_nodes, 2)
    edges : (n_edges, 3) of int
        Layer, output, input.
    boxes : (n_edges, 4)
        Left, bottom, width, height.
    wires_in, wires_out : (n_edges, 3, 2)
        From the source to the middle of the box's lower edge; from the middle of its upper edge to
        the target.
    labels : tuple of Label
    scale : float
        Factor by which everything, letters too, has to be reduced.
    """

    size: FloatArray
    nodes: IntArray
    node_at: FloatArray
    edges: IntArray
    boxes: FloatArray
    wires_in: FloatArray
    wires_out: FloatArray
    labels: tuple[Label, ...]
    scale: float = 1.0


def plan_diagram(
    drawn: Sequence[BoolArray],
    shown: Sequence[IntArray],
    names: tuple[Sequence[str], Sequence[str]],
    *,
    title: str = "",
    note: str = "",
    space: tuple[float, float] | None = None,
) -> Plan:
    """Return the layout of edges and nodes in a space.

    Where the space is too small, boxes become smaller first, then the diagram as a whole.

    Parameters
    ----------
    drawn : sequence of (n_out, n_in) of bool
        The edges of each layer that have a box.
    shown : sequence of (n,) of int
        The nodes of each row that are drawn: all ends of these edges, and possibly others.
    names : (names of inputs, names of outputs)
    title, note : str, default ""
        Above and below everything.
    space : (width, height), optional
        Above 0. The plan, reduced by its `scale`, fits there. None gives the natural size.

    Returns
    -------
    plan : Plan

    Notes
    -----
    Implements :eq:`row-of-slots`.
    """
    slots = [_slots(edge, row)[2] for edge, row in zip(drawn, shown[1:], strict=True)]
    for_names = [
        len(row) * (widest_name(texts, row) + MARGIN)
        for texts, row in zip(names, (shown[0], shown[-1]), strict=True)
    ]
    natural = max(SLOT * max(len(shown[0]), *slots), *for_names)
    if space is None:
        return _plan(drawn, shown, names, title, note, min(MOST_WIDTH, natural))
    scale = 1.0
    while True:  # ends: as the scale falls, the width becomes the natural one
        width = float(np.clip(space[0] / scale - 2.0 * MARGIN, SLOT, natural))
        plan = _plan(drawn, shown, names, title, note, width)
        fit = float((np.array(space) / plan.size).min())
        if fit >= ENOUGH * scale or width == natural:
            return replace(plan, scale=min(1.0, fit))
        scale *= SHRINK


def _plan(
    drawn: Sequence[BoolArray],
    shown: Sequence[IntArray],
    names: tuple[Sequence[str], Sequence[str]],
    title: str,
    note: str,
    width: float,
) -> Plan:
    """Return the layout whose boxes side by side are this wide."""
    rows = [np.full(drawn[0].shape[1], np.nan)]  # horizontal places of the nodes of each row
    rows[0][shown[0]] = _inputs_at(drawn[0], shown[0], shown[1], width)
    heights, bands = [0.0], list[_Band]()
    for n, edge in enumerate(drawn):
        bands.append(_band(n, edge, shown[n + 1], rows[n], heights[n], width))
        rows.append(bands[n].targets)
        heights.append(bands[n].top)

    nodes = [(n, i) for n, row in enumerate(shown) for i in row.tolist()]
    labels = name_labels(names[0], rows[0], -NODE, "top") + name_labels(
        names[1], rows[-1], heights[-1] + NODE, "bottom"
    )
    lowest = min([0.0] + [label.extent[1] for label in labels])
    highest = max([heights[-1]] + [label.extent[3] for label in labels])
    if title:
        labels.append(
            Label(title, (width / 2.0, highest + MARGIN), TITLE_POINTS, "title", "bottom")
        )
    if note:
        labels.append(Label(note, (width / 2.0, lowest - MARGIN), NOTE_POINTS, "note", "top"))
    return _move_to_origin(
        Plan(
            size=np.zeros(2),
            nodes=np.array(nodes, dtype=np.intp).reshape(-1, 2),
            node_at=np.array([(rows[n][i], heights[n]) for n, i in nodes]).reshape(-1, 2),
            edges=np.concatenate([band.edges for band in bands]),
            boxes=np.concatenate([band.boxes for band in bands]),
            wires_in=np.concatenate([band.wires_in for band in bands]),
            wires_out=np.concatenate([band.wires_out for band in bands]),
            labels=tuple(labels),
        ),
        (0.0, 0.0, width, heights[-1]),
    )


def _move_to_origin(plan: Plan, core: tuple[float, float, float, float]) -> Plan:
    """Return the plan with its lower left corner at the origin, and with its size.

    `core` (left, bottom, right, top) is always inside.
    """
    extents = [np.array([core, *(label.extent for label in plan.labels)])]
    extents.append(np.tile(plan.node_at, 2) + NODE * np.array([-1.0, -1.0, 1.0, 1.0]))
    extents.append(
        np.concatenate([plan.boxes[:, :2], plan.boxes[:, :2] + plan.boxes[:, 2:]], axis=1)
    )
    around = np.concatenate(extents)
    corner = around[:, :2].min(axis=0) - MARGIN
    return replace(
        plan,
        size=around[:, 2:].max(axis=0) + MARGIN - corner,
        node_at=plan.node_at - corner,
        boxes=plan.boxes - np.append(corner, (0.0, 0.0)),
        wires_in=plan.wires_in - corner,
        wires_out=plan.wires_out - corner,
        labels=tuple(
            replace(label, at=(label.at[0] - corner[0], label.at[1] - corner[1]))
            for label in plan.labels
        ),
    )


# --- one layer


@dataclass(frozen=True, eq=False)
class _Band:
    """The layout between two rows of nodes.

    `edges`, `boxes` and wires as in `Plan`; `targets`: horizontal places of the upper nodes; `top`:
    their height.
    """

    edges: IntArray
    boxes: FloatArray
    wires_in: FloatArray
    wires_out: FloatArray
    targets: FloatArray
    top: float


def _slots(drawn: BoolArray, targets: IntArray) -> tuple[IntArray, FloatArray, float]:
    """Return the number of slots of each target, the middles of all slots by (G1), and n + e g.

    A target without an edge has one slot. Middles are in units of slots.
    """
    counts = np.maximum(1, drawn[targets].sum(axis=1))
    between = 0.5 if len(counts) > 1 and counts.max() > 1 else 0.0
    group = np.repeat(np.arange(len(counts)), counts)
    # [eq:row-of-slots]
    middles = np.arange(len(group)) + 0.5 + between * (group + 0.5)
    total = len(group) + between * len(counts)
    # [/eq:row-of-slots]
    return counts, middles, max(1.0, total)


def _inputs_at(drawn: BoolArray, inputs: IntArray, targets: IntArray, width: float) -> FloatArray:
    """Return the places of inputs: evenly spaced, or straight under their boxes.

    The latter if each has one box, and these are in the order of the inputs.
    """
    counts, middles, total = _slots(drawn, targets)
    _, i = np.nonzero(drawn)
    if np.array_equal(i, inputs):
        return width * middles[np.repeat(drawn[targets].any(axis=1), counts)] / total
    return width * (np.arange(len(inputs)) + 0.5) / max(1, len(inputs))


def _band(
    n: int, drawn: BoolArray, targets: IntArray, sources_at: FloatArray, base: float, width: float
) -> _Band:
    """Return boxes and wires of layer n, on sources at the height `base`."""
    counts, middles, total = _slots(drawn, targets)
    j, i = np.nonzero(drawn)
    slot = width / total
    middles = slot * middles
    if (
        len(targets) == 1
        and len(i)
        and np.diff(sources_at[i]).min(initial=np.inf) >= min(slot, SLOT)
    ):
        middles = sources_at[i]
    targets_at = np.full(len(drawn), np.nan)
    targets_at[targets] = (
        [own.mean() for own in np.split(middles, np.cumsum(counts)[:-1])] if len(targets) else []
    )
    x = middles[np.repeat(drawn[targets].any(axis=1), counts)]
    two_rows = SINGLE * slot < LEAST_SINGLE_BOX
    side = min(BOX, (DOUBLE if two_rows else SINGLE) * slot)
    step = (side + BETWEEN_ROWS) * two_rows
    low = base + _gap(sources_at[i] - x)
    high = low + side + step
    top = high + _gap(targets_at[j] - x)
    bottom = np.full(len(x), low)
    bottom[1::2] += step
    sides = np.full(len(x), side)
    return _Band(
        edges=np.stack([np.full(len(j), n), j, i], axis=1),
        boxes=np.stack([x - side / 2.0, bottom, sides, sides], axis=1),
        wires_in=_wires((sources_at[i], base), (x, low), (x, bottom)),
        wires_out=_wires((x, bottom + side), (x, high), (targets_at[j], top)),
        targets=targets_at,
        top=top,
    )


def _gap(runs: FloatArray) -> float:
    """Return the height of a band of wires with these horizontal runs."""
    return float(np.clip(GAP_PER_RUN * np.abs(runs).max(initial=0.0), LEAST_GAP, MOST_GAP))


def _wires(*stops: tuple[FloatArray, float | FloatArray]) -> FloatArray:
    """Return polylines (n, 3, 2) through three stops, each given as x (n,) and y."""
    return np.stack([np.stack(np.broadcast_arrays(x, y), axis=-1) for x, y in stops], axis=1)
