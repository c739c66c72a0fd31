"""Terms of a differential problem: residuals at points, and their derivatives by the jet of the model's outputs.

A jet u_k of the outputs at a point is a list of numbers: values and derivatives by the inputs, the parts of `jet_kind`. A residual r is a
function of these numbers, so that how it moves with a parameter theta_p is the chain rule dr/d theta_p = sum_k dr/du_k du_k/d theta_p.
The second factors are the model's, by the reverse sweep of `jets`; a term gives the residual and the first ones, the seeds of that sweep:

    (R1)  linear      r_o = c u_o,0 + u_o,s - f_o,    dr_o/du_o,0 = c,    dr_o/du_o,s = 1          (part 0: the value,
    (R2)  function    r = R(x, u, du, d2u),           dr/du_k from the user's partial derivatives        part s: A : D^2 u + b . grad u)
          d2u_pq and d2u_qp are one part of the jet, whose seed is by_d2u_pq + by_d2u_qp

What a user's R answers is asked and judged in `user_residual`.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.pde.jet_kind import JetKind
from kan_ref.pde.user_residual import Arguments, Residual, ask, check_partials


@dataclass(frozen=True, eq=False)
class LinearTerm:
    """(Q1) of `equations`, at some points.

    `x` (n, n_in), `kind` with at most one second-order part, `zeroth` (n,) or (1,), `source` (n, n_out) or one number (),
    `weight` (n,) or (1,).
    """

    x: FloatArray
    kind: JetKind
    zeroth: FloatArray
    source: FloatArray
    weight: FloatArray

    def residuals(self, jet: FloatArray) -> FloatArray:
        """(R1), (n_out, n), at the outputs' jet (n_out, n_components, n)."""
        # [eq:linear-residual]
        residuals: FloatArray = (
            self.zeroth * jet[:, 0] + jet[:, self.kind.second].sum(axis=1) - self.source.T
        )
        # [/eq:linear-residual]
        return residuals

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (n_out, n) and their seeds dr/d jet, (n_out, n_out, n_components, n)."""
        seeds = np.zeros((len(jet), *jet.shape))
        # [eq:linear-seeds]
        for output, seed in enumerate(seeds):
            seed[output, 0] = self.zeroth
            seed[output, self.kind.second] = 1.0
        # [/eq:linear-seeds]
        return self.residuals(jet), seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """ValueError if the source does not fit the model's outputs."""
        if self.source.ndim and self.source.shape[1] != len(jet):
            raise ValueError(
                f"{name} gives values for {self.source.shape[1]} outputs, but the model has {len(jet)}"
            )

    def __repr__(self) -> str:
        return f"LinearTerm({len(self.x)} points, {self.kind!r})"


@dataclass(frozen=True, eq=False)
class FunctionTerm:
    """(Q2) of `equations`, at some points.

    `x` (n, n_in), `kind` with all first derivatives (none at order 0) and the second ones of `pairs`, the user's `function`,
    `weight` (n,) or (1,).
    """

    x: FloatArray
    kind: JetKind
    pairs: tuple[tuple[int, int], ...]
    function: Residual
    weight: FloatArray

    def residuals(self, jet: FloatArray) -> FloatArray:
        """(R2), (n_residuals, n), at the outputs' jet (n_out, n_components, n)."""
        return ask(self.function, self.arguments(jet))[0].reshape(len(self.x), -1).T

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (n_residuals, n) and their seeds dr/d jet, (n_residuals, n_out, n_components, n)."""
        residual, partials = ask(self.function, self.arguments(jet))
        n, n_out = len(self.x), len(jet)
        seeds = np.zeros((residual.size // n, *jet.shape))
        by_u, by_du, by_d2u = (
            None
            if p is None
            else np.moveaxis(p.reshape(n, -1, n_out, *p.shape[residual.ndim + 1 :]), 0, -1)
            for p in partials
        )
        # [eq:function-seeds]
        if by_u is not None:
            seeds[:, :, 0] = by_u
        if by_du is not None:
            seeds[:, :, self.kind.first] = by_du
        if by_d2u is not None:
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                seeds[:, :, place] = (
                    by_d2u[:, :, p, q] if p == q else by_d2u[:, :, p, q] + by_d2u[:, :, q, p]
                )
        # [/eq:function-seeds]
        return residual.reshape(n, -1).T, seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """ValueError if shapes do not fit, or a partial derivative is not that of the residual, at this jet."""
        check_partials(self.function, self.arguments(jet), name)

    def arguments(self, jet: FloatArray) -> Arguments:
        """`x`, u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in), nan where a second derivative was not asked for."""
        n_in, du, d2u = self.kind.n_in, None, None
        if self.kind.n_first:
            du = np.ascontiguousarray(jet[:, self.kind.first].transpose(2, 0, 1))
        if self.pairs:
            d2u = np.full((len(self.x), len(jet), n_in, n_in), np.nan)
            for place, (p, q) in enumerate(self.pairs, start=self.kind.second.start):
                d2u[:, :, p, q] = d2u[:, :, q, p] = jet[:, place].T
        return self.x, np.ascontiguousarray(jet[:, 0].T), du, d2u

    def __repr__(self) -> str:
        return f"FunctionTerm({len(self.x)} points, {self.kind!r})"


Term = LinearTerm | FunctionTerm
