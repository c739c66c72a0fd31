"""A problem of differential equations as an objective: value, gradient, residuals and Jacobian.

With the model's jets u_k at the points of the terms, and r, dr/du_k of `residual_terms` (term t,
point b, residual o),

    (J36)  value     = sum_t sum_b v_tb sum_o r_tbo^2,    v_tb = weight_tb / (n_t n_residuals_t)
    (J37)  d_jet_k   = d value / d u_k = 2 v_tb sum_o r_tbo dr_tbo/du_k    at each point
           d_theta   = sum_t sum_b sum_k d_jet_k du_k/d theta    by the backward pass of `jets`
    (J38)  residuals = sqrt(v_tb) r_tbo,    with rows sqrt(v_tb) sum_k dr_tbo/du_k du_k/d theta

The squares of (J38) sum to (J36). So least-squares methods such as Levenberg-Marquardt solve
differential equations like any other fit. The rows come from the same backward pass, run once for
each residual, without the sum over points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, counted, shown
from kan_ref.numerics import Block
from kan_ref.pde.equations import value_term
from kan_ref.pde.input_derivatives import JetFunctions, JetModel, check_jet, jets_of
from kan_ref.pde.residual_terms import (
    FunctionTerm,
    LinearTerm,
    Term,
    check_order,
    influences,
    note_on_influences,
    size_of_data,
    weights_of,
)
from kan_ref.pde.scales import (
    check_dimensionless,
    check_scales,
    note_on_lengths,
    note_on_scales,
    note_on_sizes,
)


@dataclass(frozen=True, eq=False)
class ResidualProblem:
    """Conditions that a model has to satisfy, from `residual_problem`, for `fit`.

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
        """The points of all terms, (n, n_in); hidden grids are placed on the activations there."""
        return np.concatenate([term.x for term in self.terms])

    @property
    def n_in(self) -> int:
        """Number of variables."""
        return int(self.terms[0].x.shape[1])

    def with_data(self, x: FloatArray, y: FloatArray) -> "ResidualProblem":
        """Return the problem with one more term: u = y (n, n_out) at x (n, n_in), of weight 1.

        Where terms have scales, x and y are dimensionless.
        """
        measured = value_term(x, y)
        if measured.x.shape[1] == self.n_in:
            check_dimensionless("x of the data", measured.x, self.terms)
        return residual_problem((*self.terms, measured), reference=self.reference)

    def prepare(self, model: JetModel) -> "PreparedProblem":
        """Evaluate what depends on the points and the knots of the first layer alone."""
        functions = jets_of(model)
        inputs = tuple(functions.prepare(model, term.x, term.kind) for term in self.terms)
        return PreparedProblem(self.terms, functions, inputs)

    def check(self, model: JetModel) -> None:
        """Raise an error if the problem or its orders do not fit, or a partial is wrong."""
        if self.n_in != model.widths[0]:
            raise ValueError(
                f"problem has {counted(self.n_in, 'variable')}, but the model takes "
                f"{counted(model.widths[0], 'input')}: give every term points x with one column "
                "for each input"
            )
        if self.reference is not None and self.reference[1].shape[1] != model.widths[-1]:
            raise ValueError(
                f"reference[1] has {counted(self.reference[1].shape[1], 'column')}, but the model "
                f"has {counted(model.widths[-1], 'output')}: give one column for each output"
            )
        prepared = self.prepare(model)
        for place, (term, inputs) in enumerate(zip(self.terms, prepared.inputs, strict=True)):
            jet = prepared.functions.predict(model, inputs)
            highest = 2 if term.kind.n_second else 1
            check_order(model, term, f"terms[{place}]")
            check_jet(model, term.x, jet, highest=highest, name=f"terms[{place}].x")
            term.check(jet, f"terms[{place}]")

    def notes(
        self,
        model: JetModel,
        known: FloatArray | None,
        rmse: float,
        *,
        least_squares: bool,
        tested: bool,
    ) -> str:
        """Return what to add to the reason of a run's end where scales or sizes harm, else "".

        Parameters
        ----------
        model, rmse : Network or MLP, float
            At the end of the run, with the root of the weighted mean squares of its residuals.
        known : (n, n_out), optional
            Values of a known solution.
        least_squares, tested : bool
            Whether the optimizer was a Levenberg-Marquardt method, and whether there are test
            errors, which are large.
        """
        prepared = self.prepare(model)
        jets = [prepared.functions.predict(model, inputs) for inputs in prepared.inputs]
        values = model(self.points) if known is None else known
        sizes = np.sqrt(np.mean(values**2, axis=0))
        stated = size_of_data(self.terms, jets) if known is None else 0.0
        sizes = np.append(sizes, [stated, max(float(sizes.max()), rmse)])
        units = note_on_lengths(self.terms) + note_on_sizes(sizes, least_squares=least_squares)
        if not units:
            units = note_on_influences(list(map(influences, self.terms, jets)))
        return note_on_scales(self.terms, tested=tested) + units

    def __repr__(self) -> str:
        sizes = ", ".join(str(len(term.x)) for term in self.terms)
        known = "" if self.reference is None else f", reference at {len(self.reference[0])} points"
        return (
            f"ResidualProblem({len(self.terms)} terms at {sizes} points of "
            f"{self.n_in} variables{known})"
        )


@dataclass(frozen=True, eq=False)
class PreparedProblem:
    """The objective (J36)-(J38) for models of one type whose first layer has the same knots.

    `functions`: how such a model computes jets. `inputs`: of each term what they evaluate once.
    """

    terms: tuple[Term, ...]
    functions: JetFunctions
    inputs: tuple[Any, ...]
    # theta and the value of the model that was evaluated last, for `judge`
    last: list[Any] = field(default_factory=list)

    def value(self, model: JetModel) -> float:
        """Return the value (J36)."""
        return self._keep(model, self._scaled(model))

    def _keep(self, model: JetModel, scaled: Sequence[FloatArray]) -> float:
        """Return the value (J36) from the residuals (J38), and keep it."""
        value = float(sum(np.vdot(own, own) for own in scaled))
        self.last[:] = [model.theta, value]
        return value

    def value_and_grad(self, model: JetModel) -> tuple[float, FloatArray]:
        """Return the value (J36) and its gradient (J37), (n_params,).

        Notes
        -----
        Implements :eq:`problem-value`.
        """
        value, gradient = 0.0, np.zeros(model.n_params)
        scaled = []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            flow = self.functions.run_forward(model, inputs)
            residuals, seeds = term.linearize(flow.jet)
            # [eq:problem-value]
            weights = weights_of(term, residuals)
            value += float((weights * residuals**2).sum())
            d_jet = np.einsum("ob,ojkb->jkb", 2.0 * weights * residuals, seeds)
            # [/eq:problem-value]
            gradient += self.functions.run_backward(model, flow, d_jet)
            scaled.append(np.sqrt(weights) * residuals)
        self._keep(model, scaled)
        return value, gradient

    def judge(self, model: JetModel) -> tuple[float, float, float]:
        """Return the value, its root, and nan for the accuracy."""
        known = bool(self.last) and np.array_equal(self.last[0], model.theta)
        value = self.last[1] if known else self.value(model)
        return value, float(np.sqrt(value)), np.nan

    def residuals(self, model: JetModel) -> FloatArray:
        """Return the residuals (J38): by term, then by residual, then by point."""
        scaled = self._scaled(model)
        self._keep(model, scaled)
        return np.concatenate([own.reshape(-1) for own in scaled])

    def linearize(self, model: JetModel) -> tuple[FloatArray, list[Block]]:
        """Return the residuals (J38) and their Jacobian, as blocks of rows in the same order.

        Notes
        -----
        Implements :eq:`problem-rows`.
        """
        scaled: list[FloatArray] = []
        blocks: list[Block] = []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            flow = self.functions.run_forward(model, inputs)
            residuals, seeds = term.linearize(flow.jet)
            # [eq:problem-rows]
            root = np.sqrt(weights_of(term, residuals))
            scaled.append((root * residuals).reshape(-1))
            blocks += self.functions.jacobian(model, flow, [root * seed for seed in seeds])
            # [/eq:problem-rows]
        return np.concatenate(scaled), blocks

    def __repr__(self) -> str:
        return f"equations at {sum(len(term.x) for term in self.terms)} points"

    def _scaled(self, model: JetModel) -> list[FloatArray]:
        """Return the residuals (J38) of each term, (n_residuals, n)."""
        scaled = []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            residuals = term.residuals(self.functions.predict(model, inputs))
            scaled.append(np.sqrt(weights_of(term, residuals)) * residuals)
        return scaled


def residual_problem(terms: object, *, reference: object = None) -> ResidualProblem:
    """Return a problem for `fit(..., problem=...)`: weighted mean squares of several conditions.

    Parameters
    ----------
    terms : sequence of terms
        From `equation_term`, `linear_term`, `value_term`, `function_term`; at least one, all of the
        same variables. Beside terms with scales others are taken as dimensionless, and the run says
        so: write all with ``equation_term(..., scales=)``, or convert x and y by `Scales.inputs`
        and `Scales.outputs`.
    reference : (x, u), optional
        A known solution u (n, n_out) at points x (n, n_in), dimensionless where terms have scales.
        The test errors of the history are taken there; it has no influence on the fit.

    Returns
    -------
    problem : ResidualProblem

    Raises
    ------
    ValueError, TypeError
        "terms[1] has 3 variables, but terms[0] has 2"; for terms with different scales, and for
        points without scales that lie outside the scaled domain of other terms.

    Notes
    -----
    Implements :eq:`problem-value`. Liu et al. 2024, section 3.4, where the equation has weight
    alpha = 0.01 and the boundary 1.

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
            f"terms is a {type(terms).__name__}, "
            "but must be a sequence of terms such as [linear_term(...), value_term(...)]"
        )
    if not terms:
        raise ValueError("terms is empty, but a problem needs at least one term")
    for place, term in enumerate(terms):
        if not isinstance(term, LinearTerm | FunctionTerm):
            raise TypeError(
                f"terms[{place}] is a {type(term).__name__}, "
                "but must come from linear_term, value_term or function_term"
            )
        if term.x.shape[1] != terms[0].x.shape[1]:
            raise ValueError(
                f"terms[{place}] has {counted(term.x.shape[1], 'variable')}, but terms[0] has "
                f"{terms[0].x.shape[1]}: give all terms points with the same number of columns"
            )
    if not any(term.weight.any() for term in terms):
        raise ValueError("every weight of every term is 0, but a problem needs one above")
    check_scales(terms)
    known = None if reference is None else _check_reference(reference, terms[0].x.shape[1])
    if known is not None:
        check_dimensionless("reference[0]", known[0], terms)
    return ResidualProblem(tuple(terms), known)


def _check_reference(reference: object, n_in: int) -> tuple[FloatArray, FloatArray]:
    """Return copies of x (n, n_in) and u (n, n_out); raise an error if they do not fit."""
    if not isinstance(reference, tuple | list) or len(reference) != 2:
        raise TypeError(
            f"reference is {shown(reference)}, but must be a pair (x, u): points x (n, {n_in}) and "
            "the known solution u (n, n_out) at them"
        )
    x = checks.array("reference[0]", reference[0], ("n", n_in)).copy()
    u = checks.array("reference[1]", reference[1], ("n", "n_out")).copy()
    if len(x) != len(u) or len(x) == 0:
        raise ValueError(
            f"reference has {counted(len(x), 'point')} and {counted(len(u), 'value')}, "
            "but needs one value a point, at least one"
        )
    return x, u
