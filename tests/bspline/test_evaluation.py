"""Sums over basis functions: the dense and the gathered way both give the numbers of the definitions (B7)-(B11)."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import WAYS, contraction_by, layer_cases, random_batch, random_layer

from kan_ref import bspline
from kan_ref.bspline import evaluation
from kan_ref.bspline.evaluation import taken

ways = st.sampled_from(WAYS)


def full_bases(layer, x):
    """B_m(x_bi) and B'_m(x_bi), (batch, n_in, n_basis) with all their zeros."""
    return [bspline.basis(x, layer.knots, layer.degree, derivative) for derivative in (0, 1)]


def bases_by(way, layer, x):
    with contraction_by(way):
        return evaluation.evaluate_bases(layer.rows, x, layer.n_out)


def assert_within(actual, expected, absolute_terms, tolerance=1e-14):
    assert actual.shape == expected.shape
    assert actual.dtype == np.float64
    assert np.abs(actual - expected).max() <= tolerance * max(
        absolute_terms.max(), np.finfo(float).tiny
    )


@given(layer_cases(), ways)
def test_sums_follow_their_definition(case, way):
    layer, x, _ = case
    values, _ = full_bases(layer, x)

    found = evaluation.spline_sums(layer.spline_matrix, bases_by(way, layer, x))

    matrix = layer.spline_matrix.reshape(layer.coef.shape)
    assert_within(
        found,
        np.einsum("bim,jim->bj", values, matrix),
        np.einsum("bim,jim->bj", values, np.abs(matrix)),
    )


@given(layer_cases(), ways)
def test_the_matrix_gradient_follows_its_definition(case, way):
    layer, x, rng = case
    values, _ = full_bases(layer, x)
    dy = rng.normal(size=(len(x), layer.n_out))

    gradient = evaluation.matrix_gradient(dy, bases_by(way, layer, x))

    absolute = np.einsum("bj,bim->jim", np.abs(dy), values)
    assert_within(
        gradient.reshape(layer.coef.shape), np.einsum("bj,bim->jim", dy, values), absolute
    )


@given(layer_cases(), ways)
def test_slope_sums_follow_their_definition(case, way):
    layer, x, rng = case
    _, slopes = full_bases(layer, x)
    dy, matrix = (
        rng.normal(size=(len(x), layer.n_out)),
        layer.spline_matrix.reshape(layer.coef.shape),
    )

    found = evaluation.slope_sums(layer.spline_matrix, bases_by(way, layer, x), dy)

    absolute = np.einsum("bj,jim,bim->bi", np.abs(dy), np.abs(matrix), np.abs(slopes))
    assert_within(found, np.einsum("bj,jim,bim->bi", dy, matrix, slopes), absolute)


@given(layer_cases(), ways, st.sampled_from([0, 1]))
def test_edge_sums_follow_their_definition(case, way, plane):
    layer, x, _ = case
    numbers, matrix = full_bases(layer, x)[plane], layer.spline_matrix.reshape(layer.coef.shape)

    found = bspline.edge_sums(layer.spline_matrix, bases_by(way, layer, x), plane)

    assert_within(
        found,
        np.einsum("bim,jim->bji", numbers, matrix),
        np.einsum("bim,jim->bji", np.abs(numbers), np.abs(matrix)),
    )


@given(layer_cases(), ways)
def test_the_matrix_gradient_of_edges_follows_its_definition(case, way):
    layer, x, rng = case
    values, _ = full_bases(layer, x)
    d_edges = rng.normal(size=(len(x), layer.n_out, layer.n_in))

    gradient = bspline.edge_matrix_gradient(d_edges, bases_by(way, layer, x))

    absolute = np.einsum("bji,bim->jim", np.abs(d_edges), values)
    assert_within(
        gradient.reshape(layer.coef.shape), np.einsum("bji,bim->jim", d_edges, values), absolute
    )


@given(layer_cases())
def test_dense_and_gathered_agree_to_rounding(case):
    layer, x, rng = case
    dy, matrix = rng.normal(size=(len(x), layer.n_out)), layer.spline_matrix

    dense, gathered = (bases_by(way, layer, x) for way in WAYS)

    size = np.abs(matrix).sum() + 1.0
    slope_size = size * np.abs(dense.active.planes[1]).max()
    for compute, scale in (
        (lambda bases: evaluation.spline_sums(matrix, bases), size),
        (lambda bases: evaluation.matrix_gradient(dy, bases), np.abs(dy).sum()),
        (lambda bases: evaluation.slope_sums(matrix, bases, dy), slope_size * np.abs(dy).max()),
    ):
        np.testing.assert_allclose(compute(dense), compute(gathered), rtol=0, atol=1e-14 * scale)


@given(layer_cases(), ways)
def test_sums_and_matrix_gradient_are_adjoint(case, way):
    layer, x, rng = case
    bases = bases_by(way, layer, x)
    dy, matrix = rng.normal(size=(len(x), layer.n_out)), rng.normal(size=layer.spline_matrix.shape)

    forth = np.vdot(dy, evaluation.spline_sums(matrix, bases))
    back = np.vdot(evaluation.matrix_gradient(dy, bases), matrix)

    assert forth == pytest.approx(back, abs=1e-13 * np.abs(dy).sum() * np.abs(matrix).sum())


@for_all(
    ("n_out", "n_basis", "degree", "walks"),
    [
        (1, 8, 3, True),
        (1, 7, 3, False),
        (2, 14, 3, True),
        (2, 13, 3, False),
        (4, 16, 1, True),
        (4, 15, 1, False),
        (5, 20, 1, True),
        (5, 19, 1, False),
        (1, 4, 0, True),
    ],
)
def test_a_layer_gathers_where_the_grid_is_fine_for_the_number_of_its_outputs(
    n_out, n_basis, degree, walks
):
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 2, n_out, degree=degree, n_intervals=n_basis - degree)

    bases = evaluation.evaluate_bases(layer.rows, random_batch(rng, layer, 4), n_out)

    assert evaluation.gathers(n_out, n_basis, degree) is walks
    assert (bases.dense is None) is walks


@pytest.mark.parametrize("way", WAYS)
def test_dense_bases_are_scattered_and_gathered_ones_are_not(way):
    rng = np.random.default_rng(1)
    layer = random_layer(rng, 2, 3, degree=2, n_intervals=4)
    x = random_batch(rng, layer, 5, at_knots=True)

    bases = bases_by(way, layer, x)

    if way == "dense":
        np.testing.assert_array_equal(bases.dense, full_bases(layer, x)[0].reshape(5, -1))
    else:
        assert bases.dense is None


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_batch_gives_empty_sums_and_zero_gradients_of_floats(way):
    layer = random_layer(np.random.default_rng(2), 2, 3, degree=3, n_intervals=4)
    bases = bases_by(way, layer, np.zeros((0, 2)))

    found = evaluation.spline_sums(layer.spline_matrix, bases)
    d_matrix = evaluation.matrix_gradient(np.zeros((0, 3)), bases)
    dx = evaluation.slope_sums(layer.spline_matrix, bases, np.zeros((0, 3)))
    d_edge_matrix = bspline.edge_matrix_gradient(np.zeros((0, 3, 2)), bases)

    assert (found.shape, dx.shape) == ((0, 3), (0, 2))
    for gradient in (d_matrix, d_edge_matrix):
        np.testing.assert_array_equal(gradient, np.zeros((3, 2 * 7)))
        assert gradient.dtype == np.float64


@pytest.mark.parametrize("way", WAYS)
def test_contractions_leave_what_they_are_given_as_it_was(way):
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4)
    x = random_batch(rng, layer, 5)
    bases, matrix, dy, d_edges = (
        bases_by(way, layer, x),
        layer.spline_matrix,
        rng.normal(size=(5, 3)),
        rng.normal(size=(5, 3, 2)),
    )
    given_arrays = [matrix, dy, d_edges, *bases.active.planes, bases.places]
    before = [array.copy() for array in given_arrays]

    evaluation.spline_sums(matrix, bases)
    evaluation.matrix_gradient(dy, bases)
    evaluation.slope_sums(matrix, bases, dy)
    bspline.edge_sums(matrix, bases)
    bspline.edge_matrix_gradient(d_edges, bases)

    for array, copy in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(("way", "how"), [("dense", r"dense (5, 14)"), ("gathered", "gathered")])
def test_bases_print_their_shapes_and_the_way(way, how):
    layer = random_layer(np.random.default_rng(4), 2, 3, degree=3, n_intervals=4)

    assert (
        repr(bases_by(way, layer, np.zeros((5, 2))))
        == f"Bases(ActiveBasis(columns (5, 2), planes (4, 5, 2), (4, 5, 2)), {how})"
    )


@given(layer_cases())
def test_without_slopes_the_values_are_the_same_and_no_derivatives_are_kept(drawn):
    layer, x = drawn[:2]

    both, values = (
        evaluation.evaluate_bases(layer.rows, x, layer.n_out, slopes=slopes)
        for slopes in (True, False)
    )

    assert (len(both.active.planes), len(values.active.planes)) == (2, 1)
    np.testing.assert_array_equal(values.values, both.values)


def test_a_workspace_changes_no_bit_and_asks_for_no_new_memory():
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 3, 4, degree=3, n_intervals=5)
    workspace = evaluation.Workspace()

    for batch in (5, 9, 2):
        x = random_batch(rng, layer, batch)
        dy = rng.standard_normal((batch, 4))
        new = evaluation.evaluate_bases(layer.rows, x, 4)
        reused = evaluation.evaluate_bases(layer.rows, x, 4, workspace=workspace)
        for one, two in zip(new.active.planes, reused.active.planes, strict=True):
            np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(new.dense, reused.dense)
        np.testing.assert_array_equal(
            evaluation.slope_sums(layer.spline_matrix, new, dy),
            evaluation.slope_sums(layer.spline_matrix, reused, dy),
        )

    first = taken(workspace, "planes", (2, 3))
    assert np.shares_memory(first, taken(workspace, "planes", (3, 2)))
    assert not np.shares_memory(first, taken(workspace, "dense", (3, 2)))


def test_an_array_of_a_workspace_has_its_memory_when_it_is_taken_again():
    workspace = evaluation.Workspace()
    first = taken(workspace, "planes", (2, 3))

    assert first.shape == (2, 3)
    assert np.shares_memory(first, taken(workspace, "planes", (3, 2)))
    assert not np.shares_memory(first, taken(workspace, "planes", (7,)))
    assert not np.shares_memory(taken(workspace, "planes", (2,)), taken(None, "planes", (2,)))
