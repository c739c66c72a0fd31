"""Slow truth for the optimizers, from the books: standard problems, the dense BFGS recursion, a plain Levenberg-Marquardt."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LeastSquares:
    """A problem of More, Garbow & Hillstrom, Testing Unconstrained Optimization Software, ACM TOMS 7 (1981)."""

    name: str
    start: tuple[float, ...]
    residuals: Callable
    jacobian: Callable
    minimizer: tuple[float, ...] | None  # None: known by its value alone
    minimum: float

    def linearize(self, theta):
        return self.residuals(theta), self.jacobian(theta)

    def value_and_grad(self, theta):
        r = self.residuals(theta)
        return r @ r, 2.0 * self.jacobian(theta).T @ r

    def __repr__(self):
        return self.name


def _helical_jacobian(t):
    x, y, _ = t
    square = x * x + y * y
    return np.array(
        [
            [100 * y / (2 * np.pi * square), -100 * x / (2 * np.pi * square), 10.0],
            [10 * x / np.sqrt(square), 10 * y / np.sqrt(square), 0.0],
            [0.0, 0.0, 1.0],
        ]
    )


_BARD_Y = np.array(
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
)
_U = np.arange(1.0, 16.0)
_V = 16.0 - _U
_W = np.minimum(_U, _V)
_BEALE_Y = np.array([1.5, 2.25, 2.625])
_POWERS = np.arange(1, 4)

ROSENBROCK = LeastSquares(
    "Rosenbrock",
    (-1.2, 1.0),
    lambda t: np.array([10 * (t[1] - t[0] ** 2), 1 - t[0]]),
    lambda t: np.array([[-20 * t[0], 10.0], [-1.0, 0.0]]),
    (1.0, 1.0),
    0.0,
)
BEALE = LeastSquares(
    "Beale",
    (1.0, 1.0),
    lambda t: _BEALE_Y - t[0] * (1 - t[1] ** _POWERS),
    lambda t: np.stack([-(1 - t[1] ** _POWERS), t[0] * _POWERS * t[1] ** (_POWERS - 1)], axis=1),
    (3.0, 0.5),
    0.0,
)
POWELL_SINGULAR = LeastSquares(  # J has rank 2 at the minimizer: convergence is only linear
    "Powell singular",
    (3.0, -1.0, 0.0, 1.0),
    lambda t: np.array(
        [
            t[0] + 10 * t[1],
            np.sqrt(5) * (t[2] - t[3]),
            (t[1] - 2 * t[2]) ** 2,
            np.sqrt(10) * (t[0] - t[3]) ** 2,
        ]
    ),
    lambda t: np.array(
        [
            [1.0, 10.0, 0.0, 0.0],
            [0.0, 0.0, np.sqrt(5), -np.sqrt(5)],
            [0.0, 2 * (t[1] - 2 * t[2]), -4 * (t[1] - 2 * t[2]), 0.0],
            [2 * np.sqrt(10) * (t[0] - t[3]), 0.0, 0.0, -2 * np.sqrt(10) * (t[0] - t[3])],
        ]
    ),
    None,
    0.0,
)
HELICAL_VALLEY = LeastSquares(
    "helical valley",
    (-1.0, 0.0, 0.0),
    lambda t: np.array(
        [
            10 * (t[2] - 10 * (np.arctan(t[1] / t[0]) / (2 * np.pi) + 0.5 * (t[0] < 0))),
            10 * (np.hypot(t[0], t[1]) - 1),
            t[2],
        ]
    ),
    _helical_jacobian,
    (1.0, 0.0, 0.0),
    0.0,
)
BARD = LeastSquares(
    "Bard",
    (1.0, 1.0, 1.0),
    lambda t: _BARD_Y - (t[0] + _U / (_V * t[1] + _W * t[2])),
    lambda t: np.stack(
        [
            -np.ones(15),
            _U * _V / (_V * t[1] + _W * t[2]) ** 2,
            _U * _W / (_V * t[1] + _W * t[2]) ** 2,
        ],
        axis=1,
    ),
    None,
    8.214877306578e-3,
)
FREUDENSTEIN_ROTH = (
    LeastSquares(  # from its standard start every method of descent ends in the local minimum
        "Freudenstein and Roth",
        (0.5, -2.0),
        lambda t: np.array(
            [
                -13 + t[0] + ((5 - t[1]) * t[1] - 2) * t[1],
                -29 + t[0] + ((t[1] + 1) * t[1] - 14) * t[1],
            ]
        ),
        lambda t: np.array([[1.0, (10 - 3 * t[1]) * t[1] - 2], [1.0, (3 * t[1] + 2) * t[1] - 14]]),
        None,
        48.98425367924,
    )
)
PROBLEMS = (ROSENBROCK, BEALE, POWELL_SINGULAR, HELICAL_VALLEY, BARD, FREUDENSTEIN_ROTH)


def bowl(curvatures):
    """Value and gradient of 1/2 sum_j c_j theta_j^2."""
    return lambda theta: (0.5 * float(theta @ (curvatures * theta)), curvatures * theta)


def satisfies_strong_wolfe(phi, slope, step, c1, c2):
    """(3.7) of Nocedal & Wright, for functions phi(a) and phi'(a)."""
    return phi(step) <= phi(0.0) + c1 * step * slope(0.0) and abs(slope(step)) <= c2 * abs(
        slope(0.0)
    )


def dense_inverse_hessian(steps, grad_changes):
    """(6.17) of Nocedal & Wright, oldest pair first, from the multiple (7.20) of the identity that the newest pair gives."""
    n = len(steps[0])
    scale = steps[-1] @ grad_changes[-1] / (grad_changes[-1] @ grad_changes[-1])
    inverse = scale * np.eye(n)
    for s, y in zip(steps, grad_changes, strict=True):
        rho = 1.0 / (y @ s)
        left = np.eye(n) - rho * np.outer(s, y)
        inverse = left @ inverse @ left.T + rho * np.outer(s, s)
    return inverse


def naive_levenberg_marquardt(linearize, theta, *, n_steps, damping):
    """Accepted points of Algorithm 3.16 of Madsen, Nielsen & Tingleff, word by word, dense, F = 1/2 r^T r."""
    r, jacobian = linearize(theta)
    a, g = jacobian.T @ jacobian, jacobian.T @ r
    mu, nu = damping * a.diagonal().max(), 2.0
    points = []
    while len(points) < n_steps:
        h = np.linalg.solve(a + mu * np.eye(len(theta)), -g)
        new_r, new_jacobian = linearize(theta + h)
        rho = (0.5 * r @ r - 0.5 * new_r @ new_r) / (0.5 * h @ (mu * h - g))
        if rho > 0:
            theta, r, jacobian = theta + h, new_r, new_jacobian
            a, g = jacobian.T @ jacobian, jacobian.T @ r
            mu, nu = mu * max(1 / 3, 1 - (2 * rho - 1) ** 3), 2.0
            points.append(theta)
        else:
            mu, nu = mu * nu, 2 * nu
    return np.array(points)


def dense_by_definition(columns, values, n_columns):
    """A matrix from its rows' entries, one at a time."""
    dense = np.zeros((len(columns), n_columns))
    for b, (places, numbers) in enumerate(zip(columns, values, strict=True)):
        for place, number in zip(places, numbers, strict=True):
            dense[b, place] += number
    return dense
