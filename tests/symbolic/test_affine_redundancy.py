"""Canonical parameters: how many are free, and at which ends of a period or of float64 they change."""

import numpy as np
import pytest
from cases import for_all

from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic.canonical import canonical_affine, n_inner


@for_all("name", [name for name in LIBRARY if name != "sgn"])
def test_the_free_inner_parameters_are_the_rank_of_all_four_without_the_outer_two(name):
    """d/d(a, b, c, d) of c f(a x + b) + d as columns over samples."""
    function = LIBRARY[name]
    u = np.linspace(0.15, 0.85, 60)
    x, c = (u - 0.1) / 0.7, 1.7
    columns = np.stack([c * function.d1(u) * x, c * function.d1(u), function.f(u), np.ones(60)])
    if name == "abs":  # its zero must lie among the samples
        columns[:3] = c * np.sign(x - 0.5) * x, c * np.sign(x - 0.5), np.abs(x - 0.5)
    length = np.linalg.norm(columns, axis=1, keepdims=True)
    rank = np.linalg.matrix_rank(columns / np.where(length > 0.0, length, 1.0), tol=1e-7)

    assert n_inner(function) == max(rank - 2, 0)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_phase_that_rounding_puts_below_the_end_of_its_period_is_none_and_any_other_stays(name):
    redundancy = LIBRARY[name].redundancy
    end = redundancy.first + redundancy.turn

    assert canonical_affine(LIBRARY[name], (2.0, end - 1e-14, 3.0, 1.0)) == (
        2.0,
        redundancy.first,
        3.0 * redundancy.turn_sign,
        1.0,
    )
    for below in (1e-12, 1e-9, 0.5, 1.5):
        kept = canonical_affine(LIBRARY[name], (2.0, end - below, 3.0, 1.0))
        assert kept == pytest.approx((2.0, end - below, 3.0, 1.0), abs=1e-15)


@for_all("name", ["exp", "x^5", "1/x^2", "sqrt"])
@for_all("sign", [1.0, -1.0])
@for_all("c", [1.0, -1e-200, 1e200, 0.0])
def test_a_scale_moves_into_c_where_both_it_and_the_new_c_are_far_from_the_ends_of_float64(
    name, sign, c
):
    function = LIBRARY[name]
    for logarithm in (1.0, 200.0, 300.0, 650.0, 690.0, 720.0, 900.0):
        if name == "exp":
            affine = (1.0, sign * logarithm, c, 0.0)
        elif abs(logarithm / function.redundancy.degree) < 700.0:
            affine = (np.exp(sign * logarithm / function.redundancy.degree), 0.0, c, 0.0)
        else:  # there is no such a in float64
            continue
        log_c = np.log(abs(c)) if c else 0.0
        fits = logarithm < 700.0 and abs(log_c + sign * logarithm) < 700.0

        a, b, new_c, _ = canonical_affine(function, affine)

        assert ((a, b) == (1.0, 0.0)) == fits
        if fits:
            assert new_c == pytest.approx(c * np.exp(sign * logarithm), rel=1e-10)
        else:
            assert (a, b, new_c) == affine[:3]
