"""A problem of differential equations as an objective: the terms' weighted mean squares, their gradient, residuals and Jacobian.

With a model u_theta, its jets u_k at the terms' points, and r, dr/du_k of `residual_terms` (t term, b point, o residual),

    (E1)  value     = sum_t sum_b v_tb sum_o r_tbo^2,         v_tb = weight_tb / (n_t n_residuals_t)
    (E2)  d_jet_k   = d value / d u_k = 2 v_tb sum_o r_tbo dr_tbo/du_k        at each point; the reverse sweep of `jets` takes it to
          d_theta   = sum_t sum_b sum_k d_jet_k du_k/d theta
    (E3)  residuals = sqrt(v_tb) r_tbo,                       with the rows sqrt(v_tb) sum_k dr_tbo/du_k du_k/d theta

The squares of (E3) sum to (E1): least squares, Levenberg-Marquardt among them, solve differential equations like any other fit. The rows
are the same reverse sweep, begun once for each residual and not summed over points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.numerics import Block
from kan_ref.pde.equations import value_term
from kan_ref.pde.jet_families import JetFunctions, JetModel, jets_of
from kan_ref.pde.residual_terms import FunctionTerm, LinearTerm, Term


@dataclass(frozen=True, eq=False)
class ResidualProblem:
    """Conditions that a model has to fulfil; made by `residual_problem`, for `fit`.

    Parameters
    ----------
    terms : tuple of terms
        Each with points `x` (n, n_in) and a `weight`.
    reference : (x, u), optional
        Points (n, n_in) and a known solution (n, n_out) there.
    """

    terms: tuple[Term, ...]
    reference: tuple[FloatArray, FloatArray] | None = None

    @property
    def points(self) -> FloatArray:
        """All points of all terms, (n, n_in): hidden grids are placed where they lead."""
        return np.concatenate([term.x for term in self.terms])

    @property
    def n_in(self) -> int:
        """Number of variables."""
        return int(self.terms[0].x.shape[1])

    def with_data(self, x: FloatArray, y: FloatArray) -> "ResidualProblem":
        """The same problem with measurements y (n, n_out) at x (n, n_in) as one more term of weight 1."""
        return replace(self, terms=(*self.terms, value_term(x, y)))

    def check(self, model: JetModel) -> None:
        """Raise an error if the problem does not fit the model, or a term is undefined there."""
        if self.n_in != model.widths[0]:
            raise ValueError(
                f"problem has {self.n_in} variables, but the model takes {model.widths[0]} inputs"
            )
        if self.reference is not None and self.reference[1].shape[1] != model.widths[-1]:
            raise ValueError(
                f"reference u has {self.reference[1].shape[1]} columns, "
                f"but the model has {model.widths[-1]} outputs"
            )
        for place, (term, inputs) in enumerate(
            zip(self.terms, self.prepare(model).inputs, strict=True)
        ):
            jet = jets_of(model).predict(model, inputs)
            if not np.isfinite(jet).all():
                sample = int(np.argwhere(~np.isfinite(jet))[0][2])
                raise ValueError(
                    f"x[{sample}] of terms[{place}] in problem gives the model a value or derivative "
                    "that is not finite: a symbolic edge has none there, or numbers overflow"
                )
            term.check(jet, f"terms[{place}]")

    def prepare(self, model: JetModel) -> "PreparedProblem":
        """Evaluate, once, what depends on points and first knots alone."""
        functions = jets_of(model)
        inputs = tuple(functions.prepare(model, term.x, term.kind) for term in self.terms)
        return PreparedProblem(self.terms, functions, inputs)

    def __repr__(self) -> str:
        sizes = ", ".join(str(len(term.x)) for term in self.terms)
        known = "" if self.reference is None else f", reference at {len(self.reference[0])} points"
        return f"ResidualProblem({len(self.terms)} terms at {sizes} points of {self.n_in} variables{known})"


def residual_problem(terms: object, *, reference: object = None) -> ResidualProblem:
    """A problem for `fit(..., problem=...)`: make the weighted mean squares of several conditions small together.

    Parameters
    ----------
    terms : sequence of terms
        From `linear_term`, `value_term`, `function_term`; at least one, all of the same variables.
    reference : (x, u), optional
        A known solution u (n, n_out) at points x (n, n_in): it decides nothing, the history's test errors are measured there.

    Returns
    -------
    problem : ResidualProblem

    Raises
    ------
    ValueError, TypeError
        "terms[1] has 3 variables, but terms[0] has 2"

    Notes
    -----
    Implements :eq:`problem-value`. Liu et al. 2024, section 3.4, where the equation has weight alpha = 0.01 and the boundary 1.

    Examples
    --------
    >>> import kan_ref as kr
    >>> inside = np.linspace(0.0, 1.0, 33)[:, None]
    >>> oscillator = kr.linear_term(inside, second=[1.0], zeroth=np.pi**2)
    >>> start = [kr.value_term([[0.0]], 0.0), kr.linear_term([[0.0]], first=[1.0], source=np.pi)]
    >>> residual_problem([oscillator, *start])
    ResidualProblem(3 terms at 33, 1, 1 points of 1 variables)
    """
    if isinstance(terms, str) or not isinstance(terms, Sequence):
        raise TypeError(
            f"terms is a {type(terms).__name__}, but must be a sequence of terms such as [linear_term(...), value_term(...)]"
        )
    if not terms:
        raise ValueError("terms is empty, but a problem needs at least one term")
    for place, term in enumerate(terms):
        if not isinstance(term, LinearTerm | FunctionTerm):
            raise TypeError(
                f"terms[{place}] is a {type(term).__name__}, but must come from linear_term, value_term or function_term"
            )
        if term.x.shape[1] != terms[0].x.shape[1]:
            raise ValueError(
                f"terms[{place}] has {term.x.shape[1]} variables, but terms[0] has {terms[0].x.shape[1]}"
            )
    if not any(term.weight.any() for term in terms):
        raise ValueError("every weight of every term is 0, but a problem needs one above")
    known = None
    if reference is not None:
        if not isinstance(reference, tuple | list) or len(reference) != 2:
            what = (
                f"{len(reference)} things"
                if isinstance(reference, tuple | list)
                else f"a {type(reference).__name__}"
            )
            raise TypeError(f"reference is {what}, but must be a pair (x, u)")
        x = check_float_array("reference x", reference[0], ("n", terms[0].x.shape[1])).copy()
        known = (x, check_float_array("reference u", reference[1], ("n", "n_out")).copy())
        if len(known[0]) != len(known[1]) or len(known[0]) == 0:
            raise ValueError(
                f"reference has {len(known[0])} points and {len(known[1])} values, but needs one value a point, at least one"
            )
    return ResidualProblem(tuple(terms), known)


@dataclass(frozen=True, eq=False)
class PreparedProblem:
    """(E1)-(E3) for one kind of model and one first layer: `inputs` is what was evaluated once for each term."""

    terms: tuple[Term, ...]
    jets: JetFunctions
    inputs: tuple[Any, ...]

    def value(self, network: JetModel) -> float:
        """(E1), without derivatives."""
        return float(sum(np.vdot(part, part) for part in self._scaled(network)))

    def value_and_grad(self, network: JetModel) -> tuple[float, FloatArray]:
        """(E1) and (E2), (n_params,)."""
        value, gradient = 0.0, np.zeros(network.n_params)
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            flow = self.jets.run_forward(network, inputs)
            residuals, seeds = term.linearize(flow.jet)
            # [eq:problem-value]
            share = _shares(term, residuals)
            value += float((share * residuals**2).sum())
            d_jet = np.einsum("ob,ojkb->jkb", 2.0 * share * residuals, seeds)
            # [/eq:problem-value]
            gradient += self.jets.run_backward(network, flow, d_jet)
        return value, gradient

    def judge(self, network: JetModel, prediction: object) -> tuple[float, float, float]:
        """Return the value, its root, and nan for the accuracy; `prediction` has no part in it."""
        value = self.value(network)
        return value, float(np.sqrt(value)), np.nan

    def residuals(self, network: JetModel) -> FloatArray:
        """(E3): term after term, of each one residual after the other at all points."""
        return np.concatenate([part.reshape(-1) for part in self._scaled(network)])

    def linearize(self, network: JetModel) -> tuple[FloatArray, list[Block]]:
        """(E3) and its rows, in the same order."""
        parts: list[FloatArray] = []
        blocks: list[Block] = []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            flow = self.jets.run_forward(network, inputs)
            residuals, seeds = term.linearize(flow.jet)
            # [eq:problem-rows]
            root = np.sqrt(_shares(term, residuals))
            parts.append((root * residuals).reshape(-1))
            blocks += self.jets.jacobian(network, flow, [root * seed for seed in seeds])
            # [/eq:problem-rows]
        return np.concatenate(parts), blocks

    def _scaled(self, network: JetModel) -> list[FloatArray]:
        scaled = []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            residuals = term.residuals(self.jets.predict(network, inputs))
            scaled.append(np.sqrt(_shares(term, residuals)) * residuals)
        return scaled


def _shares(term: Term, residuals: FloatArray) -> FloatArray:
    """The v_tb of (E1), (1, n) or (1, 1)."""
    return np.asarray(term.weight / residuals.size)[None]
