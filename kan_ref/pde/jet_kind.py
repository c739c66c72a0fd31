"""Which derivatives of a function travel beside its value, and the chain rule of second order for one curve of one variable.

A jet of u at x is the list of its parts: the value, then first derivatives along directions v_1, ..., v_D, then second-order operators
L_1, ..., L_S without a term of order zero,

    (T1)  u_d = v_d . grad u,        L_s u = sum_pq Q_s,pq v_p^T (D^2 u) v_q + r_s . grad u,        Q_s symmetric

A second derivative along v_d has one 1 in Q_s; the Laplacian has Q = I and is one part, not n_in; so is any operator of second order, with
its first-order term r (the drift), however its coefficients depend on x. For a curve phi of one variable, and x the jet of its argument,

    (T2)  phi(x)_0 = phi(x_0)                                                                          (Faa di Bruno's formula,
    (T3)  phi(x)_d = phi'(x_0) x_d                                                                      order 1 and 2, contracted
    (T4)  phi(x)_s = phi''(x_0) q_s + phi'(x_0) x_s,          q_s = sum_pq Q_s,pq x_p x_q               with Q)

and sums of curves have the sums of their jets. The reverse, for dy = dR/d phi(x) of a scalar R, part by part:

    (T5)  dx_0 = phi' dy_0 + sum_d phi'' x_d dy_d + sum_s (phi''' q_s + phi'' x_s) dy_s
    (T6)  dx_d = phi' dy_d + 2 sum_s phi'' dy_s sum_q Q_s,dq x_q
    (T7)  dx_s = phi' dy_s
    (T8)  for a parameter p of phi:  dR/dp = dy_0 d phi/dp + t_1 d phi'/dp + t_2 d phi''/dp,
          t_1 = sum_d dy_d x_d + sum_s dy_s x_s,     t_2 = sum_s dy_s q_s

(T5) to (T8): differentiate (T2) to (T4). Where nothing else is said arrays are as they lie in memory here: nodes, parts, samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kan_ref.checks import FloatArray

Product = tuple[
    int, int, int, FloatArray
]  # s, p, q and what x_p x_q counts for in q_s: one number, or one a sample


@dataclass(frozen=True, eq=False)
class JetKind:
    """Which parts a jet has, (T1).

    `directions` (n_first, n_in): the v_d. `products`: the entries of all Q_s that are not zero, pairs p < q once with both entries'
    sum. `drifts` (n_second, n_in, 1 or batch): the r_s.
    """

    directions: FloatArray
    products: tuple[Product, ...]
    drifts: FloatArray

    @property
    def n_in(self) -> int:
        """Number of variables."""
        return int(self.directions.shape[1])

    @property
    def n_first(self) -> int:
        """D, the number of first derivatives."""
        return int(self.directions.shape[0])

    @property
    def n_second(self) -> int:
        """S, the number of operators of second order."""
        return int(self.drifts.shape[0])

    @property
    def n_parts(self) -> int:
        """1 + D + S."""
        return 1 + self.n_first + self.n_second

    @cached_property
    def first(self) -> slice:
        """Which parts are first derivatives."""
        return slice(1, 1 + self.n_first)

    @cached_property
    def second(self) -> slice:
        """Which parts are operators of second order."""
        return slice(1 + self.n_first, self.n_parts)

    def at(self, x: FloatArray) -> FloatArray:
        """Jet of the identity at x (batch, n_in): (n_in, n_parts, batch)."""
        jet = np.zeros((self.n_in, self.n_parts, len(x)))
        # [eq:jet-of-inputs]
        jet[:, 0] = x.T
        jet[:, self.first] = self.directions.T[:, :, None]
        jet[:, self.second] = np.moveaxis(self.drifts, 1, 0)
        # [/eq:jet-of-inputs]
        return jet

    def __repr__(self) -> str:
        return f"JetKind({self.n_in} variables, {self.n_first} first derivatives, {self.n_second} operators of second order)"


def value_kind(n_in: int) -> JetKind:
    """The value alone."""
    return JetKind(np.zeros((0, n_in)), (), np.zeros((0, n_in, 1)))


def directional_kind(directions: FloatArray, pairs: Sequence[tuple[int, int]]) -> JetKind:
    """First derivatives along directions (n_first, n_in), second ones v_p^T (D^2 u) v_q for pairs (p, q) of them."""
    one = np.ones(1)
    products = tuple((s, min(pair), max(pair), one) for s, pair in enumerate(pairs))
    return JetKind(directions, products, np.zeros((len(pairs), directions.shape[1], 1)))


def operator_kind(second: FloatArray, first: FloatArray) -> JetKind:
    """One operator sum_pq second_pq d_p d_q u + sum_p first_p d_p u.

    Parameters
    ----------
    second : (n_in, n_in) or (batch, n_in, n_in)
        Need not be symmetric: only its symmetric part counts.
    first : (n_in,) or (batch, n_in)

    Notes
    -----
    Directions are those coordinates alone that a second derivative needs.
    """
    n_in = second.shape[-1]
    matrix = second.reshape(-1, n_in, n_in)
    matrix = matrix + matrix.swapaxes(1, 2)
    used = np.flatnonzero((matrix != 0.0).any(axis=(0, 1)))
    products = []
    for place, p in enumerate(used):
        for other in range(place, len(used)):
            weight = matrix[:, p, used[other]] * (0.5 if other == place else 1.0)
            if weight.any():
                products.append((0, place, other, np.ascontiguousarray(weight)))
    drift = np.atleast_2d(first).T[None]
    return JetKind(np.eye(n_in)[used], tuple(products), drift)


def products_of(kind: JetKind, jet: FloatArray) -> FloatArray:
    """The q_s of (T4), (n, n_second, batch), of a jet (n, n_parts, batch)."""
    first = jet[:, kind.first]
    quadratic = np.zeros((len(jet), kind.n_second, jet.shape[2]))
    # [eq:jet-products]
    for s, p, q, weight in kind.products:
        quadratic[:, s] += weight * first[:, p] * first[:, q]
    # [/eq:jet-products]
    return quadratic


def chain(
    kind: JetKind, jet: FloatArray, quadratic: FloatArray, planes: Sequence[FloatArray]
) -> FloatArray:
    """(T2)-(T4): jets (..., n, n_parts, batch) of curves whose values and first two derivatives at x_0 are `planes` (..., n, batch)."""
    value, slope, curvature = planes
    shape = (*value.shape[:-1], kind.n_parts, value.shape[-1])
    parts = np.empty(shape)
    # [eq:jet-chain]
    parts[..., 0, :] = value
    np.multiply(slope[..., None, :], jet[..., 1:, :], out=parts[..., 1:, :])
    parts[..., kind.second, :] += curvature[..., None, :] * quadratic
    # [/eq:jet-chain]
    return parts


def chain_back(
    kind: JetKind, jet: FloatArray, quadratic: FloatArray, pulled: Sequence[FloatArray]
) -> FloatArray:
    """(T5)-(T7), summed over curves: dR/d jet (n, n_parts, batch).

    `pulled`: sums over the curves of phi' dy for all parts, which becomes the result, of phi'' dy for all but the value, of phi''' dy for
    the operators of second order; each (n, parts, batch).
    """
    d_jet, by_curvature, by_third = pulled
    first = jet[:, kind.first]
    # [eq:jet-chain-back]
    d_jet[:, 0] += np.einsum("ikb,ikb->ib", by_curvature, jet[:, 1:])
    d_jet[:, 0] += np.einsum("isb,isb->ib", by_third, quadratic)
    d_first, d_second = d_jet[:, kind.first], by_curvature[:, kind.n_first :]
    for s, p, q, weight in kind.products:
        d_first[:, p] += weight * d_second[:, s] * first[:, q]
        d_first[:, q] += weight * d_second[:, s] * first[:, p]
    # [/eq:jet-chain-back]
    return d_jet


def parameter_weights(
    kind: JetKind, jet: FloatArray, quadratic: FloatArray, dy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The t_1 and t_2 of (T8), (..., n, batch), of all arguments' curves, for dy (..., n_parts, batch) of the outputs they lead to."""
    # [eq:jet-parameters]
    t_1 = np.einsum("...kb,ikb->...ib", dy[..., 1:, :], jet[:, 1:])
    t_2 = np.einsum("...sb,isb->...ib", dy[..., kind.second, :], quadratic)
    # [/eq:jet-parameters]
    return t_1, t_2
