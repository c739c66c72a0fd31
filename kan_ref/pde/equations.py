"""Conditions of differential equations as a sum of squares, and its derivatives.

With the model's jets u_k at the points of the terms, and r, dr/du_k of `terms` (term t,
point b, residual o),

    (J36)  value     = sum_t sum_b v_tb sum_o r_tbo^2
           v_tb      = weight_tb / (n_t n_residuals_t)
    (J37)  d_jet_k   = d value / d u_k = 2 v_tb sum_o r_tbo dr_tbo/du_k    at each point
           d_theta   = sum_t sum_b sum_k d_jet_k du_k/d theta    by a pass of `jets`
    (J38)  residuals = sqrt(v_tb) r_tbo
           rows      = sqrt(v_tb) sum_k dr_tbo/du_k du_k/d theta

The squares of (J38) sum to (J36). So least-squares methods such as Levenberg-Marquardt
solve differential equations like any other fit. The rows come from the same backward
pass, run once for each residual, without the sum over points.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray
from kan_ref.numerics import Block
from kan_ref.pde import jets
from kan_ref.pde.input_derivatives import check_jet
from kan_ref.pde.jets import JetModel
from kan_ref.pde.terms import Term


class Equations:
    """Terms that a model has to satisfy: from `linear_term`, for example."""

    def __init__(self, terms: object) -> None:
        """Check that all terms have the same number of variables, and scales."""
        if not isinstance(terms, list | tuple) or not terms:
            rule = "must be a list such as [linear_term(...)]"
            checks.fail("equations", terms, rule, TypeError)
        first = terms[0]
        for place, term in enumerate(terms):
            name = f"equations[{place}]"
            if not isinstance(term, Term):
                checks.fail(name, term, "must come from linear_term", TypeError)
            if term.kind.n_in != first.kind.n_in:
                variables = checks.counted(term.kind.n_in, "variable")
                raise ValueError(
                    f"{name} has {variables}, but equations[0] has "
                    f"{first.kind.n_in}: give all points x the same columns"
                )
            if str(term.scales) != str(first.scales):
                raise ValueError(
                    f"{name} has scales={term.scales}, but equations[0] has "
                    f"{first.scales}: write each with equation_term(..., scales=) "
                    "and the same ones"
                )
        self.terms: tuple[Term, ...] = tuple(terms)

    @property
    def points(self) -> FloatArray:
        """The points of all terms, (n, n_in), where hidden grids are placed."""
        return np.concatenate([term.x for term in self.terms])

    def prepare(self, model: JetModel) -> "PreparedEquations":
        """Evaluate what depends on the points and the first layer's knots alone."""
        return PreparedEquations(self.terms, model)

    def check(self, model: JetModel) -> None:
        """Raise an error if a term does not fit the model, or a partial is wrong."""
        jets.check_model(model)
        n_in = self.terms[0].kind.n_in
        if n_in != model.widths[0]:
            inputs = checks.counted(model.widths[0], "input")
            raise ValueError(
                f"equations have {n_in} variables, but the network takes {inputs}"
            )
        for place, term in enumerate(self.terms):
            name = f"equations[{place}]"
            order = term.kind.order
            _check_order(model, order, name)
            jet = jets.jet_at(model, term.x, term.kind)
            check_jet(model, term.x, jet, order, f"{name}.x")
            term.check(jet, name)

    def __repr__(self) -> str:
        return f"Equations({list(self.terms)})"


class PreparedEquations:
    """The objective (J36)-(J38) for models with the same knots in the first layer."""

    def __init__(self, terms: tuple[Term, ...], model: JetModel) -> None:
        self.terms = terms
        self._inputs = [jets.prepare_jet(model, term.x, term.kind) for term in terms]

    def value_and_grad(self, model: JetModel) -> tuple[float, FloatArray]:
        """Return the value (J36) and its gradient (J37), (n_params,).

        Notes
        -----
        Implements :eq:`problem-value`.
        """
        value = 0.0
        gradient = np.zeros(model.n_params)
        for weights, residuals, seeds, caches in self._linearized(model):
            # [eq:problem-value]
            value += float((weights * residuals**2).sum())
            d_jet = np.einsum("ob,ojkb->jkb", 2.0 * weights * residuals, seeds)
            # [/eq:problem-value]
            gradient += jets.run_jet_backward(model, caches, d_jet)
        return value, gradient

    def residuals(self, model: JetModel) -> FloatArray:
        """Return the residuals (J38): by term, then by residual, then by point."""
        scaled = []
        for term, inputs in zip(self.terms, self._inputs, strict=True):
            jet, _ = jets.run_jet_forward(model, inputs, slopes=False)
            residuals = term.residuals(jet)
            scaled.append(np.sqrt(_weights(term, residuals)) * residuals)
        return np.concatenate(scaled, axis=None)

    def linearize(self, model: JetModel) -> tuple[FloatArray, list[Block]]:
        """Return the residuals (J38) and their Jacobian, in blocks of the same order.

        Notes
        -----
        Implements :eq:`problem-rows`.
        """
        scaled: list[FloatArray] = []
        blocks: list[Block] = []
        for weights, residuals, seeds, caches in self._linearized(model):
            # [eq:problem-rows]
            root = np.sqrt(weights)
            scaled.append(root * residuals)
            blocks += [jets.jet_jacobian(model, caches, root * seed) for seed in seeds]
            # [/eq:problem-rows]
        return np.concatenate(scaled, axis=None), blocks

    def _linearized(self, model: JetModel) -> Iterator[tuple[Any, ...]]:
        """Yield v_tb, residuals and seeds of each term, and the caches of the model."""
        for term, inputs in zip(self.terms, self._inputs, strict=True):
            jet, caches = jets.run_jet_forward(model, inputs)
            residuals, seeds = term.linearize(jet)
            yield _weights(term, residuals), residuals, seeds, caches


def _weights(term: Term, residuals: FloatArray) -> FloatArray:
    """Return the v_tb of (J36) for residuals (n_residuals, n), (1, n) or (1, 1)."""
    return np.asarray(term.weight / residuals.size)[None]


def _check_order(model: JetModel, order: int, name: str) -> None:
    """Raise ValueError where derivatives of an order, at points, do not determine a
    model.

    A spline of degree d has jumps in its d-th derivative at the knots. Those of an
    order above d do not show them between the knots, so all residuals can be 0 for a
    wrong function.
    """
    if isinstance(model, MLP):
        missing = order == 2 and model.activation == "relu"
    else:
        splines = (layer for layer in model.layers if layer.mask.any())
        missing = any(layer.degree < order for layer in splines)
    if missing:
        raise ValueError(
            f"{name} has derivatives of order {order}, which do not determine this "
            "network: give init_network degree 3, or init_mlp another activation "
            "than relu"
        )
