"""Finite numbers of any size, and symbolic edges that are undefined: a finite result, or one error that says where and what helps.

Finite numbers of any size give finite results, or one error that names the remedy; no warning is ever shown. Every public function that takes
a network either works where a symbolic edge is undefined, or reports edge and sample.
"""

import contextlib
import dataclasses
import re
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.bspline.refined_grids import insert_knot
from kan_ref.network import place_hidden_grids, refine

sizes = st.one_of(
    st.floats(-323.0, 307.0).map(lambda power: 10.0**power),
    st.sampled_from([5e-324, 1e-320, 1e-308, 1e-300, 1e-150, 1e150, 1e300, 8e307]),
)
RNG = np.random.default_rng
UNIT_X = RNG(0).uniform(-1.0, 1.0, (12, 2))
UNIT_Y = UNIT_X[:, :1] ** 2 + UNIT_X[:, 1:]
BASES = ("silu", "identity", "zero")


WHAT = r"^(?:along |x\b|y\b|y_train\b|theta|domain|knots|the (?:range|value|gradient|residual)|d_|dx|jacobian|all )"
RULE = r"\b(?:must|needs?|beyond|overflow|at most|at least|digits|too narrow|too wide)\b"
REMEDY = r": (?:.*, )?(?:or )?(?:scale|give) [^:]+$"


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
        network, x = network_for(size, base, degree), size * UNIT_X
        finite_or_refused(lambda: [network(x)])
        finite_or_refused(lambda: kr.value_and_grad(network, x, UNIT_Y))
        finite_or_refused(lambda: [kr.check_gradients(network, x, rng=RNG(1)).worst])


@pytest.mark.parametrize("place", ["x", "y", "theta", "domain"])
@given(sizes, st.sampled_from(BASES))
def test_networks_at_extreme_numbers_compute_finite_numbers_or_raise_an_error(place, size, base):
    try:
        network = network_for(size if place == "domain" else 1.0, base)
        network = network.with_theta(network.theta * (size if place == "theta" else 1.0))
    except ValueError:
        return
    x, y = (
        (size * UNIT_X if place in ("x", "domain") else UNIT_X),
        (size * UNIT_Y if place == "y" else UNIT_Y),
    )

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
    x, y = size * UNIT_X if place == "x" else UNIT_X, size * UNIT_Y if place == "y" else UNIT_Y
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
                kr.fit_curve(
                    x_size * UNIT_X[:, 0], y_size * UNIT_Y, knots=knots[0][0], degree=3
                ).coef,
                kr.fit_curve(
                    x_size * UNIT_X[:, 0], y_size * UNIT_Y, knots=knots[0][0], degree=3
                ).residual,
            ]
        )

    def affine():
        fit = kr.fit_affine(x_size * UNIT_X[:, 0], y_size * UNIT_Y[:, 0], "tanh")
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
        kr.fit(network, kr.Data(1e300 * UNIT_X, UNIT_Y, UNIT_X, UNIT_Y), optimizer=optimizer)


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


# --- undefined symbolic edges


SAMPLE = 3
EDGE = {"output": 0, "input": 0}


def samples(odd):
    """Return 20 samples in [0, 1]^2; one of them has `odd` as its first input."""
    x = RNG(0).uniform(0.3, 1.0, (20, 2))
    x[SAMPLE, 0] = odd
    return x


BLANK = kr.init_network((2, 2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
LINE = kr.fix_symbolic(BLANK, 0, output=0, input=0, name="x")
LINE = kr.mask_edges(LINE, 0, [[1, 0], [1, 1]])
# log u with u = x + 0.25 in the first layer or in the last one, undefined at x = -0.5
LOG = {"name": "log", "affine": (1.0, 0.25, 1.0, 0.0)}
FIRST = kr.fix_symbolic(BLANK, 0, **EDGE, **LOG)
LAST = kr.fix_symbolic(LINE, 1, **EDGE, **LOG)
UNDEFINED = {"first": FIRST, "last": LAST}
X = samples(-0.5)
VALUES = {
    "first": r"\[3\] gives log on the edge from input 0 to output 0 of layer 0 the argument -0.25, where it has no",
    "last": r"\[3\] gives log on the edge from input 0 to output 0 of layer 1 the argument -0.25, where it has no",
}
# sqrt has a value at 0, but no derivative
ROOT = kr.fix_symbolic(BLANK, 0, **EDGE, name="sqrt")
ZERO = samples(0.0)
ROOT_EDGE = (
    r"(x|x_train|terms\[[01]\]\.x)\[3\] gives sqrt on the edge from input 0 to output 0 of layer 0 "
    r"the argument \S+, where "
)
SLOPE = ROOT_EDGE + "its derivative has no finite value"
GOOD = samples(0.5)
Y = GOOD[:, :1] ** 2


def data(x_train, x_test=GOOD):
    return kr.Data(x_train, Y, x_test, Y)


def problem(x):
    return kr.residual_problem([kr.linear_term(x, first=[1.0, 0.0], source=1.0)])


def edge_curve(network, x):
    layer = 1 if network is LAST else 0
    return kr.edge_curve(network, layer, **EDGE, x=x)


def all_symbolic(network):
    for number, layer in enumerate(network.layers):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            network = kr.fix_symbolic(network, number, output=j, input=i, name="x")
    return network


def scores(kind):
    return lambda network, x: kr.edge_scores(network, x, kind=kind)


FITS = {
    f"fit {name}": lambda network, x, options=options: kr.fit(
        network, data(x), n_steps=2, **options
    )
    for name, options in {
        "lm": {},
        "lm on finer grids": {"grids": (4, 6)},
        "lbfgs": {"optimizer": "lbfgs"},
        "with a penalty": {"penalty_weight": 0.01},
        "bfgs": {"optimizer": "bfgs"},
        "ssbroyden": {"optimizer": "ssbroyden"},
        "adam": {"optimizer": "adam"},
        "on fixed grids": {"update_grids": False},
    }.items()
}
# calls that evaluate the network at x
EVALUATES = {
    "Network": lambda network, x: network(x),
    "forward": lambda network, x: kr.forward(network, x)[0],
    "edge_outputs": kr.edge_outputs,
    "edge_curve": edge_curve,
    "edge_scores mean": scores("mean"),
    "edge_scores std": scores("std"),
    "edge_scores attribution": scores("attribution"),
    "node_scores": kr.node_scores,
    "distance old": lambda network, x: kr.distance(network, BLANK, x),
    "distance new": lambda network, x: kr.distance(BLANK, network, x),
    "prune": kr.prune,
    "remove_nodes": lambda network, x: kr.remove_nodes(network, x, 1, [1]),
    "remove_edges": lambda network, x: kr.remove_edges(network, x, 0, [(1, 1)]),
    "suggest_symbolic": lambda network, x: kr.suggest_symbolic(
        network, x, 0, output=1, input=1, names=("x",)
    ),
    "fix_symbolic": lambda network, x: kr.fix_symbolic(
        network, 0, output=1, input=1, name="x", x=x
    ),
    "fix_pattern": lambda network, x: kr.fix_pattern(
        network, [[[None] * 2, [None, "x"]], *[None] * (len(network.layers) - 1)], x
    ),
    "auto_symbolic": lambda network, x: kr.auto_symbolic(network, x, names=("x",)),
    "extend_grid": lambda network, x: kr.extend_grid(network, x, n_intervals=5),
    "update_grid": kr.update_grid,
    "draw_network": kr.draw_network,
    "coverage": kr.coverage,
    "predict_labels": kr.predict_labels,
    "predict_proba": lambda network, x: kr.predict_proba(network, x, loss="logistic"),
    "save_film": lambda network, x: filmed(network, x),
    "value_and_grad": lambda network, x: kr.value_and_grad(network, x, Y),
    "value_and_grad penalty": lambda network, x: kr.value_and_grad(
        network, x, Y, penalty_weight=0.1
    ),
    "backward": lambda network, x: kr.backward(network, kr.forward(network, x)[1], Y),
    "check_gradients": lambda network, x: kr.check_gradients(network, x, rng=RNG(0)),
    **FITS,
    "fit problem": lambda network, x: kr.fit(network, problem=problem(x), n_steps=1),
    "fit problem and data": lambda network, x: kr.fit(
        network, data(x), problem=problem(GOOD), n_steps=1
    ),
    "fit_smooth": lambda network, x: kr.fit_smooth(
        network, data(x), grids=(4,), weights=(0.0,), n_steps=1, rng=RNG(0)
    ),
    "eliminate": lambda network, x: kr.eliminate(network, data(x), grids=(4,), n_steps=1),
    "input_jacobian": kr.input_jacobian,
    "input_hessian": kr.input_hessian,
    "input_hessian_diag": kr.input_hessian_diag,
    "input_laplacian": kr.input_laplacian,
}
# calls that need no values of the network at x
WORKS = {
    "Layer": lambda network, x: repr(network.layers),
    "mask_edges": lambda network, x: kr.mask_edges(network, 0, [[0, 1], [1, 1]])(x),
    "lock_edges": lambda network, x: locked(network),
    "unlock_edges": lambda network, x: kr.unlock_edges(locked(network), 0, [(0, 0)]),
    "unfix_symbolic": lambda network, x: kr.unfix_symbolic(LINE, 0, **EDGE)(x),
    "canonical_form": lambda network, x: kr.canonical_form(network).theta,
    "split_edge": lambda network, x: (
        kr.split_edge(
            kr.fix_symbolic(network, 0, output=1, input=1, name="exp(sin)"), 0, output=1, input=1
        ).theta
    ),
    "formula": lambda network, x: str(kr.formula(all_symbolic(network))),
    "formula_latex": lambda network, x: kr.formula_latex(all_symbolic(network)),
    "save": lambda network, x: saved(network).theta,
    "to_c": lambda network, x: kr.to_c(network),
    "to_scipy": lambda network, x: kr.to_scipy(network, 0, output=0, input=1).c,
    "extend_grid": lambda network, x: kr.extend_grid(network, n_intervals=8),
}
NO_NETWORK = """
LAN MLP init_lan init_mlp lan_from_mlp update_lan_grids fit_curve uniform_knots LIBRARY
compose percentile_bounds register_function unregister_function recognise_constants init_network
adam bfgs lbfgs levenberg_marquardt levenberg_marquardt_cg ResidualProblem Scales equation_term
from_formula function_term linear_term suggest_formulas
residual_problem value_term fit_affine Data Scaler TARGETS sample scaled History Run SmoothRun
best_start run_starts discover from_efficient_kan ValidatedRun fit_validated
from_jaxkan from_pykan load
"""
VALIDATION = (
    "validation_rmse",
    "validation_loss",
    "validation_accuracy",
)  # nan where nothing is held out
OF_SPLINES = "to_efficient_kan to_jaxkan to_pykan"  # reject all symbolic edges


def locked(network):
    function = network.layers[0].symbolic[0].name
    return kr.lock_edges(
        kr.fix_symbolic(network, 0, output=1, input=1, name=function), 0, [(0, 0), (1, 1)]
    )


def filmed(network, x):
    with TemporaryDirectory() as folder:
        return kr.save_film([network], x, f"{folder}/film.gif")


def saved(network):
    with TemporaryDirectory() as folder:
        kr.save(network, f"{folder}/net.npz")
        return kr.load(f"{folder}/net.npz")


def has_nan(result, names=()):
    """Return whether a number in a record, sequence, mapping or array is nan, besides those of these names."""
    if dataclasses.is_dataclass(result):
        parts = {key: value for key, value in vars(result).items() if key not in names}
        return has_nan(list(parts.values()), names)
    if isinstance(result, dict):
        return has_nan(list(result.values()), names)
    if isinstance(result, list | tuple):
        return any(has_nan(one, names) for one in result)
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        return bool(np.isnan(result).any())
    return isinstance(result, float) and bool(np.isnan(result))


def test_every_public_name_is_in_one_of_the_tables():
    tested = {name.split()[0] for table in (EVALUATES, WORKS) for name in table}
    others = set(f"{NO_NETWORK} {OF_SPLINES}".split())

    assert tested | others == set(kr.__all__)
    assert not tested & others


@for_all("layer", UNDEFINED)
@for_all("name", EVALUATES)
def test_an_undefined_value_is_reported_by_edge_and_sample(name, layer):
    x = X[:, 0] if name == "edge_curve" else X

    with pytest.raises(ValueError, match=VALUES[layer]) as error:
        EVALUATES[name](UNDEFINED[layer], x)

    assert "contains nan" not in str(error.value)


@for_all("layer", UNDEFINED)
@for_all("name", WORKS)
def test_what_needs_no_value_works_with_undefined_edges(name, layer):
    assert not has_nan(WORKS[name](UNDEFINED[layer], X if name != "mask_edges" else GOOD))


FAR = samples(900.0)  # its silu and its products underflow
FAR[SAMPLE + 1] = 1e-300, -900.0


NEAR = GOOD.copy()  # 1e-17 beyond a knot at 0, where products of distances underflow
NEAR[SAMPLE] = 1e-17, 1e-300


@for_all("name", {**EVALUATES, **WORKS})
@for_all(("size", "samples"), [(1.0, FAR), (1e-200, NEAR), (1e100, GOOD), (1e300, NEAR)])
def test_the_settings_of_numpy_for_errors_are_those_of_the_callers_code_alone(size, samples, name):
    """Products of tiny weights underflow, and those of large ones overflow."""
    network = BLANK.with_theta(size * BLANK.theta)
    if size == 1.0:
        network = kr.fix_symbolic(network, 0, **EDGE, name="gaussian")
    call = {**EVALUATES, **WORKS}[name]
    x = samples[:, 0] if name == "edge_curve" else samples

    # some of the numbers are too large for some of the calls: that is an error of its own
    with np.errstate(all="raise"), contextlib.suppress(ValueError, IndexError):
        call(network, x)


BASELINES = {
    "MLP": lambda x: kr.init_mlp((2, 3, 2), activation="silu", rng=RNG(0))(x),
    "LAN": lambda x: lan()(x),
    "init_lan": lambda x: kr.init_lan((2, 3, 1), n_intervals=3, degree=3, domain=x, rng=RNG(0)),
    "update_lan_grids": lambda x: kr.update_lan_grids(lan(), x),
    "lan_from_mlp": lambda x: kr.lan_from_mlp(
        kr.init_mlp((2, 3, 2), activation="silu", rng=RNG(0)), x, n_intervals=3, degree=3
    ),
    "predict_proba": lambda x: kr.predict_proba(BLANK.with_theta(1e3 * BLANK.theta), x),
    "value_and_grad": lambda x: kr.value_and_grad(lan(), x, np.hstack([Y, Y])),
    **{
        f"{name} starts": lambda x, start=start: start(
            (2, 2, 1), data(x), n_intervals=3, degree=3, n_starts=2, n_steps=2, rng=RNG(0)
        )
        for name, start in {"best_start": kr.best_start, "run_starts": kr.run_starts}.items()
    },
    "fit_affine": lambda x: kr.fit_affine(x[:, 0], x[:, 1], "gaussian"),
    "suggest_formulas": lambda x: kr.suggest_formulas(x[:, 0], x[:, 0]),
    "scaled": lambda x: kr.scaled(data(x)),
    "fit_validated": lambda x: kr.fit_validated(
        kr.scaled(data(x))[0], n_folds=2, n_steps=2, rng=RNG(0)
    ),
    "discover": lambda x: kr.discover(data(x), seconds=0.5, rng=RNG(0)),
    "Data split": lambda x: kr.Data.split(x, x[:, 0], rng=RNG(0)),
    "sample": lambda x: kr.sample(
        lambda x: x[:, 0], n_in=2, domain=(-900.0, 1e-300), n_train=9, n_test=9, rng=RNG(0)
    ),
    "init_network": lambda x: kr.init_network(
        (2, 2, 1), n_intervals=3, degree=3, domain=x, x=x, y=np.full((20, 1), 1e-200), rng=RNG(0)
    ),
    "init_mlp": lambda x: kr.init_mlp((2, 3, 2), activation="tanh", rng=RNG(0))(x),
    "percentile_bounds": kr.percentile_bounds,
    "uniform_knots": lambda x: kr.uniform_knots([-900.0, 0.0], [1e-300, 1e-290], 3, 3),
    "fit_curve": lambda x: kr.fit_curve(
        x[:, 0], np.full((20, 1), 1e-200), knots=kr.uniform_knots(-900.0, 900.0, 3, 3)[0], degree=3
    ),
    "basis": lambda x: [
        kr.bspline.basis([[1e-17], [1e-300]], KNOTS, degree=3, derivative=order)
        for order in range(4)
    ],
    "basis_integral": lambda x: kr.bspline.basis_integral(KNOTS, 3, 1e-17, 1e-300),
    "insert_knots": lambda x: kr.bspline.insert_knots(
        1e-300 * KNOTS, 3, np.ones((1, 1, 5)), 1e-300 * np.sort(np.append(KNOTS, [[0.3]], axis=1))
    ),
    "insert_knot": lambda x: insert_knot(1e-17 * KNOTS[0], 3, np.full((1, 5), 1e-300), 3e-18),
    "LIBRARY": lambda x: [entry.d3(x[:, 0] ** 0) for entry in kr.LIBRARY.values()],
    "compose": lambda x: kr.compose("exp", "exp"),
    "recognise_constants": lambda x: kr.recognise_constants(
        1e-300 * X_SYMBOL, x[:, :1], names=("x",)
    ),
    "from_formula": lambda x: kr.from_formula(
        X_SYMBOL * sympy.Symbol("y"), ("x", "y"), domain=(-1e3, 1e3)
    ),
    "equation_term": lambda x: kr.equation_term(
        sympy.exp(-1000 * X_SYMBOL**2) * U, np.linspace(0.3, 0.9, 40)[:, None]
    ),
    "equation_term product": lambda x: kr.equation_term(
        sympy.exp(-1000 * X_SYMBOL**2) * U * U.diff(X_SYMBOL), np.linspace(0.3, 0.9, 40)[:, None]
    ),
    "value_term": lambda x: kr.value_term(x, 1e-300, weight=1e-300),
    "linear_term": lambda x: kr.linear_term(x, second=[1e-300, 1e300], source=1e-300),
    "residual_problem": lambda x: kr.fit(
        BLANK, problem=kr.residual_problem([kr.value_term(x, 1e-100), square_term(x)]), n_steps=1
    ),
    "Scales": lambda x: in_units(kr.Scales([(0.0, 1e-100), (0.0, 1e100)], (0.0, 1e-100))),
    "adam": lambda x: kr.adam(lambda t: (float(t[0]), np.full_like(t, 1e-200)), GOOD[0]),
    **{
        name: lambda x, name=name: getattr(kr, name)(
            lambda t: (1e-200 * float(t[0] ** 2), 2e-200 * t), GOOD[0, :1]
        )
        for name in ("bfgs", "lbfgs")
    },
    **{
        name: lambda x, name=name: getattr(kr, name)(
            lambda t: (1e-200 * t, 1e-200 * np.eye(2)), GOOD[0], residuals=lambda t: 1e-200 * t
        )
        for name in ("levenberg_marquardt", "levenberg_marquardt_cg")
    },
    **{
        f"from_{name}": lambda x, name=name: getattr(kr, f"from_{name}")(
            getattr(kr, f"to_{name}")(TINY)
        )
        for name in ("efficient_kan", "jaxkan", "pykan")
    },
}
KNOTS = np.array([[-1.0, -0.5, 0.0, 0.1, 0.4, 0.5, 0.7, 1.0, 2.0]])
TINY = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1, 1), rng=RNG(0))
TINY = TINY.with_theta(1e-300 * TINY.theta)
X_SYMBOL = sympy.Symbol("x")
U = sympy.Function("u")(X_SYMBOL)
# records of results, files and functions of the caller's own
NOT_COMPUTED = """
Data LAN MLP History ResidualProblem Run Scaler SmoothRun ValidatedRun TARGETS function_term
load register_function unregister_function
"""


def in_units(scales):
    return scales.network(BLANK), scales.inputs([[1e-100, 1e-100]]), scales.outputs([[1e-100]])


def square_term(x):
    """Return a term of a function of the caller's own, which makes no tiny numbers itself."""
    return kr.function_term(
        x, lambda x, u, du, d2u: (u[:, 0] - 1.0, np.ones_like(u), None, None), order=0
    )


def test_every_public_name_without_a_network_is_called_with_extreme_numbers():
    called = {name.split()[0] for name in BASELINES}

    assert set(NO_NETWORK.split()) - called <= set(NOT_COMPUTED.split())


def lan():
    return kr.init_lan((2, 3, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(0))


@for_all("name", BASELINES)
def test_so_it_is_where_no_network_is_given(name):
    with np.errstate(all="raise"):
        BASELINES[name](FAR)


@for_all("model", ["MLP", "LAN"])
def test_a_baseline_whose_outputs_overflow_says_so(model):
    made = kr.init_mlp((2, 3, 2), activation="relu", rng=RNG(0)) if model == "MLP" else lan()
    large = made.with_theta(made.theta * 1e200)

    for call in (
        large,
        lambda x: kr.predict_proba(large, x),
        lambda x: kr.predict_labels(large, x),
    ):
        with pytest.raises(ValueError, match="the outputs lie beyond float64"):
            call(1e200 * np.ones((1, 2)))


@for_all("name", EVALUATES)
def test_where_an_edge_has_no_derivative_a_result_is_finite_or_edge_and_sample_are_reported(name):
    x = ZERO[:, 0] if name == "edge_curve" else ZERO
    reported = ""
    try:
        result = EVALUATES[name](ROOT, x)
    except ValueError as error:
        reported = str(error)

    if reported:
        assert re.search(ROOT_EDGE, reported)
    else:
        assert not has_nan(result, ("test_accuracy", "train_accuracy", *VALIDATION))


NEED_DERIVATIVES = [
    name
    for name in EVALUATES
    if name.split()[0] in ("backward", "value_and_grad", "fit") and name != "fit problem and data"
]


@for_all("name", NEED_DERIVATIVES)
def test_gradients_and_training_report_an_edge_without_a_derivative(name):
    with pytest.raises(ValueError, match=SLOPE) as raised:
        EVALUATES[name](ROOT, ZERO)
    if "gradient at the start" in str(raised.value):
        assert "finite numbers: start at other parameters, where the" in str(raised.value)


# --- undefined at test samples alone


@pytest.mark.parametrize("name", ["x_test", "reference x"])
def test_a_run_says_why_its_test_errors_are_nan(name):
    if name == "x_test":
        run = kr.fit(FIRST, data(GOOD, X), n_steps=2, trainable=("coef",))
    else:
        known = kr.residual_problem(problem(GOOD).terms, reference=(X, Y))
        run = kr.fit(FIRST, problem=known, n_steps=2, trainable=("coef",))

    assert np.isnan(run.history.test_rmse).all()
    unknown = ("test_rmse", "test_loss", "test_accuracy", "train_accuracy", *VALIDATION)
    assert not has_nan(run, unknown)
    assert "; the test error is nan, because" in run.stopped
    assert f"{name}[3] gives log on the edge from input 0 to output 0 of layer 0" in run.stopped


def test_a_run_with_test_errors_says_nothing_of_them():
    run = kr.fit(FIRST, data(GOOD), n_steps=2)

    assert np.isfinite(run.history.test_rmse).all()
    assert "nan" not in run.stopped


def test_fit_smooth_and_eliminate_use_no_test_samples():
    run = kr.fit_smooth(FIRST, data(GOOD, X), grids=(4,), weights=(0.0,), n_steps=1, rng=RNG(0))
    found = kr.eliminate(FIRST, data(GOOD, X), grids=(4,), n_steps=1)

    assert not has_nan(run)
    assert not has_nan(found)


def test_discover_notes_why_the_test_error_of_a_step_is_nan():
    x = RNG(0).uniform(0.5, 2.0, (60, 1))
    found = kr.discover(
        kr.Data(x, np.log(x), [[1.0], [-0.5]], [[0.0], [0.0]]),
        widths=(1, 1),
        functions=("log",),
        rng=RNG(0),
    )

    assert np.isnan(found.test_rmse)
    assert found.train_rmse < 1e-10
    note = (
        "; the test error is nan, because x_test[1] gives log on the edge from input 0 to output 0"
    )
    assert note in found.steps[-1].note
    assert np.isfinite(found.steps[0].test_rmse)
    assert "nan" not in found.steps[0].note


def test_auto_symbolic_reports_candidates_that_are_undefined_together():
    net = kr.init_network((1, 1, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    net = kr.fix_symbolic(net, 1, output=0, input=0, name="log", affine=(1.0, 0.0, 1.0, 0.0))
    x = np.linspace(-1.0, 1.0, 21)[:, None]
    # exp(4 x) is positive, the nearest line is not
    layer = dataclasses.replace(
        net.layers[0], w_base=[[0.0]], w_spline=[[1.0]], coef=_steep(net.layers[0])
    )
    net = kr.Network((layer, net.layers[1]))
    assert np.isfinite(net(x)).all()

    with pytest.raises(
        ValueError, match=r"x\[\d+\] gives log on the edge from input 0 to output 0 of layer 1"
    ):
        kr.auto_symbolic(net, x, names=("x",))


def _steep(layer):
    points = np.linspace(-1.0, 1.0, 50)
    curve = np.exp(4.0 * points)
    return kr.fit_curve(points, curve[:, None], knots=layer.knots[0], degree=3).coef[None]


# --- grids that move


def near_the_end(seed):
    """Return a network whose log in layer 2 is nearly undefined at one sample, and the samples."""
    net = kr.init_network(
        (1, 1, 1, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0), base="zero"
    )
    # grids that the activations leave
    box = kr.uniform_knots(-1.0, 1.0, 4, 3)
    first, rough, last = (dataclasses.replace(layer, knots=box) for layer in net.layers)
    first = dataclasses.replace(first, coef=5.0 * first.coef)
    rough = dataclasses.replace(rough, coef=RNG(seed).normal(size=rough.coef.shape))
    net = kr.Network((first, rough, last))
    x = np.linspace(-1.0, 1.0, 31)[:, None]
    affine = (1.0, 1e-9 - kr.edge_outputs(net, x)[1].min(), 0.01, 0.0)
    return kr.fix_symbolic(net, 2, output=0, input=0, name="log", affine=affine), x


def cannot_refine(seed):
    network, x = near_the_end(seed)
    try:
        refine(network, x, 5)
    except ValueError as error:
        assert "gives log on the edge from input 0 to output 0 of layer 2" in str(error)  # noqa: PT017
        return True
    return False


def test_grids_move_only_where_all_edges_stay_defined():
    stayed = []
    for seed in range(20):
        network, x = near_the_end(seed)
        moved = place_hidden_grids(network, x)
        stayed.append(moved is network)
        assert np.isfinite(moved(x)).all()

    assert 0 < sum(stayed) < 20


def test_a_run_keeps_its_network_where_the_next_grid_leaves_an_edge_undefined():
    network, x = near_the_end(next(filter(cannot_refine, range(20))))
    samples = kr.Data(x, network(x), x, network(x))
    with pytest.raises(
        ValueError, match="gives log on the edge from input 0 to output 0 of layer 2"
    ):
        kr.fit(network, samples, grids=(5,), n_steps=1)

    run = kr.fit(network, samples, grids=(4, 5), n_steps=1, update_grids=False)

    assert "; not refined to 5 intervals, because x[" in run.stopped
    assert np.isfinite(run.network(x)).all()


# --- any network


@given(seeds)
def test_an_error_names_a_sample_and_an_edge_that_is_undefined(seed):
    rng = RNG(seed)
    network = with_formulas(rng, random_network(rng, degrees=(2, 3), widths=(2, 3, 1)))
    network = with_domain(rng, network)
    x = random_batch(rng, network.layers[0], 6)
    reported = ""
    try:
        y = network(x)
    except ValueError as error:
        reported = str(error)

    if not reported:
        assert np.isfinite(y).all()
        return
    found = re.fullmatch(
        r"x\[(\d)\] gives (\S+) on the edge from input (\d) to output (\d) of layer (\d) "
        r"the argument (\S+), where it has no finite value",
        reported,
    )
    sample, i, j, number = (int(found[group]) for group in (1, 3, 4, 5))
    # the layers below are defined, and give this argument
    below = kr.Network(network.layers[:number])(x) if number else x
    layer = network.layers[number]
    edge = next(one for one in layer.symbolic if (one.output, one.input) == (j, i))
    a, b = layer.affine[edge.row, :2]
    u = a * below[sample, i] + b
    assert edge.name == found[2]
    assert not np.isfinite(edge.function.f(u))
    assert float(found[6]) == pytest.approx(u, rel=1e-5)


def with_domain(rng, network):
    """Return the network with functions of a bounded domain on its symbolic edges."""
    layers = []
    for layer in network.layers:
        names = {
            edge.row: str(rng.choice(["log", "sqrt", "arcsin", "1/sqrt", "sin"]))
            for edge in layer.symbolic
        }
        edges = [
            dataclasses.replace(edge, function=kr.LIBRARY[names[edge.row]])
            for edge in layer.symbolic
        ]
        layers.append(dataclasses.replace(layer, symbolic=edges))
    return kr.Network(tuple(layers))


def test_numbers_that_exceed_float64_are_reported_by_sample_and_layer():
    layer = dataclasses.replace(BLANK.layers[0], base="identity", w_base=np.full((2, 2), 1e300))
    network = kr.Network((layer, BLANK.layers[1]))
    x = np.ones((3, 2))
    x[1] = 1e10
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            ValueError,
            match=r"x\[1\] gives output 0 of layer 0 a value beyond the largest float64: scale",
        ),
    ):
        network(x)
