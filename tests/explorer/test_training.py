"""Training in the explorer, under node: gradients and Adam against kan_ref, refinement, pruning, names, formulas as text."""

import numpy as np
from cases import for_all
from networks import random_network, with_formulas
from test_explorer import ask, close, document

import kan_ref as kr
from kan_ref.optimizers import Steps

RNG = np.random.default_rng


def cases():
    """Networks of splines and of splines and formulas, with samples inside and outside their grids, where all is defined."""
    for seed in range(12):
        net = random_network(RNG(seed), degrees=range(1, 6), widths=(2, 4, 3, 2)[: 2 + seed % 3])
        net = with_formulas(RNG(seed), net, share=0.4) if seed % 2 else net
        drawn = RNG(50 + seed).uniform(-1.5, 1.5, (40, 2))
        x = np.array([row for row in drawn if defined(net, row)])
        if len(x) >= 5:
            yield net, x, RNG(90 + seed).normal(size=(len(x), net.widths[-1]))


def defined(net, row):
    try:
        return np.isfinite(net(row[None])).all()
    except ValueError:  # a formula has no value there
        return False


CASES = list(cases())


@for_all("penalty", [0.0, 0.03])
def test_value_and_gradient_are_those_of_kan_ref(penalty):
    answers = ask(*(("gradient", document(net), x, y, penalty) for net, x, y in CASES))

    assert len(CASES) >= 9
    for found, (net, x, y) in zip(answers, CASES, strict=True):
        value, gradient = kr.value_and_grad(net, x, y, penalty=penalty)
        close(found["value"], value, rtol=1e-12)
        close(found["gradient"], gradient, atol=1e-11 * np.abs(gradient).max())


def test_fifty_steps_of_adam_are_those_of_kan_ref():
    net = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    x = RNG(1).uniform(-1.0, 1.0, (80, 2))
    y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)

    (found,) = ask(("adam", document(net), x, y, 50, 0.02, 0.001))

    def loss(theta):
        return kr.value_and_grad(net.with_theta(theta), x, y, penalty=0.001)

    theta = Steps(kr.adam(loss, net.theta, learning_rate=0.02), 50).last().theta
    close(found, theta, atol=1e-9)
    assert np.abs(theta - net.theta).max() > 0.1


def test_halved_intervals_are_those_of_kan_ref_and_keep_the_function():
    net = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(4))

    (layers,) = ask(("halve", document(net)))

    for found, layer in zip(layers, kr.extend_grid(net, n_intervals=10).layers, strict=True):
        assert found["nIntervals"] == 10
        close(found["knots"], layer.knots, atol=1e-14)
        close(found["coef"], layer.coef, atol=1e-14)


def test_weak_edges_go_and_with_them_edges_that_lead_nowhere():
    net = kr.init_network((2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(5))
    scores = [[[0.5, 0.01], [0.02, 0.01], [0.3, 0.4]], [[0.6, 0.7, 0.001]]]

    (masks,) = ask(("pruned", document(net), scores, 0.1))

    # node 1 has no edge in, so its edge out goes; node 2 has no edge out, so its edges in go
    assert masks == [[[1, 0], [0, 0], [0, 0]], [[1, 0, 0]]]


def test_named_edges_compute_the_same_function():
    net = kr.init_network((2, 1), n_intervals=10, degree=3, domain=(-1.0, 1.0), rng=RNG(6))
    x = RNG(7).uniform(-1.0, 1.0, (300, 2))
    y = np.sin(3.0 * x[:, :1]) + np.exp(x[:, 1:])
    net = kr.fit(net, kr.Data(x, y, x, y), n_steps=30).network

    (found,) = ask(("named", document(net), x))

    assert found["names"] == ["sin", "exp"]
    assert np.sqrt(np.mean((np.array(found["outputs"]) - y) ** 2)) < 2e-3


def test_a_new_network_starts_as_the_paper_says_and_its_seed_decides_it():
    one, again, other = ask(*(("fresh", [30, 20], 5, 3, seed) for seed in (1, 1, 2)))

    coef, w_base = np.array(one[0]["coef"]), np.array(one[0]["w_base"])
    assert one == again != other
    close([coef.mean(), coef.std()], [0.0, 0.1], atol=5e-3)
    close([w_base.min(), w_base.max()], [-(0.12**0.5), 0.12**0.5], atol=0.01)  # 6 / (30 + 20)


EXPRESSIONS = {
    "exp(sin(pi x) + y^2)": lambda x, y: np.exp(np.sin(np.pi * x) + y**2),
    "-x**2 * y**-1": lambda x, y: -(x**2) / y,
    "2^3^x": lambda x, y: 2.0 ** (3.0**x),
    "x * -y + 2": lambda x, y: 2.0 - x * y,
    "1/(1+25x\N{SUPERSCRIPT TWO})": lambda x, y: 1.0 / (1.0 + 25.0 * x**2),
    "3e-1 (x + 1)(y + 2)": lambda x, y: 0.3 * (x + 1.0) * (y + 2.0),
    "abs(x) + gaussian(2 y)": lambda x, y: np.abs(x) + np.exp(-4.0 * y**2),
}
FAULTS = {
    "sin(x": '")" is missing at the end',
    "steal(x)": '"steal" is not known',
    "x; y": 'cannot read "; y"',
}


@for_all("text", EXPRESSIONS)
def test_a_formula_as_text_has_the_values_that_are_meant(text):
    points = RNG(8).uniform(0.1, 1.0, (20, 2))

    (found,) = ask(("expression", text, points))

    close(found, EXPRESSIONS[text](*points.T), rtol=1e-14)


def test_a_text_that_is_no_formula_is_told_why():
    answers = ask(*(("expression", text, []) for text in FAULTS))

    for answer, said in zip(answers, FAULTS.values(), strict=True):
        assert said in answer["error"]
