"""Toy functions with known Kolmogorov-Arnold representations.

Each target is a composition of sums and functions of one variable, so that a small
network of the given widths can represent it exactly, up to the splines (Liu et al.,
"KAN: Kolmogorov-Arnold Networks", arXiv 2404.19756, section 3.1):

    bessel         [1, 1]        J_0(20 x)
    exp_sin        [2, 1, 1]     exp(sin(pi x_1) + x_2^2)
    product        [2, 2, 1]     x_1 x_2
    exp_mean_sin2  [100, 1, 1]   exp((1/100) sum_i sin^2(pi x_i / 2))
    exp_two_sines  [4, 4, 2, 1]  exp((sin(pi (x_1^2 + x_2^2))
                                      + sin(pi (x_3^2 + x_4^2))) / 2)

The paper states no domain for them. Points here are uniform on [-1, 1]^d, the default
of the paper's own code, as are the numbers of points: 1000 for training and 1000 for
testing. For exp_two_sines the paper gives two shapes; the one above is in its list.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data


class Target(NamedTuple):
    """A function to learn on [-1, 1]^n_in, from section 3.1 of the paper.

    Parameters
    ----------
    f : callable
        x (n, n_in) -> y (n, 1), exact to rounding.
    shape : tuple of int
        Widths of the smallest network that the paper gives for it; the first one is
        n_in.
    """

    f: Callable[[FloatArray], FloatArray]
    shape: tuple[int, ...]


def _bessel(x: FloatArray) -> FloatArray:
    from scipy.special import j0  # here, because four of the five targets need no SciPy

    return np.asarray(j0(20.0 * x))


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


#: The functions that the paper's figures train on, by name, as `sample` takes them.
TARGETS: dict[str, Target] = {
    "bessel": Target(_bessel, (1, 1)),
    "exp_sin": Target(_exp_sin, (2, 1, 1)),
    "product": Target(_product, (2, 2, 1)),
    "exp_mean_sin2": Target(_exp_mean_sin2, (100, 1, 1)),
    "exp_two_sines": Target(_exp_two_sines, (4, 4, 2, 1)),
}
"""Example functions of section 3.1 of the paper, name -> `Target`, for `sample`."""


def sample(
    f: str | Callable[[FloatArray], object],
    *,
    n_in: int | None = None,
    domain: object = None,
    n_train: int = 1000,
    n_test: int = 1000,
    noise: float = 0.0,
    rng: np.random.Generator,
) -> Data:
    """Draw independent uniform points from a domain, with the values of a function.

    Parameters
    ----------
    f : str or callable
        A key of `TARGETS`: "bessel", "exp_sin", "product", "exp_mean_sin2" or
        "exp_two_sines"; or a function of your own, x (n, n_in) -> y (n,) or (n, n_out),
        one row for each sample. It is called once with the training points and once
        with the test points.
    n_in : int, optional
        Number of inputs of your own function: 2, or as many as `domain` has rows.
    domain : (2,) or (n_in, 2), optional
        Lower and upper bound of every input, or of each, for your own function; -1 and
        1 by default.
    n_train, n_test : int
        Numbers of points, at least 1.
    noise : float
        Standard deviation of the normal noise added to `y_train`, at least 0. Test
        values are exact.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    data : Data
        `x_train` (n_train, n_in), `y_train` (n_train, n_out), `x_test` (n_test, n_in),
        `y_test` (n_test, n_out).

    Notes
    -----
    The order of draws is fixed: training points, their noise (drawn even where its
    deviation is 0), test points. So the training part does not depend on `n_test`, and
    `noise` changes `y_train` alone.

    Examples
    --------
    >>> sample("product", n_train=3, n_test=2, rng=np.random.default_rng(0))
    Data(x_train (3, 2), y_train (3, 1), x_test (2, 2), y_test (2, 1))
    >>> def f(x):
    ...     return np.sin(x[:, 0]) * x[:, 1]
    >>> rng = np.random.default_rng(0)
    >>> sample(f, domain=[(0, 3), (-1, 1)], n_train=3, n_test=2, rng=rng)
    Data(x_train (3, 2), y_train (3, 1), x_test (2, 2), y_test (2, 1))
    """
    n_train = checks.integer("n_train", n_train, low=1)
    n_test = checks.integer("n_test", n_test, low=1)
    noise = checks.number("noise", noise, low=0.0)
    rng = checks.generator("rng", rng)
    function: Any = f
    if not callable(f):
        target = TARGETS[checks.choice("f", f, TARGETS)]
        for name, given in (("n_in", n_in), ("domain", domain)):
            if given is not None:
                checks.fail(
                    name, given, f"{f!r} has its own: it is for functions", TypeError
                )
        function, n_in = target.f, target.shape[0]
    low, high = _bounds(n_in, (-1.0, 1.0) if domain is None else domain)
    x_train = rng.uniform(low, high, (n_train, len(low)))
    y_train = _values(function, x_train)
    y_train = y_train + noise * rng.standard_normal(y_train.shape)
    x_test = rng.uniform(low, high, (n_test, len(low)))
    return Data(x_train, y_train, x_test, _values(function, x_test))


def _bounds(n_in: int | None, domain: object) -> FloatArray:
    """Return lower and upper bounds, (2, n_in)."""
    n = 2 if n_in is None else checks.integer("n_in", n_in, low=1)
    if np.ndim(checks.rectangular("domain", domain)) == 1:
        bounds = np.tile(checks.array("domain", domain, (2,)), (n, 1))
    else:
        bounds = checks.array("domain", domain, ("n_in" if n_in is None else n, 2))
    if not (bounds[:, 0] < bounds[:, 1]).all():
        checks.fail(
            "domain", domain, "each lower bound must be less than the upper one"
        )
    return bounds.T


def _values(f: Callable[[FloatArray], object], x: FloatArray) -> FloatArray:
    """Return the values of a function at x (n, n_in) as columns (n, n_out)."""
    y = checks.rectangular("f(x)", f(x.copy()))
    return checks.array("f(x)", y[:, None] if y.ndim == 1 else y, (len(x), "n_out"))
