"""Protections: without each of them a wrong result would look right. One test a row of the table in CONTRIBUTING.md.

A row says the case, what happens, and the module that decides it.
"""

import re

import numpy as np
import pytest
from checkout import ROOT

import kan_ref as kr
from kan_ref.conformance.__main__ import main as conformance

RNG = np.random.default_rng
X = RNG(0).uniform(-0.9, 0.9, (40, 2))
Y = X[:, :1] * X[:, 1:]
NET = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
LOG = kr.fix_symbolic(NET, 0, output=0, input=0, name="log", affine=(1.0, 1.0, 1.0, 0.0))
BEYOND = np.array([[0.0, 0.0], [-2.0, 0.0]])  # log(x + 1) is not defined at the second sample

TABLE = {}


def row(case, happens, module):
    """Enter a test into the table."""

    def enter(test):
        TABLE[case] = (happens, module, test)
        return test

    return enter


@row(
    "shapes that would broadcast: y of shape (n,) for (n, 1)",
    "error with both shapes",
    "kan_ref.checks",
)
def shapes(_):
    for call in (
        lambda y: kr.value_and_grad(NET, X, y),
        lambda y: kr.fit(NET, kr.Data(X, y, X, y)),
    ):
        with pytest.raises(ValueError, match=r"y.* \(40,\).* give y.*\[:, None\]"):
            call(Y[:, 0])


@row("nan or inf in samples", "error with row and column", "kan_ref.checks")
def not_finite(_):
    for bad in (np.nan, np.inf):
        x = np.where(X[2, 1] == X, bad, X)
        for call in (NET, lambda x: kr.Data(x, Y, X, Y), lambda x: kr.prune(NET, x)):
            with pytest.raises(ValueError, match=f"contains {bad} at row 2, column 1"):
                call(x)


@row(
    "inputs or targets far from 0, or of sizes far from 1",
    "a finding; none after kr.scaled",
    "kan_ref.training.diagnose",
)
def units(_):
    for y in (1e8 + Y, 1e-6 * Y, 1e6 * Y):
        data = kr.Data(X, y, X, y)
        assert "units" in {one.about for one in kr.diagnose(NET, data)}
        assert "units" not in {one.about for one in kr.diagnose(NET, kr.scaled(data)[0])}


@row("samples outside the grids", "coverage counts them; a finding", "kan_ref.network.inspection")
def outside(_):
    data = kr.Data(20.0 * X, Y, X, Y)

    assert kr.coverage(NET, X).outside[0] == 0.0
    assert kr.coverage(NET, 20.0 * X).outside[0] > 0.5
    assert "grids" in {one.about for one in kr.diagnose(NET, data)}
    assert "grids" not in {one.about for one in kr.diagnose(NET, kr.Data(X, Y, X, Y))}


@row(
    "a symbolic edge that is undefined at a sample",
    "error with sample and edge",
    "kan_ref.network.definedness",
)
def undefined(_):
    for call in (LOG, lambda x: kr.prune(LOG, x), lambda x: kr.fit(LOG, kr.Data(x, Y[:2], X, Y))):
        with pytest.raises(
            ValueError, match=r"\[1\] gives log on the edge from input 0 to output 0 of layer 0"
        ):
            call(BEYOND)


@row("a wrong backward pass", "error that names the wrong part", "kan_ref.network.gradient_check")
def wrong_gradient(_):
    def twice_dx(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return 2.0 * dx, grads

    assert kr.check_gradients(NET, X, rng=RNG(0)).worst < 1e-7
    with pytest.raises(ValueError, match=r"\bdx\b.* is wrong"):
        kr.check_gradients(NET, X, rng=RNG(0), backward=twice_dx)


@row(
    "a wrong partial derivative of a residual",
    "error that names the derivative",
    "kan_ref.pde.user_residual",
)
def wrong_partial(_):
    def residual(factor):
        return lambda x, u, du, d2u: (u[:, 0] ** 2, factor * u[:, :1], None, None)

    right, wrong = (kr.function_term(X, residual(factor), order=0) for factor in (2.0, 2.001))
    assert np.isfinite(kr.fit(NET, equations=[right], n_steps=1).network.theta).all()
    with pytest.raises(ValueError, match=r"by_u is wrong"):
        kr.fit(NET, equations=[wrong], n_steps=1)


@row(
    "noise, and structure that no formula has",
    "within noise, and not explained",
    "kan_ref.discovery.verdict",
)
def verdicts(_):
    rng = RNG(0)
    x, y = rng.uniform(-1.0, 1.0, (200, 2)), rng.standard_normal((200, 1))

    noise = kr.discover(kr.Data(x, y, x, y), rng=rng)
    missed = kr.discover(kr.Data(X, Y, X, Y), widths=(2, 1), functions=("x",), rng=rng)

    assert noise.verdict.kind == "within noise"
    assert not noise.formula.free_symbols
    assert missed.verdict.kind == "not explained"


@row("a correct implementation in the kit", "all required cases pass", "kan_ref.conformance.judge")
def no_false_alarm(_):
    assert conformance(["--only", "bases/*", "--only", "layer_vjp/*"]) == 0


@row("Ctrl-C in a fit", "the best network so far is returned", "kan_ref.training.fit")
def interrupt(_):
    calls = []

    def press(*_):
        calls.append(0)
        if len(calls) == 5:
            raise KeyboardInterrupt

    run = kr.fit(NET, kr.Data(X, Y, X, Y), optimizer="lbfgs", callback=press)

    assert "interrupted" in run.stopped
    assert np.mean((run.network(X) - Y) ** 2) < np.mean((NET(X) - Y) ** 2)


@row("a damaged or foreign file", "error; the file stays", "kan_ref.io.storage")
def damaged(folder):
    path = folder / "net.npz"
    kr.save(NET, path)
    whole = path.read_bytes()
    for content in (whole[:-40], b"", b"PK\x03\x04" + b"0" * 99, whole.replace(b"coef", b"cfeo")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="net"):
            kr.load(path)
        assert path.read_bytes() == content


@row("a failed save", "the old file stays, and nothing else", "kan_ref.files")
def failed_save(folder):
    path = folder / "net.npz"
    kr.save(NET, path)
    whole = path.read_bytes()

    with pytest.raises(TypeError):
        kr.save("not a network", path)
    with pytest.raises(OSError, match="no such"):
        kr.save(NET, folder / "no such folder" / "net.npz")

    assert path.read_bytes() == whole
    assert [one.name for one in folder.iterdir()] == ["net.npz"]
    np.testing.assert_array_equal(kr.load(path).theta, NET.theta)


@pytest.mark.parametrize("case", TABLE)
def test_each_case_ends_as_the_table_says(case, tmp_path):
    _, module, test = TABLE[case]

    assert (ROOT / (module.replace(".", "/") + ".py")).is_file()
    test(tmp_path)


def test_the_page_has_the_table():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [f"| {case} | {happens} | `{module}` |" for case, (happens, module, _) in TABLE.items()]

    found = re.search(
        r"\| case \| what happens \| decided in \|\n\|---\|---\|---\|\n((?:\|.*\n)*)", page
    )

    assert found[1].splitlines() == rows
