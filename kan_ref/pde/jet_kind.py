"""The components of a jet, and its chain rule for a curve of one variable.

A jet of u at x is a truncated Taylor expansion, kept as a list of components: the
value, then first derivatives along directions v_1, ..., v_D, then operators L_1, ...,
L_S of second order without a term of order zero,

    (J1)  u_d = v_d . grad u,    L_s u = sum_pq Q_s,pq v_p^T (D^2 u) v_q + r_s . grad u,
          where Q_s is symmetric.

A second derivative along v_d has a single 1 in Q_s. The Laplacian has Q = I, and it is
one component, not n_in of them. So is every linear operator of second order with its
first-order term r (the drift), even if its coefficients depend on x.

Let phi be a curve of one variable and x the jet of its argument. Faa di Bruno's formula
of orders 1 and 2, contracted with Q, gives

    (J2)  phi(x)_0 = phi(x_0)
    (J3)  phi(x)_d = phi'(x_0) x_d
    (J4)  phi(x)_s = phi''(x_0) q_s + phi'(x_0) x_s,        q_s = sum_pq Q_s,pq x_p x_q

The jet of a sum of curves is the sum of their jets. The backward pass, for dy = dR/d
phi(x) of a scalar R, component by component, differentiates (J2)-(J4):

    (J5)  dx_0 = phi' dy_0 + sum_d phi'' x_d dy_d + sum_s (phi''' q_s + phi'' x_s) dy_s
    (J6)  dx_d = phi' dy_d + 2 sum_s phi'' dy_s sum_q Q_s,dq x_q
    (J7)  dx_s = phi' dy_s
    (J8)  dR/dp = dy_0 d phi/dp + t_1 d phi'/dp + t_2 d phi''/dp
          for a parameter p of phi, where
          t_1 = sum_d dy_d x_d + sum_s dy_s x_s,    t_2 = sum_s dy_s q_s

Unless another order is stated, the axes of arrays are nodes, components, samples, as in
memory.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray

# s, p, q, and the factor of x_p x_q in q_s: one number, or one number a sample
Product = tuple[int, int, int, FloatArray]


@dataclass(frozen=True, eq=False)
class JetKind:
    """The components of a jet, (J1).

    `directions` (n_first, n_in): the v_d. `products`: the nonzero entries of all Q_s; a
    pair p < q occurs once, with the sum of both entries. `drifts` (n_second, n_in, 1 or
    batch): the r_s.
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
        return len(self.directions)

    @property
    def n_components(self) -> int:
        """1 + D + S."""
        return 1 + len(self.directions) + len(self.drifts)

    @property
    def order(self) -> int:
        """The highest order of the derivatives, 0 to 2."""
        if self.products:
            return 2
        return int(self.n_first > 0 or self.drifts.any())

    @property
    def first(self) -> slice:
        """Components that are first derivatives."""
        return slice(1, 1 + self.n_first)

    @property
    def second(self) -> slice:
        """Components that are operators of second order."""
        return slice(1 + self.n_first, self.n_components)

    def at(self, x: FloatArray) -> FloatArray:
        """Return the jet of the identity at x (batch, n_in).

        It is (n_in, n_components, batch).
        """
        jet = np.empty((self.n_in, self.n_components, len(x)))
        # [eq:jet-of-inputs]
        jet[:, 0] = x.T
        jet[:, self.first] = self.directions.T[:, :, None]
        jet[:, self.second] = np.moveaxis(self.drifts, 1, 0)
        # [/eq:jet-of-inputs]
        return jet


def directional_kind(
    directions: FloatArray, pairs: Sequence[tuple[int, int]]
) -> JetKind:
    """Return the kind of derivatives along directions, and second ones along pairs.

    `directions` (n_first, n_in): the v_d. `pairs`: (p, q) for each v_p^T (D^2 u) v_q.
    """
    products = []
    for s, (p, q) in enumerate(pairs):
        products.append((s, min(p, q), max(p, q), np.ones(1)))
    drifts = np.zeros((len(pairs), directions.shape[1], 1))
    return JetKind(directions, tuple(products), drifts)


def operator_kind(second: FloatArray, first: FloatArray) -> JetKind:
    """Return the kind of the operator sum_pq second_pq d_p d_q u + sum_p first_p d_p u.

    `second`: (n_in, n_in) or (batch, n_in, n_in), of which only the symmetric part
    enters; `first`: (n_in,) or (batch, n_in). The directions are those coordinates that
    second derivatives have.
    """
    n_in = second.shape[1]
    matrix = second.reshape(-1, n_in, n_in)
    matrix = matrix + matrix.swapaxes(1, 2)
    used = np.flatnonzero((matrix != 0.0).any(axis=(0, 1)))

    products: list[Product] = []
    for p, q in itertools.combinations_with_replacement(range(len(used)), 2):
        weight = matrix[:, used[p], used[q]]
        if p == q:
            weight = 0.5 * weight
        if weight.any():
            products.append((0, p, q, np.ascontiguousarray(weight)))

    drift = np.atleast_2d(first).T[None]
    return JetKind(np.eye(n_in)[used], tuple(products), drift)


# --- forward


def products_of(kind: JetKind, jet: FloatArray) -> FloatArray:
    """Return the q_s of (J4), (n, n_second, batch).

    The jet is (n, n_components, batch).
    """
    x_first = jet[:, kind.first]
    quadratic = np.zeros((len(jet), len(kind.drifts), jet.shape[2]))
    # [eq:jet-products]
    for s, p, q, weight in kind.products:
        quadratic[:, s] += weight * x_first[:, p] * x_first[:, q]
    # [/eq:jet-products]
    return quadratic


def chain(
    kind: JetKind,
    jet: FloatArray,
    quadratic: FloatArray,
    derivatives: Iterable[FloatArray],
) -> FloatArray:
    """Return the jets (J2)-(J4) of curves, (n, n_components, batch).

    `derivatives`: the curves' values and first and second derivatives at x_0, each (n,
    batch).
    """
    value, slope, curvature = derivatives
    phi = np.empty(jet.shape)
    # [eq:jet-chain]
    phi[:, 0] = value
    np.multiply(slope[:, None], jet[:, 1:], out=phi[:, 1:])
    if kind.products:  # else an infinite phi'' would count, as inf times 0
        phi[:, kind.second] += curvature[:, None] * quadratic
    # [/eq:jet-chain]
    return phi


# --- backward


def chain_back(
    kind: JetKind,
    jet: FloatArray,
    quadratic: FloatArray,
    sums: Sequence[FloatArray],
) -> FloatArray:
    """Return dR/d jet, (n, n_components, batch), by (J5)-(J7).

    `sums`: over the curves, of phi' dy for all components of dy, of phi'' dy for all
    but the value, and of phi''' dy for those of second order. The first of them, (n,
    n_components, batch), is overwritten with the result.
    """
    dx, by_curvature, by_third = sums
    x_first = jet[:, kind.first]
    dx_first = dx[:, kind.first]
    # [eq:jet-chain-back]
    dx[:, 0] += np.einsum("ikb,ikb->ib", by_curvature, jet[:, 1:])
    dx[:, 0] += np.einsum("isb,isb->ib", by_third, quadratic)
    dq = by_curvature[:, kind.n_first :]
    for s, p, q, weight in kind.products:
        dx_first[:, p] += weight * dq[:, s] * x_first[:, q]
        dx_first[:, q] += weight * dq[:, s] * x_first[:, p]
    # [/eq:jet-chain-back]
    return dx


def parameter_weights(
    kind: JetKind,
    jet: FloatArray,
    quadratic: FloatArray,
    dy: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return t_1 and t_2 of (J8), each (..., n, batch).

    `dy` is (..., n_components, batch).
    """
    # [eq:jet-parameters]
    t_1 = np.einsum("...kb,ikb->...ib", dy[..., 1:, :], jet[:, 1:])
    t_2 = np.einsum("...sb,isb->...ib", dy[..., kind.second, :], quadratic)
    # [/eq:jet-parameters]
    return t_1, t_2
