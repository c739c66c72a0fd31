"""Slow reference for differential equations: (J36) by loops over points, outputs and terms, and random polynomial residuals with exact partials.

The conditions of a test are plain data, as a user would write them: the oracle reads none of the records of the package.
"""

from dataclasses import dataclass

import numpy as np

import kan_ref as kr


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
        u, du, d2u = (
            model(condition.x),
            kr.input_jacobian(model, condition.x),
            kr.input_hessian(model, condition.x),
        )
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
        value = (
            self.source
            + np.einsum("bak,bk->ba", self.linear, z)
            + 0.5 * np.einsum("bakl,bk,bl->ba", both, z, z)
        )
        value = (
            value
            + np.einsum("bak,bk->ba", self.cubic, z**3)
            + self.kink * np.abs(z).sum(axis=1)[:, None]
        )
        slopes = (
            self.linear + np.einsum("bakl,bl->bak", both, z) + 3.0 * self.cubic * (z**2)[:, None]
        )
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
        return (
            tuple(None if part is None else part[:, 0] for part in answer) if self.flat else answer
        )


def random_polynomial(
    rng, n, n_in, n_out, *, order=2, pairs=None, n_residuals=1, flat=False, **options
):
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
