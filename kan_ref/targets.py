"""Toy functions with known Kolmogorov-Arnold representations.

Each target is a composition of sums and functions of one variable, so that a small network of the
given widths can represent it exactly, up to the splines (Liu et al., "KAN: Kolmogorov-Arnold
Networks", arXiv 2404.19756, section 3.1):

    bessel         J_0(20 x)                                                      [1, 1]
    exp_sin        exp(sin(pi x_1) + x_2^2)                                       [2, 1, 1]
    product        x_1 x_2                                                        [2, 2, 1]
    exp_mean_sin2  exp((1/100) sum_i sin^2(pi x_i / 2))                           [100, 1, 1]
    exp_two_sines  exp((sin(pi (x_1^2 + x_2^2)) + sin(pi (x_3^2 + x_4^2))) / 2)   [4, 4, 2, 1]

The paper states no domain for them. Points here are uniform on [-1, 1]^d, the default of the
paper's own code, as are the numbers of points: 1000 for training and 1000 for testing. For
exp_two_sines the paper gives two shapes; the one above is in its list.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_generator, check_integer, check_number
from kan_ref.data import Data

_SECTION = "Liu et al., arXiv 2404.19756, section 3.1"


@dataclass(frozen=True)
class Target:
    """A function to learn.

    Parameters
    ----------
    name : str
        Its key in `TARGETS`.
    f : callable
        x (n, n_in) -> y (n, 1), exact to rounding.
    n_in : int
        Number of inputs.
    domain : (float, float)
        Bounds of every input.
    shape : tuple of int
        Widths of the smallest network that the paper gives for it.
    formula : str
        The definition in plain text, inputs counted from 1.
    source : str
        Where the paper defines the function.
    """

    name: str
    f: Callable[[FloatArray], FloatArray]
    n_in: int
    domain: tuple[float, float]
    shape: tuple[int, ...]
    formula: str
    source: str


def _bessel(x: FloatArray) -> FloatArray:
    from scipy.special import j0  # here, because four of the five targets need no SciPy

    return np.asarray(j0(20.0 * x), dtype=np.float64)


def _exp_sin(x: FloatArray) -> FloatArray:
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def _product(x: FloatArray) -> FloatArray:
    return x[:, :1] * x[:, 1:]


def _exp_mean_sin2(x: FloatArray) -> FloatArray:
    mean: FloatArray = np.mean(np.sin(0.5 * np.pi * x) ** 2, axis=1, keepdims=True)
    return np.exp(mean)


def _exp_two_sines(x: FloatArray) -> FloatArray:
    squares = x**2
    first = np.sin(np.pi * (squares[:, :1] + squares[:, 1:2]))
    second = np.sin(np.pi * (squares[:, 2:3] + squares[:, 3:]))
    return np.exp(0.5 * (first + second))


def _target(
    name: str, f: Callable[[FloatArray], FloatArray], shape: tuple[int, ...], formula: str
) -> Target:
    return Target(name, f, shape[0], (-1.0, 1.0), shape, formula, _SECTION)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        _target("bessel", _bessel, (1, 1), "J_0(20 x_1)"),
        _target("exp_sin", _exp_sin, (2, 1, 1), "exp(sin(pi x_1) + x_2^2)"),
        _target("product", _product, (2, 2, 1), "x_1 x_2"),
        _target(
            "exp_mean_sin2", _exp_mean_sin2, (100, 1, 1), "exp((1/100) sum_i sin^2(pi x_i / 2))"
        ),
        _target(
            "exp_two_sines",
            _exp_two_sines,
            (4, 4, 2, 1),
            "exp((sin(pi (x_1^2 + x_2^2)) + sin(pi (x_3^2 + x_4^2))) / 2)",
        ),
    )
}


def sample(
    name: str,
    *,
    n_train: int = 1000,
    n_test: int = 1000,
    noise: float = 0.0,
    rng: np.random.Generator,
) -> Data:
    """Draw independent uniform points from the domain of a target, and return them with its values.

    Parameters
    ----------
    name : str
        A key of `TARGETS`: "bessel", "exp_sin", "product", "exp_mean_sin2" or "exp_two_sines".
    n_train, n_test : int
        Numbers of points, at least 1.
    noise : float
        Standard deviation of the normal noise added to `y_train`, at least 0. Test values are
        exact.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    data : Data
        `x_train` (n_train, n_in), `y_train` (n_train, 1), `x_test` (n_test, n_in), `y_test`
        (n_test, 1).

    Raises
    ------
    ValueError
        Unknown name, with the nearest known one; a number of points below 1; negative noise.
    TypeError
        rng is not a Generator.

    Notes
    -----
    The order of draws is fixed: training points, their noise (drawn even where its deviation is 0),
    test
    points. So the training part does not depend on `n_test`, and `noise` changes only `y_train`.

    Examples
    --------
    >>> sample("product", n_train=3, n_test=2, rng=np.random.default_rng(0))
    Data(x_train (3, 2), y_train (3, 1), x_test (2, 2), y_test (2, 1))
    """
    target = TARGETS[check_choice("name", name, tuple(TARGETS))]
    n_train = check_integer("n_train", n_train, low=1)
    n_test = check_integer("n_test", n_test, low=1)
    noise = check_number("noise", noise, low=0.0)
    rng = check_generator("rng", rng)
    low, high = target.domain
    x_train = rng.uniform(low, high, (n_train, target.n_in))
    y_train = target.f(x_train) + noise * rng.standard_normal((n_train, 1))
    x_test = rng.uniform(low, high, (n_test, target.n_in))
    return Data(x_train, y_train, x_test, target.f(x_test))
