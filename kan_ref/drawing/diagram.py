"""The diagram of a network as arrays: a layout with each edge's curve and opacity.

`plan` computes the layout, `painting` paints the result.

Liu et al. 2024, section 2.5.1, step "visualization": an edge of magnitude A is drawn with the
opacity

    (G2)  alpha = tanh(beta A),    A = |phi|_1 = mean_b |phi(x_b)|  (their eq. 2.17),    beta = 3

so that unimportant edges are faint. Masked edges are not drawn, and a note counts the edges that
are too faint to see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.drawing.curves import (
    View,
    box_curves,
    shown_nodes,
    strongest_edges,
    views_of,
)
from kan_ref.drawing.plan import Plan, plan_diagram
from kan_ref.drawing.text import (
    FUNCTION_POINTS,
    LEAST_POINTS,
    Label,
    caption_text,
    check_drawable,
    largest_text,
    text_size,
)
from kan_ref.network import Network, check_inputs, check_network

MOST_EDGES = 48  # of a layer; with more, even two rows of boxes are too small to read
PADDING = 0.1  # space around the curve, of a box
FAINT = 0.02  # an edge with less opacity differs from the paper by at most 5 of 255 shades of grey
CAPTION = 0.3  # of the space inside, the part above the curve for the name of a function


@dataclass(frozen=True, eq=False)
class Diagram:
    """A network in its layout, with one entry for each drawn edge.

    Parameters
    ----------
    plan : Plan
        Places of nodes, boxes, wires and texts.
    sums : (n_nodes,) of bool
        Whether more than one active edge enters a node of the plan (in any of the networks in it).
    curves : (n_edges, n_points, 2)
        Inside the box; nan where there is nothing to draw.
    scores, alphas : (n_edges,)
        A and tanh(beta A).
    functions : tuple of str
        Name of the function of a symbolic edge, "" for splines.
    """

    plan: Plan
    sums: BoolArray
    curves: FloatArray
    scores: FloatArray
    alphas: FloatArray
    functions: tuple[str, ...]


def lay_out(
    network: Network,
    x: object,
    *,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    beta: float = 3.0,
    title: str | None = None,
    most_edges: int = MOST_EDGES,
    space: tuple[float, float] | None = None,
) -> Diagram:
    """Return everything that `kan_ref.draw_network` paints, as arrays.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample, for the scores and the ranges of the curves.
    names, output_names : sequence of str, optional
        None numbers them. Columns of a table x are drawn as they are, dollar signs too.
    beta : float, default 3.0
        Above 0, as in (G2). A note counts the drawn edges whose opacity is below 0.02.
    title : str, optional
    most_edges : int, default 48
        Of a layer with more active edges only those with the largest scores are drawn, and a note
        says so. Hidden nodes without a drawn edge are left out; so are inputs and outputs, if there
        are more than `most_edges` of them.
    space : (width, height), optional
        In inches, above 0: the plan is made to fit. None gives the natural size.

    Returns
    -------
    diagram : Diagram

    Raises
    ------
    ValueError, TypeError
        For wrong arguments: "names has 3 entries, but 2 inputs need 2".

    Notes
    -----
    Implements :eq:`edge-opacity`. Memory: the outputs of all edges, batch x n_out x n_in numbers
    for each layer.
    """
    return lay_out_all(
        [network],
        x,
        [title],
        names=names,
        output_names=output_names,
        beta=beta,
        most_edges=most_edges,
        space=space,
    )[0]


def lay_out_all(
    networks: Sequence[Network],
    x: object,
    titles: Sequence[str | None],
    *,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    beta: float = 3.0,
    most_edges: int = MOST_EDGES,
    space: tuple[float, float] | None = None,
) -> list[Diagram]:
    """Return diagrams of networks of the same widths in one layout.

    An edge that is active in any of the networks has the same place in all of them.

    Parameters
    ----------
    networks : sequence of Network
        At least one.
    x : (batch, n_in)
    titles : sequence
        A str or None for each network.
    names, output_names : sequence of str, optional
    beta : float, default 3.0
    most_edges : int, default 48
        Compared by an edge's largest score in any network.
    space : (width, height), optional

    Returns
    -------
    diagrams : list of Diagram
        All of one size.

    Raises
    ------
    ValueError, TypeError
        "networks[2] has widths (2, 3, 1), but networks[0] has (2, 5, 1)", and as `lay_out`.
    """
    for n, network in enumerate(networks):
        check_network(f"networks[{n}]" if len(networks) > 1 else "network", network)
    first = networks[0]
    for n, network in enumerate(networks):
        if network.widths != first.widths:
            raise ValueError(
                f"networks[{n}] has widths {network.widths}, but networks[0] has {first.widths}"
            )
    points = check_inputs(first, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but curves over samples need at least one")
    checks.number("beta", beta, above=0.0)
    most_edges = checks.integer("most_edges", most_edges, low=1)
    if space is not None and not min(space) > 0.0:
        raise ValueError(f"space is {space}, but must be a width and a height above 0")
    texts = (
        _check_names("names", names, "x", first.widths[0]),
        _check_names("output_names", output_names, "y", first.widths[-1]),
    )
    if names is not None:
        checks.new_names(names, columns := checks.column_names(x) or ())
        own = {*columns, *checks.input_names(columns)}
        texts = [checks.literal(name) if name in own else name for name in texts[0]], texts[1]
    for title in titles:
        if title is not None and not isinstance(title, str):
            raise TypeError(f"title is {title!r}, but must be a str")
        check_drawable("title", title or "")

    views = [views_of(network, points) for network in networks]
    layers = list(zip(*views, strict=True))
    active = [np.any([view.active for view in layer], axis=0) for layer in layers]
    scores = [np.max([view.scores for view in layer], axis=0) for layer in layers]
    drawn = [strongest_edges(*layer, most_edges) for layer in zip(active, scores, strict=True)]
    notes = [
        f"layer {n}: the {most_edges} strongest of {edges.sum()} edges"
        for n, edges in enumerate(active)
        if edges.sum() > most_edges
    ]
    faint = [_opacities(a[edges], beta) < FAINT for a, edges in zip(scores, drawn, strict=True)]
    if n_faint := int(sum(edges.sum() for edges in faint)):
        notes.append(f"{n_faint} edge{'s are' if n_faint > 1 else ' is'} too faint to see")
    shown, title = shown_nodes(drawn, most_edges), largest_text(titles)
    plan = plan_diagram(drawn, shown, texts, title=title, note="\n".join(notes), space=space)
    sums = np.array([n > 0 and active[n - 1][i].sum() > 1 for n, i in plan.nodes], dtype=bool)
    return [_fill(plan, sums, *frame, beta) for frame in zip(networks, views, titles, strict=True)]


def _check_names(
    argument: str, given: Sequence[str] | None, letter: str, count: int
) -> Sequence[str]:
    """Return the names of inputs or outputs, numbered letters for None; raise an error if wrong."""
    if given is None:
        return [f"${letter}$"] if count == 1 else [f"${letter}_{{{n + 1}}}$" for n in range(count)]
    if isinstance(given, str | set | frozenset) or not hasattr(given, "__iter__"):
        checks.fail(argument, given, f"must be a sequence of {count} str", TypeError)
    given = tuple(given)
    if not all(isinstance(name, str) for name in given):
        checks.fail(argument, given, f"must be a sequence of {count} str", TypeError)
    if len(given) != count:
        nodes = "inputs" if letter == "x" else "outputs"
        raise ValueError(f"{argument} has {len(given)} entries, but {count} {nodes} need {count}")
    for n, name in enumerate(given):
        check_drawable(f"{argument}[{n}]", name)
    return given


def _opacities(scores: FloatArray, beta: float) -> FloatArray:
    """Return the opacities (G2) of edges with the magnitudes `scores`."""
    # [eq:edge-opacity]
    alphas: FloatArray = np.tanh(beta * scores)
    # [/eq:edge-opacity]
    return alphas


# --- one network in the layout


def _fill(
    plan: Plan,
    sums: BoolArray,
    network: Network,
    views: Sequence[View],
    title: str | None,
    beta: float,
) -> Diagram:
    """Return the plan with this network's active edges, their curves, and its title."""
    active = np.array([views[n].active[j, i] for n, j, i in plan.edges], dtype=bool)
    drawn, boxes = plan.edges[active], plan.boxes[active]
    scores = np.array([views[n].scores[j, i] for n, j, i in drawn])
    known = {
        (n, edge.output, edge.input): edge.name
        for n, layer in enumerate(network.layers)
        for edge in layer.symbolic
    }
    functions = tuple(known.get((int(n), int(j), int(i)), "") for n, j, i in drawn)
    labels = [label for label in plan.labels if label.role != "title"]
    labels += [
        replace(label, text=title) for label in plan.labels if label.role == "title" and title
    ]
    left, bottom, width, height = boxes.T[:, :, None]
    with_name = np.array([1.0 - CAPTION if name else 1.0 for name in functions])[:, None]
    places, shapes = box_curves(network, views, drawn)
    x = left + width * (PADDING + (1.0 - 2.0 * PADDING) * places)
    y = bottom + height * (PADDING + (1.0 - 2.0 * PADDING) * with_name * shapes)
    alphas = _opacities(scores, beta)
    # a name has to be read where a line need only be seen: it is less faint
    captions = [
        _caption(name, np.sqrt(alpha), plan.scale, *box)
        for name, alpha, box in zip(functions, alphas, boxes, strict=True)
        if name
    ]
    labels += [caption for caption in captions if caption is not None]
    own = replace(
        plan,
        edges=drawn,
        boxes=boxes,
        wires_in=plan.wires_in[active],
        wires_out=plan.wires_out[active],
        labels=tuple(labels),
    )
    return Diagram(own, sums, np.stack([x, y], axis=2), scores, alphas, functions)


def _caption(
    name: str,
    opacity: float,
    scale: float,
    left: float,
    bottom: float,
    width: float,
    height: float,
) -> Label | None:
    """Return the name of a function in the upper part of its box, as large as fits.

    A name whose letters, reduced by the scale, would be too small to read is cut off; None where
    the box is too low for letters that can be read.
    """
    # small letters are set on whole pixels: a name can be a little wider than it should be
    strip, widest = CAPTION * (1.0 - 2.0 * PADDING) * height, 0.9 * width
    highest = min(FUNCTION_POINTS, 72.0 * strip)
    if highest * scale < 0.8 * LEAST_POINTS:
        return None
    text = caption_text(name, widest, min(LEAST_POINTS / scale, highest))
    points = min(highest, FUNCTION_POINTS * widest / text_size(text, FUNCTION_POINTS)[0])
    at = (left + width / 2.0, bottom + (1.0 - PADDING) * height - strip / 2.0)
    return Label(text, at, points, "function", "center", opacity=opacity)
