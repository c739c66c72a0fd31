"""What a diagram shows: for each edge its curve, opacity and name in the layout of `plan`.

Liu et al. 2024, section 2.5.1, step "visualization": an edge of magnitude A is drawn with the
opacity

    (G2)  alpha = tanh(beta A),    A = |phi|_1 = mean_b |phi(x_b)|  (their eq. 2.17),    beta = 3

so that unimportant edges are faint. Masked edges are not drawn, and a note counts the edges that
are too faint to see. A box shows its curve at 201 places in the range of the samples, from its
smallest to its largest value there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray, IntArray
from kan_ref.drawing.plan import Label, Plan, plan_diagram, text_sizes
from kan_ref.network import (
    Layer,
    Network,
    check_network,
    edge_samples,
    evaluate,
    layer_edge_outputs,
)

N_POINTS = 201  # of a curve
MOST_EDGES = 48  # of a layer; more boxes would be too small to read
FLAT = 1e-9  # a curve whose range is below this, relative to its size, is a constant
PADDING, CAPTION = 0.1, 0.3  # space around a curve, of a box; above it for the name of a function
FAINT = 0.02  # an edge with less opacity differs from the paper by at most 5 of 255 shades of grey
FUNCTION_POINTS = 9.0


@dataclass(frozen=True, eq=False)
class Diagram:
    """A network in its layout.

    `plan` has its edges and labels; `sums` (n_nodes,): whether more than one active edge enters a
    node; `curves` (n_edges, n_points, 2), nan where there is nothing to draw; `alphas` (n_edges,)
    by (G2); `functions`: names for symbolic edges, "" for splines.
    """

    plan: Plan
    sums: BoolArray
    curves: FloatArray
    alphas: FloatArray
    functions: tuple[str, ...]


def lay_out(
    networks: Sequence[Network],
    x: object,
    titles: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    beta: float = 3.0,
    most_edges: int = MOST_EDGES,
    space: FloatArray | None = None,
) -> list[Diagram]:
    """Return a diagram of each network, all in one layout: an edge has the same place in all.

    The arguments are those of `draw_network`; `space` (width, height) in inches, None for natural
    size.
    """
    for n, network in enumerate(networks):
        check_network(f"networks[{n}]" if len(networks) > 1 else "network", network)
    widths = networks[0].widths
    for n, network in enumerate(networks):
        if network.widths != widths:
            raise ValueError(
                f"networks[{n}] has widths {network.widths}, but networks[0] has {widths}"
            )
    samples = [edge_samples(network, x) for network in networks]
    checks.number("beta", beta, above=0.0)
    most_edges = checks.integer("most_edges", most_edges, low=1)
    below = _names("names", names, "x", widths[0])
    if names is not None:
        checks.new_names(below, checks.column_names(x))
    above = _names("output_names", output_names, "y", widths[-1])

    layers = list(zip(*(network.layers for network in networks), strict=True))
    active = [np.any([active_edges(one) for one in layer], axis=0) for layer in layers]
    scores = [
        np.max([np.abs(outputs).mean(axis=0) for _, outputs in layer], axis=0)
        for layer in zip(*samples, strict=True)
    ]
    drawn = [_strongest(*layer, most_edges) for layer in zip(active, scores, strict=True)]
    shown = _shown_nodes(drawn, most_edges)
    notes = [
        f"layer {n}: the {most_edges} strongest of {edges.sum()} edges"
        for n, edges in enumerate(active)
        if edges.sum() > most_edges
    ]
    faint = [opacities(one[edges], beta) < FAINT for one, edges in zip(scores, drawn, strict=True)]
    if n_faint := int(np.concatenate(faint).sum()):
        notes.append(f"{n_faint} edge{'s are' if n_faint > 1 else ' is'} too faint to see")
    plan = plan_diagram(
        drawn,
        shown,
        ([below[i] for i in shown[0]], [above[j] for j in shown[-1]]),
        title=max(titles, key=len),
        note="\n".join(notes),
        space=space,
    )
    sums = np.array([n > 0 and active[n - 1][i].sum() > 1 for n, i in plan.nodes], dtype=bool)
    return [
        _diagram(plan, sums, *frame, beta) for frame in zip(networks, samples, titles, strict=True)
    ]


def _names(argument: str, given: Any, letter: str, n: int) -> tuple[str, ...]:
    """Return the names that are given, or numbered letters."""
    if given is None:
        return (f"${letter}$",) if n == 1 else tuple(f"${letter}_{{{i + 1}}}$" for i in range(n))
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        checks.fail(argument, given, f"must be a sequence of {n} str", TypeError)
    found = tuple(checks.instance(f"{argument}[{i}]", one, str) for i, one in enumerate(given))
    if len(found) != n:
        raise ValueError(f"{argument} has {len(found)} entries, but needs {n}")
    return found


def active_edges(layer: Layer) -> BoolArray:
    """Return the edges (n_out, n_in) that are not masked."""
    active: BoolArray = layer.mask == 1.0
    for edge in layer.symbolic:
        active[edge.output, edge.input] = True
    return active


def opacities(scores: FloatArray, beta: float) -> FloatArray:
    """Return the opacities (G2) of edges with the magnitudes `scores`."""
    # [eq:edge-opacity]
    alphas: FloatArray = np.tanh(beta * scores)
    # [/eq:edge-opacity]
    return alphas


def _strongest(active: BoolArray, scores: FloatArray, most: int) -> BoolArray:
    """Return the `most` active edges of a layer with the largest scores."""
    order = np.argsort(np.where(active, -scores, np.inf), axis=None, kind="stable")
    chosen = np.zeros_like(active)
    chosen.flat[order[:most]] = True
    return chosen & active


def _shown_nodes(drawn: Sequence[BoolArray], most: int) -> list[IntArray]:
    """Return the nodes of each row where edges end, and all inputs or outputs if they are few."""
    below, above = ([edges.sum(axis=axis) > 0 for edges in drawn] for axis in (0, 1))
    rows = [below[0], *(u | v for u, v in zip(above, below[1:], strict=False)), above[-1]]
    for row in (rows[0], rows[-1]):
        row |= len(row) <= most
    return [np.flatnonzero(row) for row in rows]


# --- one network in the layout


def _diagram(
    plan: Plan,
    sums: BoolArray,
    network: Network,
    samples: Sequence[tuple[FloatArray, FloatArray]],
    title: str,
    beta: float,
) -> Diagram:
    """Return the layout with the active edges of this network, their curves, and its title."""
    active = [active_edges(layer) for layer in network.layers]
    own = np.array([active[n][j, i] for n, j, i in plan.edges], dtype=bool)
    edges, boxes = plan.edges[own], plan.boxes[own]
    known = {
        (n, edge.output, edge.input): edge.name
        for n, layer in enumerate(network.layers)
        for edge in layer.symbolic
    }
    functions = tuple(known.get((n, j, i), "") for n, j, i in edges.tolist())
    magnitudes = [np.abs(outputs).mean(axis=0) for _, outputs in samples]
    alphas = opacities(np.array([magnitudes[n][j, i] for n, j, i in edges]), beta)
    curves = [edge_curves(*one) for one in zip(network.layers, samples, strict=True)]
    heights = np.array([curves[n][:, j, i] for n, j, i in edges]).reshape(-1, N_POINTS)
    room = np.array([1.0 - CAPTION if name else 1.0 for name in functions])[:, None]
    left, bottom, side = boxes.T[:, :, None]
    places = np.linspace(PADDING, 1.0 - PADDING, N_POINTS)
    curve_x = left + side * places
    curve_y = bottom + side * (PADDING + (1.0 - 2.0 * PADDING) * room * heights)
    labels = [
        replace(label, text=title) if label.role == "title" else label for label in plan.labels
    ]
    labels += _captions(functions, boxes, alphas)
    own_plan = replace(plan, edges=edges, boxes=boxes, wires=plan.wires[own], labels=tuple(labels))
    return Diagram(own_plan, sums, np.stack([curve_x, curve_y], axis=2), alphas, functions)


def edge_curves(layer: Layer, samples: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return the heights (n_points, n_out, n_in) of all curves from 0 to 1 over their samples.

    Constants are 1/2. Nothing is drawn, nan, beyond the samples' values by more than their range:
    beside a pole between two samples.
    """
    inputs, outputs = samples
    t = np.linspace(0.0, 1.0, N_POINTS)[:, None]
    grid = (1.0 - t) * inputs.min(axis=0) + t * inputs.max(axis=0)
    with np.errstate(all="ignore"):  # a curve may be undefined between samples
        values = layer_edge_outputs(layer, evaluate(layer, grid, slopes=False))
        low, high = outputs.min(axis=0), outputs.max(axis=0)
        least = FLAT * np.maximum(np.abs(low), np.abs(high))
        reach = high - low + least
        values[~((values >= low - reach) & (values <= high + reach))] = np.nan
        bottom, top = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        flat = top - bottom <= least
        heights = (values - bottom) / np.where(flat, 1.0, top - bottom)
    return np.where(flat & ~np.isnan(values), 0.5, heights)


def _captions(functions: Sequence[str], boxes: FloatArray, alphas: FloatArray) -> list[Label]:
    """Return the names of functions in the upper parts of their boxes, as large as fits.

    A name has to be read where a line need only be seen: it is less faint than its edge.
    """
    texts = [function_text(name) for name in functions]
    labels = []
    for text, (wide, _), box, alpha in zip(texts, text_sizes(texts), boxes, alphas, strict=True):
        if text:
            left, bottom, side = box.tolist()
            strip = CAPTION * (1.0 - 2.0 * PADDING) * side
            points = min(FUNCTION_POINTS, 72.0 * strip, 0.85 * side / wide)
            at = left + side / 2.0, bottom + (1.0 - PADDING) * side - strip / 2.0
            labels.append(Label("function", text, at, points, "center", alpha=alpha**0.5))
    return labels


def function_text(name: str) -> str:
    """Return the text for a library function: "x^2" with a raised 2, "1/sqrt" with a root."""
    if re.fullmatch(r"(1/)?x(\^[0-9.]+)?", name):
        return "$" + re.sub(r"\^([0-9.]+)", r"^{\1}", name) + "$"
    return {"sqrt": r"$\sqrt{x}$", "1/sqrt": r"$1/\sqrt{x}$"}.get(name, name)
