"""Symbolic edges that are undefined: a finite result, or one error that says where and what helps.

Every public function that takes a network either works where a symbolic edge is undefined, or reports edge and sample.
Networks and samples of sizes between 1e-100 and 1e100 give finite numbers.
"""

import dataclasses
import re
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.network import place_hidden_grids, refine

RNG = np.random.default_rng
UNIT_X = RNG(0).uniform(-1.0, 1.0, (12, 2))
UNIT_Y = UNIT_X[:, :1] ** 2 + UNIT_X[:, 1:]
BASES = ("silu", "identity", "zero")


@pytest.mark.parametrize("place", ["x", "y", "domain"])
@given(st.floats(-100.0, 100.0), st.sampled_from(BASES), st.integers(0, 3))
def test_sizes_from_1e_100_to_1e100_give_finite_numbers(place, power, base, degree):
    size = 10.0**power
    bound = size if place == "domain" else 1.0
    network = kr.init_network(
        (2, 2, 1), n_intervals=3, degree=degree, domain=(-bound, bound), base=base, rng=RNG(0)
    )
    x = UNIT_X if place == "y" else size * UNIT_X
    y = size * UNIT_Y if place == "y" else UNIT_Y

    assert np.isfinite(network(x)).all()
    assert all(np.isfinite(part).all() for part in kr.value_and_grad(network, x, y))
    for moved in (kr.extend_grid(network, x, n_intervals=4), kr.update_grid(network, x)):
        assert np.isfinite(moved(x)).all()


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
    r"(x|x_train|equations\[0\]\.x)\[3\] gives sqrt on the edge from input 0 to output 0 of layer 0 "
    r"the argument \S+, where "
)
SLOPE = ROOT_EDGE + "its derivative has no finite value"
GOOD = samples(0.5)
Y = GOOD[:, :1] ** 2


def data(x_train, x_test=GOOD):
    return kr.Data(x_train, Y, x_test, Y)


def equations(x):
    return [kr.linear_term(x, first=[1.0, 0.0], source=1.0)]


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
    "fit equations": lambda network, x: kr.fit(network, equations=equations(x), n_steps=1),
    "fit equations and data": lambda network, x: kr.fit(
        network, data(x), equations=equations(GOOD), n_steps=1
    ),
    "eliminate": lambda network, x: kr.eliminate(network, data(x), grids=(4,), n_steps=1),
    "input_jacobian": kr.input_jacobian,
    "input_hessian": kr.input_hessian,
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
    "formula": lambda network, x: str(kr.formula(all_symbolic(network))),
    "formula_latex": lambda network, x: kr.formula_latex(all_symbolic(network)),
    "save": lambda network, x: saved(network).theta,
    "to_c": lambda network, x: kr.to_c(network),
    "to_scipy": lambda network, x: kr.to_scipy(network, 0, output=0, input=1).c,
    "extend_grid": lambda network, x: kr.extend_grid(network, n_intervals=8),
}
VALIDATION = (
    "validation_rmse",
    "validation_loss",
    "validation_accuracy",
)  # nan where nothing is held out


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
    if name.split()[0] in ("backward", "value_and_grad", "fit") and name != "fit equations and data"
]


@for_all("name", NEED_DERIVATIVES)
def test_gradients_and_training_report_an_edge_without_a_derivative(name):
    with pytest.raises(ValueError, match=SLOPE) as raised:
        EVALUATES[name](ROOT, ZERO)
    if "gradient at the start" in str(raised.value):
        assert "finite numbers: start at other parameters, where the" in str(raised.value)


# --- undefined at test samples alone


def test_a_run_says_why_its_test_errors_are_nan():
    run = kr.fit(FIRST, data(GOOD, X), n_steps=2, trainable=("coef",))

    assert np.isnan(run.history.test_rmse).all()
    unknown = ("test_rmse", "test_loss", "test_accuracy", "train_accuracy", *VALIDATION)
    assert not has_nan(run, unknown)
    assert "; the test error is nan, because" in run.stopped
    assert "x_test[3] gives log on the edge from input 0 to output 0 of layer 0" in run.stopped


def test_a_run_with_test_errors_says_nothing_of_them():
    run = kr.fit(FIRST, data(GOOD), n_steps=2)

    assert np.isfinite(run.history.test_rmse).all()
    assert "nan" not in run.stopped


def test_eliminate_uses_no_test_samples():
    found = kr.eliminate(FIRST, data(GOOD, X), grids=(4,), n_steps=1)

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
