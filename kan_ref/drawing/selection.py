"""Selection of edges and nodes of a network for its diagram."""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, IntArray


def strongest_edges(active: BoolArray, scores: FloatArray, most: int) -> BoolArray:
    """Return the `most` active edges of a layer with the largest scores, (n_out, n_in).

    Of edges with equal scores, the first ones are taken.
    """
    if active.sum() <= most:
        return active
    chosen = np.zeros_like(active)
    order = np.argsort(np.where(active, -scores, np.inf), axis=None, kind="stable")
    chosen.flat[order[:most]] = True
    return chosen


def shown_nodes(drawn: Sequence[BoolArray], most: int) -> list[IntArray]:
    """Return the indices of the nodes to draw in each row, inputs first, given the drawn edges.

    These are the ends of drawn edges. Inputs are drawn without an edge too, if there are at most
    `most` of them, and so are outputs.
    """
    counts = (drawn[0].shape[1], *(len(edges) for edges in drawn))
    touched = [np.zeros(count, dtype=bool) for count in counts]
    for n, edges in enumerate(drawn):
        touched[n] |= edges.any(axis=0)
        touched[n + 1] |= edges.any(axis=1)
    for row in (touched[0], touched[-1]):
        row |= len(row) <= most
    return [np.flatnonzero(row) for row in touched]
