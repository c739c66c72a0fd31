"""Terms of a problem: residuals at points, and their derivatives with respect to the model's jet.

The jet of the outputs at a point is a list of numbers u_k: values, and derivatives with respect to
the inputs, the components of `jet_kind`. A residual r is a function of these numbers. By the chain
rule dr/d theta_p = sum_k dr/du_k du_k/d theta_p. The factors du_k/d theta_p belong to the model and
come from the backward pass of `jets`. A term supplies r and the factors dr/du_k, the seed
derivatives of that backward pass:

    (J33)  linear      r_o = c u_o,0 + u_o,s - f_o,    dr_o/du_o,0 = c,    dr_o/du_o,s = 1
           with the value u_o,0 and the operator u_o,s = A : D^2 u_o + b . grad u_o
    (J34)  function    r = R(x, u, du, d2u),    dr/du_k from the user's partial derivatives

In (J34), d2u_pq and d2u_qp are one component of the jet, whose seed derivative is by_d2u_pq +
by_d2u_qp.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray, counted
from kan_ref.network import Network
from kan_ref.pde.input_derivatives import JetModel
from kan_ref.pde.jet_kind import JetKind
from kan_ref.pde.scales import Scales
from kan_ref.pde.user_residual import Arguments, Residual, check_partials, evaluate_residual


@dataclass(frozen=True, eq=False)
class LinearTerm:
    """The condition (J30) of `equations` at some points.

    `x` (n, n_in), `kind` with at most one operator of second order, `zeroth` (n,) or (1,), `source`
    (n, n_out) or one number (), `weight` (n,) or (1,). `derived`: whether it comes from an equation
    in SymPy. `scales`: those that made it dimensionless.
    """

    x: FloatArray
    kind: JetKind
    zeroth: FloatArray
    source: FloatArray
    weight: FloatArray
    derived: bool = False
    scales: Scales | None = None

    def __post_init__(self) -> None:
        for array in (self.x, self.zeroth, self.source, self.weight):
            array.flags.writeable = False

    def residuals(self, jet: FloatArray) -> FloatArray:
        """Return the residuals (n_out, n) by (J33), at the jet (n_out, n_components, n)."""
        # [eq:linear-residual]
        residuals: FloatArray = (
            self.zeroth * jet[:, 0] + jet[:, self.kind.second].sum(axis=1) - self.source.T
        )
        # [/eq:linear-residual]
        return residuals

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals (n_out, n) and dr/d jet, (n_out, n_out, n_components, n)."""
        seeds = np.zeros((len(jet), *jet.shape))
        # [eq:linear-seeds]
        for output, seed in enumerate(seeds):
            seed[output, 0] = self.zeroth
            seed[output, self.kind.second] = 1.0
        # [/eq:linear-seeds]
        return self.residuals(jet), seeds

    def check(self, jet: FloatArray, name: str) -> None:
        """Raise ValueError if the source does not fit the model's outputs."""
        if self.source.ndim and self.source.shape[1] != len(jet):
            outputs = counted(len(jet), "output")
            if self.derived:
                raise ValueError(
                    f"{name} is an equation for {counted(self.source.shape[1], 'unknown function')}"
                    f", but the model has {outputs}: list the unknown functions of all outputs in "
                    "unknowns="
                )
            raise ValueError(
                f"{name} gives values for {counted(self.source.shape[1], 'output')}, but the model "
                f"has {outputs}: give y or source the shape ({len(self.x)}, {len(jet)}), or a "
                "number for all points and outputs"
            )

    def __repr__(self) -> str:
        return f"LinearTerm({len(self.x)} points, {self.kind!r})"


@dataclass(frozen=True, eq=False)
class FunctionTerm:
    """The condition (J31) of `equations` at some points.

    `x` (n, n_in), `kind` with all first derivatives (none at order 0) and the second derivatives of
    `pairs`, the user's `function`, `weight` (n,) or (1,). `derived`: whether SymPy has derived the
    partial derivatives that the function returns. `scales`: those that made it dimensionless.
    """

    x: FloatArray
    kind: JetKind
    pairs: tuple[tuple[int, int], ...]
    function: Residual
    weight: FloatArray
    derived: bool = False
    scales: Scales | None = None

    def __post_init__(self) -> None:
        for array in (self.x, self.weight):
            array.flags.writeable = False

    def residuals(self, jet: FloatArray) -> FloatArray:
        """Return the residuals (n_residuals, n) at the jet (n_out, n_components, n)."""
        residual, _ = evaluate_residual(self.function, self.arguments(jet))
        return residual.reshape(len(self.x), -1).T

    def linearize(self, jet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals (n_residuals, n), dr/d jet (n_residuals, n_out, n_components, n).

        Notes
        -----
        Implements :eq:`function-seeds`.
        """
        residual, partials = evaluate_residual(self.function, self.arguments(jet))
        n, n_out = len(self.x), len(jet)
        seeds = np.zeros((residual.size // n, *jet.shape))
        by_u, by_du, by_d2u = (  # n_residuals and n_out first, samples last
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
        """Raise an error if shapes do not fit, or a partial derivative is wrong at this jet."""
        check_partials(
            self.function, self.arguments(jet), name, derived=self.derived, scales=self.scales
        )

    def arguments(self, jet: FloatArray) -> Arguments:
        """Return `x`, u (n, n_out), du (n, n_out, n_in) and d2u (n, n_out, n_in, n_in).

        du and d2u are None above the term's order; d2u is nan at pairs that the term does not use.
        """
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

_JUMPS = ("values", "first derivatives")  # of splines, by degree
_RATIO = 1000.0  # of the influences of two residuals


def weights_of(term: Term, residuals: FloatArray) -> FloatArray:
    """Return the v_tb of (J36) for residuals (n_residuals, n), (1, n) or (1, 1)."""
    return np.asarray(term.weight / residuals.size)[None]


def influences(term: Term, jet: FloatArray) -> FloatArray:
    """Return how much the residuals (J38) change, (n_residuals,), root sums of squares over points.

    They are those for the value or derivative u_k, changed by 1, that changes a residual most.
    """
    residuals, seeds = term.linearize(jet)
    kind, (values, operators) = term.kind, np.split(seeds, [term.kind.second.start], axis=2)
    parts = [values, *(operators[:, :, [s]] * factor for s, _, _, factor in kind.products)]
    parts += [operators[:, :, [s]] * drift for s, drift in enumerate(kind.drifts)]
    changes = np.sqrt(weights_of(term, residuals)) * np.concatenate(parts, axis=2)
    most = max(float(np.abs(changes).max()), 1e-300)  # squares of small numbers may underflow
    return np.asarray(most * np.sqrt(((changes / most) ** 2).sum(axis=3).max(axis=(1, 2))))


def size_of_data(terms: Sequence[Term], jets: Sequence[FloatArray]) -> float:
    """Return the size of the data of linear terms where a model is worse than u = 0, else 0.

    Data and errors are largest root mean squares of residuals, of u = 0 and of the model, each in
    units of the `influences`. So 1e-6 in u'' = 1e-6 and in u = 1e-6 has the size 1e-6.
    """
    if not all(isinstance(term, LinearTerm) for term in terms):
        return 0.0
    largest = [0.0, 0.0]  # of u = 0 and of the model
    for term, jet in zip(terms, jets, strict=True):
        change = influences(term, jet)
        used = change > 0.0
        for place, residuals in enumerate((term.residuals(0.0 * jet), term.residuals(jet))):
            sizes = np.sqrt((weights_of(term, residuals) * residuals**2).sum(axis=1))
            largest[place] = max([largest[place], *(sizes[used] / change[used]).tolist()])
    return largest[0] if largest[0] < largest[1] else 0.0


def note_on_influences(parts: Sequence[FloatArray]) -> str:
    """Return what to add to a run's end if residuals hardly depend on the unknowns, else "".

    `parts`: of each term the `influences` (n_residuals,); a residual with 0 is left out.

    Notes
    -----
    For c u'' = -9 c sin 3x with u = sin 3x at both ends of [0, 1] the largest error of L-BFGS was
    0.4 for c = 1e-3, that of Levenberg-Marquardt 5e-5 for 1e-3 and 0.8 for 1e-6. Solved problems
    of tutorials, figures and tests have ratios of at most 316, so the note appears from 1000 on.
    """
    sizes = np.concatenate(parts)
    places = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    large, small = int(np.argmax(sizes)), int(np.argmin(np.where(sizes > 0.0, sizes, np.inf)))
    if not sizes[large] >= _RATIO * (1.0 - 1e-9) * sizes[small] > 0.0:
        return ""
    return (
        f"; a residual of terms[{places[small]}] changes by {sizes[small]:.2g}, weights included, "
        f"where an unknown or a derivative of it changes by 1, but one of terms[{places[large]}] "
        f"by {sizes[large]:.2g}, and from a ratio of {_RATIO:g} on the first can have hardly any "
        "influence on the fit, which the residual does not show: divide each equation by its "
        "largest coefficient, or give it weight= or scales="
    )


def check_order(model: JetModel, term: Term, name: str) -> None:
    """Raise ValueError where the derivatives of a term, at points, do not determine a model.

    A spline of degree d has jumps in its d-th derivative at the knots. Derivatives of an order
    above d do not show them at any point between the knots, so all residuals can be 0 for a
    wrong function.
    """
    order = term.kind.order
    if isinstance(model, MLP):
        if order == 2 and model.activation == "relu":
            raise ValueError(
                f"{name} has second derivatives, but those of an MLP of activation 'relu' are 0 at "
                "every point: give another activation, or the term a lower order"
            )
        return
    if not isinstance(model, Network) or order == 0:
        return
    for place, layer in enumerate(model.layers):
        if layer.n_active == 0:
            raise ValueError(
                f"{name} has derivatives of order {order}, but those of the network are 0 at every "
                f"point, because layers[{place}] has no active edges: mask_edges makes them active"
            )
        if layer.degree < order and layer.mask.any():
            raise ValueError(
                f"{name} has derivatives of order {order}, but layers[{place}] has spline edges of "
                f"degree {layer.degree}: their {_JUMPS[layer.degree]} jump at the knots, which "
                "residuals at points do not show, so give degree 3, or the term a lower order"
            )
