"""Slow truth for training, from the definitions, and for optimizers, from the books.

Losses, smoothness, Jacobians, differential equations; standard problems, and the algorithms of optimizers one number at a time.
The k-th derivative of a spline of degree k is a constant on every piece: k! times the last Taylor coefficient there, in exact
fractions. The smoothness penalty is then the sum over live edges and inner breakpoints of (h^k (right - left))^2. Differential equations are
(J36) by loops over points, outputs and terms, of random polynomial residuals with exact partials. Their conditions are plain data, as a user
would write them: the oracle reads none of the records of the package.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
from oracles import exact_basis, taylor
from oracles_layer import network_backward

import kan_ref as kr
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

# --- losses and penalties


def mean_square(prediction, y):
    """The mean of the squares of all numbers of an array, one at a time, in exact fractions."""
    terms = [
        (Fraction(float(p)) - Fraction(float(t))) ** 2 for p, t in zip(np.ravel(prediction), np.ravel(y), strict=True)
    ]
    return float(sum(terms) / len(terms))


def highest_derivative(row, degree, coef, piece):
    """The k-th derivative of a curve of degree k on the interval [t_piece, t_{piece+1}), exact."""
    series = taylor(row, degree, piece, float(row[piece]), degree + 1)
    return math.factorial(degree) * sum(
        Fraction(float(c)) * terms[degree] for c, terms in zip(coef, series, strict=True)
    )


def scaled_jumps(row, degree, coef):
    """h^k times the jumps of the k-th derivative at the inner breakpoints, which must all differ; exact."""
    n_intervals = len(row) - 2 * degree - 1
    h = (Fraction(float(row[degree + n_intervals])) - Fraction(float(row[degree]))) / n_intervals
    slopes = [highest_derivative(row, degree, coef, piece) for piece in range(degree, degree + n_intervals)]
    return [h**degree * (right - left) for left, right in pairwise(slopes)]


def smoothness(network):
    """The penalty by its definition, edge by edge, jump by jump."""
    total = Fraction(0)
    for layer in network.layers:
        for j in range(layer.n_out):
            for i in range(layer.n_in):
                if layer.mask[j, i]:
                    weight = Fraction(float(layer.w_spline[j, i]))
                    total += sum(
                        (weight * jump) ** 2 for jump in scaled_jumps(layer.knots[i], layer.degree, layer.coef[j, i])
                    )
    return float(total)


# --- derivatives


def prediction_rows(network, x):
    """d prediction / d theta, (batch * n_out, n_params), samples first: a backward pass for each number, by loops."""
    rows = []
    for sample in x:
        for output in range(network.widths[-1]):
            upstream = np.zeros((1, network.widths[-1]))
            upstream[0, output] = 1.0
            rows.append(network_backward(network, sample[None], upstream)[1])
    return np.array(rows)


# --- curves that move


def design_matrix(x, row, degree):
    """B_m(x_b), one exact recursion at a time, (n, n_basis)."""
    return np.array([[float(value) for value in exact_basis(float(point), row, degree)] for point in x])


def nearest_solution(design, targets, start):
    """Of all coefficients with the smallest residual the nearest to `start`, by the pseudo-inverse; (n_out, n_basis)."""
    return start + (np.linalg.pinv(design) @ (targets - design @ start.T)).T


# --- examples


def covered_network(rng, widths, *, degree, n_intervals, x, pad=0.2, even=True, smooth=False, base="silu"):
    """A network of which every grid holds the activations of x, by a share `pad` of their range on both sides; no w_spline is 1.

    Its coefficients are random, or where `smooth` values of sines, so that finer grids hold the same curves better and better.
    """
    layers = []
    for n_in, n_out in pairwise(widths):
        low, high = x.min(axis=0), x.max(axis=0)
        low, high = low - pad * (high - low), high + pad * (high - low)
        places = np.linspace(0.0, 1.0, n_intervals + 1)[None].repeat(n_in, axis=0)
        if not even:
            places[:, 1:-1] += rng.uniform(-0.3, 0.3, (n_in, n_intervals - 1)) / n_intervals
        grid = low[:, None] + (high - low)[:, None] * places
        outer = np.arange(1, degree + 1) * ((high - low) / n_intervals)[:, None]
        coef = rng.normal(size=(n_out, n_in, n_intervals + degree))
        if smooth:
            phases = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
            coef = np.sin(3.0 * np.linspace(0.0, 1.0, n_intervals + degree) + phases)
        layer = Layer(
            knots=np.hstack([(low[:, None] - outer)[:, ::-1], grid, high[:, None] + outer]),
            coef=coef,
            w_base=rng.normal(size=(n_out, n_in)),
            w_spline=rng.choice([-1.0, 1.0], (n_out, n_in)) * rng.uniform(0.4, 0.9, (n_out, n_in)),
            mask=np.ones((n_out, n_in)),
            degree=degree,
            base=base,
        )
        layers.append(layer)
        x = Network((layer,))(x)
    return Network(tuple(layers))


def bits(network):
    """Everything that a network is made of, as bytes: equal only if no bit has changed."""
    parts = [network.theta.tobytes()]
    for layer in network.layers:
        parts += [getattr(layer, name).tobytes() for name in ("knots", "coef", "w_base", "w_spline", "mask")]
        parts.append(f"{layer.degree} {layer.base}".encode())
    return b"|".join(parts)


def samples(f, n_in, rng, *, n_train=60, n_test=40):
    """Data of a function of (n, n_in) on [-1, 1]: a plain record with the four arrays."""
    x_train, x_test = rng.uniform(-1, 1, (n_train, n_in)), rng.uniform(-1, 1, (n_test, n_in))
    return SimpleNamespace(x_train=x_train, y_train=f(x_train), x_test=x_test, y_test=f(x_test))


def growing(seed):
    """A network whose hidden activations must grow far beyond its grids before it fits its data."""
    rng = np.random.default_rng(seed)
    data = samples(lambda x: 10.0 * x[:, :1] * x[:, 1:], 2, rng)
    return kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=data.x_train, rng=rng), data


# --- differential equations


@dataclass
class Linear:
    """A linear condition as it is written down: the arguments of `linear_term`."""

    x: np.ndarray
    options: dict

    def term(self):
        return kr.linear_term(self.x, **self.options)

    def squares(self, u, du, d2u):
        """weight_b / (n n_out) r_bo^2, one number after the other."""
        n, n_in = self.x.shape
        n_out = u.shape[1]
        for b in range(n):
            for o in range(n_out):
                total = self._at("zeroth", b, 1) * u[b, o] - self._source(b, o)
                for p in range(n_in):
                    total += self._first(b, p) * du[b, o, p]
                    for q in range(n_in):
                        total += self._second(b, p, q) * d2u[b, o, p, q]
                yield self._weight(b) / (n * n_out) * total**2

    def _at(self, name, b, n_axes):
        value = self.options.get(name)
        return 0.0 if value is None else value[b] if np.ndim(value) == n_axes else value

    def _weight(self, b):
        weight = self.options.get("weight", 1.0)
        return weight[b] if np.ndim(weight) else weight

    def _source(self, b, o):
        source = self.options.get("source", 0.0)
        return source[b, o] if np.ndim(source) else source

    def _first(self, b, p):
        first = self.options.get("first")
        return 0.0 if first is None else first[b, p] if np.ndim(first) == 2 else first[p]

    def _second(self, b, p, q):
        second = self.options.get("second")
        if second is None:
            return 0.0
        if np.ndim(second) == 1:
            return second[p] if p == q else 0.0
        return second[b, p, q] if np.ndim(second) == 3 else second[p, q]


@dataclass
class Function:
    """A condition by a function, as it is written down."""

    x: np.ndarray
    function: object
    options: dict

    def term(self):
        return kr.function_term(self.x, self.function, **self.options)

    def squares(self, u, du, d2u):
        """One point at a time, so that a function that mixes points would differ."""
        n, order = len(self.x), self.options.get("order", 2)
        weight = self.options.get("weight", 1.0)
        for b in range(n):
            own = slice(b, b + 1)
            at = (self.x[own], u[own], du[own] if order else None, d2u[own] if order == 2 else None)
            residual = np.ravel(at_point(self.function, b)(*at)[0])
            for number in residual:
                yield (weight[b] if np.ndim(weight) else weight) / (n * len(residual)) * number**2


def at_point(function, b):
    """A function with coefficients for each point, at one of them."""
    return function.at(b) if isinstance(function, Polynomial) else function


def value_by_loops(model, conditions):
    """(J36) from its definition."""
    total = 0.0
    for condition in conditions:
        u, du, d2u = (model(condition.x), kr.input_jacobian(model, condition.x), kr.input_hessian(model, condition.x))
        for square in condition.squares(u, du, d2u):
            total += square
    return total


@dataclass
class Polynomial:
    """r_ba = f_ba + sum_k A_bak z_bk + sum_kl B_bakl z_bk z_bl (+ z_bk^3), z = u, du, and d2u at `pairs`, each over `scale`; times `size`.

    Its partials follow from dr/dz_k = A_k + sum_l (B_kl + B_lk) z_l (+ 3 z_k^2). `flat`: one residual, of shape (n,). `kink`: of |z_k|.
    """

    source: np.ndarray
    linear: np.ndarray
    quadratic: np.ndarray
    cubic: np.ndarray
    pairs: tuple
    scale: float = 1.0
    size: float = 1.0
    flat: bool = False
    kink: float = 0.0

    def at(self, b):
        own = slice(b, b + 1)
        parts = (self.source[own], self.linear[own], self.quadratic[own], self.cubic[own])
        return Polynomial(*parts, self.pairs, self.scale, self.size, self.flat, self.kink)

    def __call__(self, x, u, du, d2u):
        n, n_out = u.shape
        parts = [u.reshape(n, -1)]
        if du is not None:
            parts.append(du.reshape(n, -1))
        if d2u is not None:
            parts += [d2u[:, :, p, q] for p, q in self.pairs]
        z = np.concatenate(parts, axis=1) / self.scale
        both = self.quadratic + self.quadratic.swapaxes(2, 3)
        value = self.source + np.einsum("bak,bk->ba", self.linear, z) + 0.5 * np.einsum("bakl,bk,bl->ba", both, z, z)
        value = value + np.einsum("bak,bk->ba", self.cubic, z**3) + self.kink * np.abs(z).sum(axis=1)[:, None]
        slopes = self.linear + np.einsum("bakl,bl->bak", both, z) + 3.0 * self.cubic * (z**2)[:, None]
        slopes = (slopes + self.kink * np.sign(z)[:, None]) * self.size / self.scale
        n_res = slopes.shape[1]
        by_u, place = slopes[:, :, :n_out].reshape(n, n_res, n_out), n_out
        by_du = by_d2u = None
        if du is not None:
            n_in = x.shape[1]
            by_du, place = (
                slopes[:, :, place : place + n_out * n_in].reshape(n, n_res, n_out, n_in),
                place + n_out * n_in,
            )
        if d2u is not None:
            by_d2u = np.zeros((n, n_res, *d2u.shape[1:]))
            for p, q in self.pairs:
                by_d2u[:, :, :, p, q] = slopes[:, :, place : place + n_out]
                place += n_out
        answer = (self.size * value, by_u, by_du, by_d2u)
        return tuple(None if part is None else part[:, 0] for part in answer) if self.flat else answer


def random_polynomial(rng, n, n_in, n_out, *, order=2, pairs=None, n_residuals=1, flat=False, **options):
    """A residual of degree 3 with coefficients of its own at every point; `pairs` as in `function_term`."""
    every = tuple((p, q) for p in range(n_in) for q in range(p, n_in))
    chosen = () if order < 2 else every if pairs is None else pairs
    n_numbers = n_out * (1 + (n_in if order else 0) + len(chosen))
    shape = (n, n_residuals, n_numbers)
    arrays = [
        rng.normal(size=(n, n_residuals)),
        rng.normal(size=shape),
        rng.normal(size=(*shape, n_numbers)),
        0.3 * rng.normal(size=shape),
    ]
    return Polynomial(*arrays, chosen, flat=flat, **options)


# --- matrices


def dense_by_definition(columns, values, n_columns):
    """A matrix from its rows' entries, one at a time."""
    dense = np.zeros((len(columns), n_columns))
    for b, (places, numbers) in enumerate(zip(columns, values, strict=True)):
        for place, number in zip(places, numbers, strict=True):
            dense[b, place] += number
    return dense


# --- optimizers


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
    "Rosenbrock", (-1.2, 1.0), lambda t: np.array([10 * (t[1] - t[0] ** 2), 1 - t[0]]), minimizer=(1.0, 1.0)
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
