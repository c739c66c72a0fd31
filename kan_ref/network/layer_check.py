"""Checks of a Layer's arguments: shapes that agree, flags 0 or 1, one kind for every edge."""

import numpy as np

from kan_ref import checks
from kan_ref.bspline import check_knots, gathers, prepare_knots
from kan_ref.checks import FloatArray
from kan_ref.functions import BASE_NAMES
from kan_ref.network.symbolic_edges import check_edges


def checked_fields(
    *,
    knots: object,
    coef: object,
    w_base: object,
    w_spline: object,
    mask: object,
    degree: object,
    base: object,
    symbolic: object,
    affine: object,
) -> dict[str, object]:
    """Return all fields of a `Layer`: read-only copies of checked arguments, and what follows.

    Raises
    ------
    ValueError, TypeError
        "mask is 2 at output 0, input 1, but every edge needs 0 or 1", and the like.
    """
    k = checks.integer("degree", degree, low=0)
    rows = check_knots("knots", knots, k)
    n_in, n_intervals = rows.shape[0], rows.shape[1] - 2 * k - 1
    base_weights = checks.array("w_base", w_base, ("n_out", n_in))
    if 0 in base_weights.shape:
        raise ValueError(
            f"w_base has shape {base_weights.shape}, but a layer needs at least one output "
            "and one input"
        )
    n_out, n_basis = base_weights.shape[0], n_intervals + k
    coefficients = checks.array("coef", coef, ("n_out", "n_in", "n_basis"))
    if coefficients.shape != (n_out, n_in, n_basis):
        raise ValueError(
            f"coef has shape {coefficients.shape}, but {n_out} outputs, {n_in} inputs and "
            f"n_intervals {n_intervals} + degree {k} need {(n_out, n_in, n_basis)}"
        )
    flags = checks.array("mask", mask, (n_out, n_in))
    wrong = np.argwhere(~np.isin(flags, (0.0, 1.0)))
    if len(wrong):
        j, i = (int(place) for place in wrong[0])
        raise ValueError(
            f"mask is {flags[j, i]:g} at output {j}, input {i}, but every edge needs 0 or 1"
        )
    edges, rows_of_edges = check_edges(symbolic, affine, flags)
    arrays = {
        "knots": rows.copy(),
        "coef": coefficients.copy(),
        "w_base": base_weights.copy(),
        "w_spline": checks.array("w_spline", w_spline, (n_out, n_in)).copy(),
        "mask": flags.copy(),
        "affine": rows_of_edges.copy(),
    }
    for array in arrays.values():
        array.flags.writeable = False
    return arrays | {
        "degree": k,
        "base": checks.choice("base", base, BASE_NAMES),
        "symbolic": edges,
        **knot_fields(arrays["knots"], k, n_out),
        "n_in": n_in,
        "n_out": n_out,
    }


def knot_fields(knots: FloatArray, degree: int, n_out: int) -> dict[str, object]:
    """Return the fields of a `Layer` that follow from its knots."""
    n_basis = knots.shape[1] - degree - 1
    return {
        "rows": prepare_knots(knots, degree),
        "breakpoints": knots[:, degree : n_basis + 1],
        "n_basis": n_basis,
        "n_intervals": n_basis - degree,
        "gathered": gathers(n_out, n_basis, degree),
    }
