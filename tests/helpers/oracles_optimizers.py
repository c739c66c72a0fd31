"""Standard problems for optimizers, and their slow truth from the books."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LeastSquares:
    """A problem of More, Garbow & Hillstrom, ACM TOMS 7 (1981); its Jacobian by complex steps, exact to rounding."""

    name: str
    start: tuple[float, ...]
    residuals: Callable
    minimum: float = 0.0
    minimizer: tuple[float, ...] | None = None  # None: known by its value alone

    def jacobian(self, theta):
        points = np.asarray(theta) + 1e-100j * np.eye(len(theta))
        return 1e100 * np.stack([self.residuals(point).imag for point in points], axis=1)

    def linearize(self, theta):
        return self.residuals(theta), self.jacobian(theta)

    def value_and_grad(self, theta):
        r, jacobian = self.linearize(theta)
        return r @ r, 2.0 * jacobian.T @ r

    def __repr__(self):
        return self.name


_BARD = np.array([14, 18, 22, 25, 29, 32, 35, 39, 37, 58, 73, 96, 134, 210, 439]) / 100
_U = np.arange(1.0, 16.0)
ROSENBROCK = LeastSquares(
    "Rosenbrock",
    (-1.2, 1.0),
    lambda t: np.array([10 * (t[1] - t[0] ** 2), 1 - t[0]]),
    minimizer=(1.0, 1.0),
)
BEALE = LeastSquares(
    "Beale",
    (1.0, 1.0),
    lambda t: np.array([1.5, 2.25, 2.625]) - t[0] * (1 - t[1] ** np.arange(1, 4)),
    minimizer=(3.0, 0.5),
)
_POWELL = np.array([[1, 10, 0, 0], [0, 0, 5**0.5, -(5**0.5)], [0, 1, -2, 0], [1, 0, 0, -1]])
POWELL_SINGULAR = LeastSquares(  # J has rank 2 at the minimizer: convergence is only linear
    "Powell singular",
    (3.0, -1.0, 0.0, 1.0),
    lambda t: (_POWELL @ t) ** np.array([1, 1, 2, 2]) * np.array([1, 1, 1, 10**0.5]),
)
BARD = LeastSquares(
    "Bard",
    (1.0, 1.0, 1.0),
    lambda t: _BARD - (t[0] + _U / ((16 - _U) * t[1] + np.minimum(_U, 16 - _U) * t[2])),
    8.214877306578e-3,
)
PROBLEMS = (ROSENBROCK, BEALE, POWELL_SINGULAR, BARD)


def bowl(curvatures):
    """Value and gradient of 1/2 sum_j c_j theta_j^2."""
    return lambda theta: (0.5 * float(theta @ (curvatures * theta)), curvatures * theta)


def naive_adam(gradients, theta, rate=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Points of Algorithm 1 of Kingma & Ba, one number at a time; a function theta -> gradient for each step."""
    m, v, points = [0.0] * len(theta), [0.0] * len(theta), [[float(one) for one in theta]]
    for t, gradient in enumerate(gradients, start=1):
        points.append([])
        for j, g in enumerate(gradient(np.array(points[-2]))):
            m[j] = beta1 * m[j] + (1 - beta1) * float(g)
            v[j] = beta2 * v[j] + (1 - beta2) * float(g) ** 2
            m_hat, v_hat = m[j] / (1 - beta1**t), v[j] / (1 - beta2**t)
            points[-1].append(points[-2][j] - rate * m_hat / (math.sqrt(v_hat) + epsilon))
    return np.array(points)


def satisfies_strong_wolfe(phi, slope, step, c1, c2):
    """(3.7) of Nocedal & Wright, for functions phi(a) and phi'(a)."""
    decreases = phi(step) <= phi(0.0) + c1 * step * slope(0.0)
    return decreases and abs(slope(step)) <= c2 * abs(slope(0.0))


def dense_inverse_hessian(steps, grad_changes):
    """(6.17) of Nocedal & Wright, oldest pair first, from the multiple (7.20) of the identity that the newest pair gives."""
    scale = steps[-1] @ grad_changes[-1] / (grad_changes[-1] @ grad_changes[-1])
    inverse = scale * np.eye(len(steps[0]))
    for s, y in zip(steps, grad_changes, strict=True):
        left = np.eye(len(s)) - np.outer(s, y) / (y @ s)
        inverse = left @ inverse @ left.T + np.outer(s, s) / (y @ s)
    return inverse


def naive_levenberg_marquardt(linearize, theta, n_steps, damping=1e-3):
    """Points of Algorithm 3.16 of Madsen, Nielsen & Tingleff, word by word, dense, F = 1/2 r^T r."""
    points, (r, jacobian) = [np.array(theta)], linearize(np.array(theta))
    mu, nu = damping * (jacobian.T @ jacobian).diagonal().max(), 2.0
    while len(points) <= n_steps:
        a, g = jacobian.T @ jacobian, jacobian.T @ r
        h = np.linalg.solve(a + mu * np.eye(len(theta)), -g)
        new_r, new_jacobian = linearize(points[-1] + h)
        rho = (0.5 * r @ r - 0.5 * new_r @ new_r) / (0.5 * h @ (mu * h - g))
        if rho > 0:
            points.append(points[-1] + h)
            r, jacobian = new_r, new_jacobian
            mu, nu = mu * max(1 / 3, 1 - (2 * rho - 1) ** 3), 2.0
        else:
            mu, nu = mu * nu, 2 * nu
    return np.array(points)
