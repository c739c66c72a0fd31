"""Finite numbers of any size give finite results, or one error that names the remedy; no warning is ever shown."""

import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr

sizes = st.one_of(
    st.floats(-323.0, 307.0).map(lambda power: 10.0**power),
    st.sampled_from([5e-324, 1e-320, 1e-308, 1e-300, 1e-150, 1e150, 1e300, 8e307]),
)
RNG = np.random.default_rng
X = RNG(0).uniform(-1.0, 1.0, (12, 2))
Y = X[:, :1] ** 2 + X[:, 1:]
BASES = ("silu", "identity", "zero")


WHAT = r"^(?:along |x\b|y\b|theta|domain|knots|the (?:range|value|gradient|residual)|d_|dx|jacobian|all )"
RULE = r"\b(?:must|needs?|beyond|overflow|at most|at least|digits|too narrow|too wide)\b"
REMEDY = r": (?:.*, )?(?:scale|give) [^:]+$"


def lacks(message):
    """Return what a message does not have: an argument or a result, a rule, a remedy at its end."""
    parts = {"what": WHAT, "rule": RULE, "remedy": REMEDY}
    return [name for name, pattern in parts.items() if not re.search(pattern, message)]


def finite_or_refused(call):
    """Return the arrays of a call, all finite; None if it raises ValueError with a whole message."""
    message = None
    try:
        arrays = call()
    except ValueError as error:
        message = str(error)
    if message is not None:
        assert lacks(message) == [], message
        return None
    assert all(np.isfinite(array).all() for array in arrays)
    return arrays


def network_for(size, base="silu", degree=3):
    return kr.init_network(
        (2, 2, 1), n_intervals=3, degree=degree, domain=(-size, size), base=base, rng=RNG(0)
    )


@given(sizes, st.sampled_from(BASES), st.integers(0, 4))
def test_a_domain_of_any_size_gives_a_finite_network_or_an_error(size, base, degree):
    found = finite_or_refused(lambda: [network_for(size, base, degree).theta])

    if found is not None:
        network, x = network_for(size, base, degree), size * X
        finite_or_refused(lambda: [network(x)])
        finite_or_refused(lambda: kr.value_and_grad(network, x, Y))
        finite_or_refused(lambda: [kr.check_gradients(network, x, rng=RNG(1)).worst])


@pytest.mark.parametrize("place", ["x", "y", "theta", "domain"])
@given(sizes, st.sampled_from(BASES))
def test_networks_at_extreme_numbers_compute_finite_numbers_or_raise_an_error(place, size, base):
    try:
        network = network_for(size if place == "domain" else 1.0, base)
        network = network.with_theta(network.theta * (size if place == "theta" else 1.0))
    except ValueError:
        return
    x, y = (size * X if place in ("x", "domain") else X), (size * Y if place == "y" else Y)

    finite_or_refused(lambda: [network(x)])
    finite_or_refused(lambda: [kr.forward(network, x)[0]])
    finite_or_refused(lambda: kr.value_and_grad(network, x, y))
    finite_or_refused(lambda: [kr.extend_grid(network, x, n_intervals=4).theta])
    finite_or_refused(lambda: [kr.update_grid(network, x).theta])
    finite_or_refused(lambda: [kr.check_gradients(network, x, rng=RNG(1), n_directions=1).worst])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "bfgs", "lm"])
@given(sizes, st.sampled_from(["x", "y", "theta"]))
def test_a_fit_to_extreme_numbers_ends_with_a_finite_network_or_an_error(optimizer, size, place):
    network = network_for(1.0)
    if place == "theta":
        network = network.with_theta(size * network.theta)
    x, y = size * X if place == "x" else X, size * Y if place == "y" else Y
    data = kr.Data(x, y, x, y)

    finite_or_refused(
        lambda: [kr.fit(network, data, optimizer=optimizer, n_steps=2, rng=RNG(0)).network.theta]
    )


@given(sizes, sizes)
def test_curves_of_extreme_size_are_fitted_or_rejected(x_size, y_size):
    knots = finite_or_refused(lambda: [kr.uniform_knots(-x_size, x_size, 4, 3)])

    if knots is not None:
        finite_or_refused(
            lambda: [
                kr.fit_curve(x_size * X[:, 0], y_size * Y, knots=knots[0][0], degree=3).coef,
                kr.fit_curve(x_size * X[:, 0], y_size * Y, knots=knots[0][0], degree=3).residual,
            ]
        )

    def affine():
        fit = kr.fit_affine(x_size * X[:, 0], y_size * Y[:, 0], "tanh")
        return [fit.a, fit.b, fit.c, fit.d, fit.r2]

    finite_or_refused(affine)


@given(sizes)
def test_networks_of_any_size_are_saved_and_loaded_to_the_bit(tmp_path_factory, size):
    network = network_for(1.0)
    network = network.with_theta(np.nextafter(size, 0.0) * network.theta)
    path = tmp_path_factory.mktemp("any") / "network.json"

    kr.save(network, path)

    np.testing.assert_array_equal(kr.load(path).theta, network.theta)


@given(sizes)
def test_functions_on_domains_of_any_size_are_registered_or_rejected(size):
    def register():
        try:
            kr.register_function(
                "line of any size",
                lambda u: 2.0 * u,
                lambda u: np.full_like(u, 2.0),
                np.zeros_like,
                np.zeros_like,
                domain=(0.0, size),
                complexity=1,
            )
        finally:
            if "line of any size" in kr.LIBRARY:
                kr.unregister_function("line of any size")
        return []

    finite_or_refused(register)


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        (
            "domain is 0 to 1e-320 at input 0, but must be at least 1e-300 wide: scale the inputs",
            [],
        ),
        ("array must not contain infs: scale x", ["what"]),
        ("x contains inf at row 0, column 1: scale x", ["rule"]),
        ("the value at the start is inf, but must be finite", ["remedy"]),
        ("overflow encountered", ["what", "remedy"]),
    ],
)
def test_a_message_without_argument_rule_or_remedy_is_found(message, missing):
    assert lacks(message) == missing


@pytest.mark.parametrize("size", [5e-324, 1e-320, 1e-308])
def test_a_domain_whose_derivatives_would_overflow_is_rejected_with_the_remedy(size):
    with pytest.raises(ValueError, match=r"^domain is .*at least 1e-300 wide: scale the inputs$"):
        network_for(size)


@pytest.mark.parametrize("optimizer", ["lbfgs", "lm"])
def test_a_loss_that_overflows_at_the_start_names_the_remedy(optimizer):
    network = network_for(1.0)

    with pytest.raises(ValueError, match="scale x, y and the parameters to size one"):
        kr.fit(network, kr.Data(1e300 * X, Y, X, Y), optimizer=optimizer)


@for_all("wrong", [1, 2, 3])
@for_all("limit", [4.5, -30.0, 300.0])
def test_a_derivative_that_is_wrong_far_from_0_is_found(wrong, limit):
    """Right on [-4, 4], wrong beyond a limit."""
    parts = [np.sin, np.cos, lambda u: -np.sin(u), lambda u: -np.cos(u)]
    right = parts[wrong]

    def faulty(u):
        beyond = u > limit if limit > 0 else u < limit
        return np.where(beyond, 1.01 * right(u) + 0.01, right(u))

    parts[wrong] = faulty

    with pytest.raises(ValueError, match=f"^d{wrong} of 'far' is "):
        kr.register_function("far", *parts, complexity=1)


@for_all("name", sorted(kr.LIBRARY))
def test_every_function_of_the_library_passes_its_own_verification(name):
    from kan_ref.functions.verification import check_derivatives

    record = kr.LIBRARY[name]

    check_derivatives(record)

    assert record.name == name
