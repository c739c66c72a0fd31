"""What a reader steps through in one step of training and in one gradient: modules, functions and lines, which do not creep up."""

import inspect
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import kan_ref as kr

ROOT = Path(kr.__file__).parent
COMPREHENSIONS = {
    "<listcomp>",
    "<genexpr>",
    "<dictcomp>",
    "<setcomp>",
}  # their lines are those of their function


@contextmanager
def watched():
    """The code of all functions of the package that are called meanwhile, in order."""
    calls, before = [], sys.getprofile()

    def watch(frame, event, _):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(ROOT):
            calls.append(frame.f_code)

    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def sizes(calls, *loops):
    """Numbers of distinct modules, functions and lines; `loops` are modules whose loop is running."""
    functions = set(calls)
    modules = {Path(code.co_filename) for code in functions} | {ROOT / loop for loop in loops}
    own = [code for code in functions if code.co_name not in COMPREHENSIONS]
    return len(modules), len(functions), sum(len(inspect.getsourcelines(code)[0]) for code in own)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=rng)
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    return network, data


def test_a_step_of_adam_in_fit_takes_8_modules_and_38_functions(problem):
    with watched() as calls:
        kr.fit(*problem, optimizer="adam", n_steps=66)

    begins = [place for place, code in enumerate(calls) if code.co_name == "mean_squared_error"]
    step = calls[begins[-4] : begins[-3]]  # behind the last check of grids, without test samples

    modules, functions, lines = sizes(step, "optimizers/adam.py")
    assert modules <= 8
    assert functions <= 38
    assert lines <= 500


def test_a_value_with_its_gradient_takes_7_modules_and_37_functions(problem):
    network, data = problem
    value_and_grad = kr.value_and_grad

    with watched() as calls:
        value_and_grad(network, data.x_train, data.y_train)

    modules, functions, lines = sizes(calls)
    assert modules <= 7
    assert functions <= 37
    assert lines <= 565


def test_a_longer_way_is_seen(problem):
    network, data = problem
    with watched() as short:
        network(data.x_test)
    with watched() as long:
        kr.value_and_grad(network, data.x_test, data.y_test)

    assert all(less < more for less, more in zip(sizes(short), sizes(long), strict=True))
