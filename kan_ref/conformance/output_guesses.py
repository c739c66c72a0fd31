"""Likely flags of wrong gradients of a layer, and of wrong counts of parameters."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kan_ref.conformance.facts import INPUTS
from kan_ref.conformance.judge import Outcome


def wrong_gradient(left: Sequence[Outcome], judged: Sequence[Outcome]) -> str:
    """Return the flag of a layer's gradients if one of them alone is wrong, or "".

    `left` are the failures of `layer_vjp` without a confirmed flag, `judged` all outcomes. B' is
    not wrong if all derivatives of basis functions are right: then dx is another sum of them.
    """
    right = [one for one in judged if one.case.method == "layer_vjp" and one.status == "passed"]
    flag = _wrong_part(left, right)
    derivatives = [one for one in judged if one.case.method == "basis_derivative"]
    known = bool(derivatives) and all(one.status == "passed" for one in derivatives)
    return "DxWithoutSpline" if flag == "BasisSlope" and known else flag


def _wrong_part(left: Sequence[Outcome], passed: Sequence[Outcome]) -> str:
    """Return the flag of the wrong part of a layer's gradients, or "".

    dx = sum_j dy_j (w_base b' + w_spline sum_m coef_m B'_m): a wrong dx without a base function is
    due to B', and so is one with silu if most others with silu are right. Else b' is wrong.
    """
    outputs = {output for outcome in left for output in outcome.verdict.outputs}
    if not left or set.intersection(*({*one.case.flags} & {*INPUTS} for one in left)):
        return ""
    for name, flag in (("d_w_spline", "DWSplineWithoutCoef"), ("d_coef", "DCoefWithoutWSpline")):
        if outputs == {name}:
            return flag
    if outputs != {"dx"}:
        return ""
    parts = {"DxWithoutSpline", "DxWithoutBase"}
    if parts <= {flag for one in left for flag in one.verdict.empty}:
        return "DxWithoutSpline"  # and without the base function: zeros
    with_base, right = (
        [one for one in outcomes if np.any(one.case.inputs["layer"]["w_base"])]
        for outcomes in (left, passed)
    )
    wrong, known = (
        [one.case.inputs["layer"]["base"] for one in outcomes if len(one.case.inputs["x"])]
        for outcomes in (with_base, right)
    )
    if len(with_base) == len(left) and set(wrong) == {"zero"}:
        return "BaseName"  # with other base functions B' is right
    if len(with_base) < len(left) or "zero" in wrong:
        return "BasisSlope"
    if known.count("silu") > len(wrong):  # few fail: where silu itself is special, or by their B'
        special = any(flag.startswith("Silu") for one in left for flag in one.case.flags)
        return "" if special else "BasisSlope"
    return "SiluSlope" if set(wrong) == {"silu"} else ""


def wrong_count(mine: Sequence[Outcome]) -> str:
    """Return the flag of wrong counts: too small by at most the weights, or too large by numbers of
    nodes, not of edges. All others count other coefficients.
    """
    widths = [one.case.inputs["widths"] for one in mine]
    errors = [float(one.verdict.got) - float(one.verdict.expected) for one in mine]
    edges = [sum(a * b for a, b in pairwise(sizes)) for sizes in widths]
    if all(-2 * n <= error < 0 for error, n in zip(errors, edges, strict=True)):
        return "CountWeights"
    by_edge = all(error % n == 0.0 for error, n in zip(errors, edges, strict=True))
    return "CountBias" if min(errors) > 0.0 and not by_edge else "CountBases"
