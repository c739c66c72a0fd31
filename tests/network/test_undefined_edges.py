"""Symbolic edges that are undefined at a sample: every public function that needs their values says where.

Networks and samples of sizes between 1e-100 and 1e100 give finite numbers.
"""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr

RNG = np.random.default_rng
GOOD = RNG(0).uniform(0.3, 1.0, (20, 2))
Y = GOOD[:, :1] ** 2
EDGE = {"output": 0, "input": 0}
BLANK = kr.init_network((2, 2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
LINE = kr.fix_symbolic(BLANK, 0, **EDGE, name="x")
LINE = kr.mask_edges(LINE, 0, [[1, 0], [1, 1]])
# log u with u = x + 0.25 in the first layer or in the last one, undefined at x = -0.5
LOG = {"name": "log", "affine": (1.0, 0.25, 1.0, 0.0)}
UNDEFINED = {n: kr.fix_symbolic((BLANK, LINE)[n], n, **EDGE, **LOG) for n in (0, 1)}
ROOT = kr.fix_symbolic(BLANK, 0, **EDGE, name="sqrt")  # has a value at 0, but no derivative


def samples(odd):
    """Return 20 samples; the first input of sample 3 is `odd`."""
    x = GOOD.copy()
    x[3, 0] = odd
    return x


def data(x_train, x_test=GOOD):
    return kr.Data(x_train, Y, x_test, Y)


TRAINS = {
    "value_and_grad": lambda network, x: kr.value_and_grad(network, x, Y),
    "with a penalty": lambda network, x: kr.value_and_grad(network, x, Y, penalty=0.1),
    "backward": lambda network, x: kr.backward(network, kr.forward(network, x)[1], Y),
    "lm": lambda network, x: kr.fit(network, data(x), n_steps=2),
    "finer grids": lambda network, x: kr.fit(network, data(x), n_steps=2, grids=(4, 6)),
    "lbfgs": lambda network, x: kr.fit(network, data(x), n_steps=2, optimizer="lbfgs"),
    "adam": lambda network, x: kr.fit(network, data(x), n_steps=2, optimizer="adam"),
}
EVALUATES = TRAINS | {
    "Network": lambda network, x: network(x),
    "forward": kr.forward,
    "edge_outputs": kr.edge_outputs,
    "edge_scores": kr.edge_scores,
    "node_scores": kr.node_scores,
    "distance": lambda network, x: kr.distance(BLANK, network, x),
    "prune": kr.prune,
    "remove": lambda network, x: kr.remove(network, x, nodes={1: [1]}),
    "auto_symbolic": lambda network, x: kr.auto_symbolic(network, x, names=("x",)),
    "extend_grid": lambda network, x: kr.extend_grid(network, x, n_intervals=5),
    "update_grid": kr.update_grid,
    "draw_network": kr.draw_network,
    "coverage": kr.coverage,
    "predict_proba": lambda network, x: kr.predict_proba(network, x, loss="logistic"),
    "check_gradients": lambda network, x: kr.check_gradients(network, x, rng=RNG(0)),
    "equations": lambda network, x: kr.fit(
        network, equations=[kr.linear_term(x, first=[1.0, 0.0])], n_steps=1
    ),
    "eliminate": lambda network, x: kr.eliminate(network, data(x), grids=(4,), n_steps=1),
    "input_jacobian": kr.input_jacobian,
    "input_hessian": kr.input_hessian,
}


@for_all("layer", UNDEFINED)
@for_all("name", EVALUATES)
def test_an_undefined_value_is_reported_by_edge_and_sample(name, layer):
    edge = rf"\[3\] gives log on the edge from input 0 to output 0 of layer {layer} the argument"

    with pytest.raises(ValueError, match=edge):
        EVALUATES[name](UNDEFINED[layer], samples(-0.5))


@for_all("name", TRAINS)
def test_training_reports_an_edge_without_a_derivative(name):
    with pytest.raises(ValueError, match=r"\[3\] gives sqrt on the edge .* its derivative"):
        TRAINS[name](ROOT, samples(0.0))


def test_test_samples_without_a_value_are_a_finding():
    run = kr.fit(UNDEFINED[0], data(GOOD, samples(-0.5)), n_steps=2, trainable=("coef",))

    assert np.isnan(run.test_rmse)
    assert [found.about for found in run.findings] == ["undefined"]
    assert "x_test[3]" in run.findings[0].what


def test_training_takes_no_step_to_an_undefined_value():
    """The argument of log is the smallest at the start, and the data ask for smaller ones."""
    x = np.linspace(0.01, 1.0, 40)[:, None]
    net = kr.init_network((1, 1), n_intervals=3, degree=3, domain=(0.0, 1.0), rng=RNG(0))
    net = kr.fix_symbolic(net, 0, **EDGE, name="log", affine=(1.0, 0.0, 1.0, 0.0))
    y = np.log(x + 0.5)

    for optimizer in ("lm", "lbfgs", "adam"):
        run = kr.fit(net, kr.Data(x, -y, x, -y), n_steps=30, optimizer=optimizer)
        assert np.isfinite(run.network(x)).all()


@pytest.mark.parametrize("place", ["x", "y", "domain"])
@given(st.floats(-100.0, 100.0), st.sampled_from(("silu", "identity", "zero")), st.integers(0, 3))
def test_sizes_from_1e_100_to_1e100_give_finite_numbers(place, power, base, degree):
    size = 10.0**power
    bound = size if place == "domain" else 1.0
    network = kr.init_network(
        (2, 2, 1), n_intervals=3, degree=degree, domain=(-bound, bound), base=base, rng=RNG(0)
    )
    x = GOOD if place == "y" else size * GOOD
    y = size * Y if place == "y" else Y

    assert np.isfinite(network(x)).all()
    assert all(np.isfinite(part).all() for part in kr.value_and_grad(network, x, y))
    for moved in (kr.extend_grid(network, x, n_intervals=4), kr.update_grid(network, x)):
        assert np.isfinite(moved(x)).all()
