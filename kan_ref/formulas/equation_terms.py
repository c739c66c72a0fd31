"""Make terms of differential equations from SymPy expressions, with exact partial derivatives.

A term of `kan_ref.pde` needs a residual R and its partial derivatives with respect to every
component u_k of the jet. SymPy derives them, and NumPy evaluates them (`equation`, `values`). A
single equation that is linear in one unknown becomes a linear term, which costs one component of a
jet instead of all derivatives.

With dimensionless variables (`kan_ref.pde.Scales`), u_k = m_k + s_k v_k, and the residual is
divided by its size: the change of R when one component of size one changes by one,

    (E5)  r = R / S,    S = max over k of rms over points of s_k dR/du_k

So weights compare conditions as in a problem that was dimensionless from the beginning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.formulas.equation import (
    HIGHEST_ORDER,
    Component,
    Equation,
    check_given,
    jet_arrays,
    read_equation,
)
from kan_ref.formulas.values import numeric_function
from kan_ref.pde import (
    FunctionTerm,
    LinearTerm,
    Scales,
    check_partials,
    function_term,
    linear_term,
)

# sizes of the components at which an equation is tried; with scales all are of size one
_TRIALS = (1.0, 0.3, 3.0, 0.1, 10.0, 0.01, 100.0, 0.0)
_SCALED_TRIALS = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.0)


def equation_term(
    equation: Any,
    x: object,
    *,
    unknowns: Any = None,
    given: Mapping[Any, Any] | None = None,
    scales: Scales | None = None,
    weight: object = 1.0,
) -> LinearTerm | FunctionTerm:
    """Return a condition for `residual_problem` from an equation that is written in SymPy.

    It may be an equation in the interior, a boundary or initial condition, or a measurement.

    Parameters
    ----------
    equation : sympy.Expr, sympy.Eq, or sequence of them
        An expression is a residual, which the solution makes 0. It contains the coordinates, the
        unknown functions and their derivatives of order one or two, as
        ``u = sympy.Function("u")(x, t)`` and ``u.diff(x, 2)``. It need not be linear. Several
        equations are several residuals at each point.
    x : (n, n_in)
        At least one point. The columns are the coordinates, in the order of the unknown's
        arguments. A boundary condition holds at points on the boundary.
    unknowns : sequence of functions, optional
        The network's outputs in their order, such as (u, v). It may be left out if the equation has
        exactly one unknown function, and the network one output.
    given : dict, optional
        Numbers for symbols of the equation: floats, or arrays (n,) with one number for each point,
        such as measurements.
    scales : Scales, optional
        Makes the condition dimensionless: x and the equation keep their units, the network is
        trained as v(xi) with domain=(-1, 1), and the residual is divided by its size (E5). Use the
        same for all terms of a problem. `Scales.network` returns the solution in its units.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm or FunctionTerm
        LinearTerm for one equation that is linear in its only unknown.

    Raises
    ------
    ValueError
        For a symbol without a number, a derivative of order three or above, an unknown function at
        another place than its coordinates; if the equation has no finite value at a point for any
        of eight trial values of the unknowns.
    TypeError
        If `equation` is no expression, or an unknown no function of symbols.

    Notes
    -----
    Implements :eq:`equation-partials` and :eq:`equation-size`. The derivatives are compared with
    central differences before the term is returned, and again at the initial network by `fit`. The
    derivative of a function with a jump (such as sign) is 0.

    Examples
    --------
    >>> import sympy
    >>> x, t = sympy.symbols("x t")
    >>> u = sympy.Function("u")(x, t)
    >>> points = np.random.default_rng(0).uniform(0.0, 1.0, (50, 2))
    >>> equation_term(u.diff(t) + u * u.diff(x) - 0.01 * u.diff(x, 2), points)  # Burgers
    FunctionTerm(50 points, JetKind(2 variables, 2 first derivatives, 1 operators of second order))
    >>> start = np.column_stack([points[:, 0], np.zeros(50)])
    >>> equation_term(sympy.Eq(u, -sympy.sin(sympy.pi * x)), start)
    LinearTerm(50 points, JetKind(2 variables, 0 first derivatives, 0 operators of second order))
    """
    points = check_float_array("x", x, ("n", "n_in")).copy()
    if 0 in points.shape:
        raise ValueError(
            f"x has shape {points.shape}, but needs at least one point of at least one variable"
        )
    numbers = check_given(given, len(points))
    read = read_equation(equation, unknowns, numbers)
    n_in, wanted = points.shape[1], read.coordinates
    if n_in != len(wanted):
        raise ValueError(
            f"x has {n_in} columns, but {read.unknowns[0]} has {len(wanted)} coordinates"
        )
    if scales is not None and not isinstance(scales, Scales):
        raise TypeError(f"scales is a {type(scales).__name__}, but must be Scales(domain, values)")
    compiled = _Compiled(read, points, tuple(numbers.values()), scales)
    trial = compiled.trial()
    check_partials(compiled, (compiled.x, *trial), "equation")
    if scales is not None:
        compiled.divide_by_size(trial)
    return compiled.linear_term(weight) or function_term(
        compiled.x,
        compiled,
        order=read.order,
        pairs=_pairs(read) if read.order == HIGHEST_ORDER else None,
        weight=weight,
    )


Jet = tuple[FloatArray, FloatArray | None, FloatArray | None]


class _Compiled:
    """The residuals of equations at their points, as a function for `function_term`."""

    def __init__(
        self,
        equation: Equation,
        points: FloatArray,
        numbers: Sequence[float | FloatArray],
        scales: Scales | None,
    ) -> None:
        self.equation = equation
        self.points = points  # with their units, exactly as given
        self.numbers = numbers
        self.x = points if scales is None else scales.inputs(points)
        self.n_out = len(equation.unknowns)
        self.components = tuple(equation.components)
        self.partials = equation.partials()
        self.values = numeric_function(
            [*equation.residuals, *self.partials.values()],
            (),
            [*equation.coordinates, *equation.given, *equation.components.values()],
        )
        self.is_scaled = scales is not None
        # u_k = middle_k + size_k v_k, (n_components,)
        self.middles, self.sizes = _component_scales(self.components, scales, self.n_out)
        self.residual_size = np.ones(len(equation.residuals))

    def __call__(
        self, x: FloatArray, u: FloatArray, du: FloatArray | None, d2u: FloatArray | None
    ) -> tuple[FloatArray, FloatArray | None, FloatArray | None, FloatArray | None]:
        """Return residuals (n, n_residuals) and partial derivatives, as `function_term` needs."""
        if u.shape[1] != self.n_out:
            names = ", ".join(str(one) for one in self.equation.unknowns)
            raise ValueError(
                f"the model has {u.shape[1]} outputs, but the equation has {self.n_out} unknown "
                f"functions ({names}): list all of them in unknowns="
            )
        n, n_residuals = len(self.points), len(self.residual_size)
        columns = self._columns((u, du, d2u))
        residual = columns[:, :n_residuals] / self.residual_size
        shapes = [(n, n_residuals, *part.shape[1:]) for part in (u, du, d2u) if part is not None]
        by: list[FloatArray | None] = [np.zeros(shape) for shape in shapes]
        by += [None] * (3 - len(by))
        for (place, component), column in zip(
            self.partials, columns[:, n_residuals:].T, strict=True
        ):
            output, coordinates = component
            part = by[len(coordinates)]
            assert part is not None  # the order of the term is that of its highest component
            size = self.sizes[self.components.index(component)] / self.residual_size[place]
            index: Any = (slice(None), place, output, *coordinates)
            part[index] = column * size
        return residual, by[0], by[1], by[2]

    def _columns(self, jet: Jet) -> FloatArray:
        """Return the residuals and partial derivatives in their units, one column each."""
        scaled = jet_arrays(self.components, *jet)
        in_units = [
            middle + size * v
            for middle, size, v in zip(self.middles, self.sizes, scaled, strict=True)
        ]
        return self.values(
            np.empty((len(self.points), 0)), *self.points.T, *self.numbers, *in_units
        )

    def trial(self) -> Jet:
        """Return values and derivatives at which all residuals and partials are finite.

        Raise ValueError if there is a point without them.
        """
        chosen: list[FloatArray | None] | None = None
        missing = np.ones(len(self.points), dtype=bool)
        for size in _SCALED_TRIALS if self.is_scaled else _TRIALS:
            jet = self._trial_of(size)
            finite = np.isfinite(self._columns(jet)).all(axis=1)
            if chosen is None:
                chosen = list(jet)
            for part, new in zip(chosen, jet, strict=True):
                if part is not None and new is not None:
                    part[missing & finite] = new[missing & finite]
            missing &= ~finite
            if not missing.any():
                return chosen[0], chosen[1], chosen[2]  # type: ignore[return-value]
        point = int(missing.argmax())
        place = ", ".join(f"{value:.6g}" for value in self.points[point])
        raise ValueError(
            f"equation has no finite value at x[{point}] = ({place}) for any of "
            f"{len(_TRIALS)} trial values of the unknown functions: leave out points where a "
            "coefficient is undefined, and give scales= with the values of unknowns that are "
            "defined in a part of the numbers only"
        )

    def _trial_of(self, size: float) -> Jet:
        """Return irregular values and derivatives of at most a size; unused pairs are nan."""
        n, n_in = self.points.shape
        shape = (n, self.n_out)
        pattern = size * np.cos(1.0 + 2.3 * np.arange(n * self.n_out * (1 + n_in + n_in**2)))
        u, du, d2u = np.split(pattern, np.cumsum([n * self.n_out, n * self.n_out * n_in]))
        order = self.equation.order
        hessian = np.full((*shape, n_in, n_in), np.nan)
        full = d2u.reshape(hessian.shape)
        for _, coordinates in self.components:
            if len(coordinates) == HIGHEST_ORDER:
                p, q = coordinates
                hessian[:, :, p, q] = hessian[:, :, q, p] = full[:, :, p, q]
        return (
            u.reshape(shape),
            du.reshape(*shape, n_in) if order else None,
            hessian if order == HIGHEST_ORDER else None,
        )

    def divide_by_size(self, trial: Jet) -> None:
        """Set the S of (E5) from the partial derivatives at a trial."""
        columns = self._columns(trial)[:, len(self.residual_size) :]
        largest = np.zeros_like(self.residual_size)
        for (place, component), column in zip(self.partials, columns.T, strict=True):
            size = self.sizes[self.components.index(component)]
            # [eq:equation-size]
            change = size * float(np.sqrt(np.mean(column**2)))
            largest[place] = max(largest[place], change)
            # [/eq:equation-size]
        self.residual_size = np.where(largest > 0.0, largest, 1.0)

    def linear_term(self, weight: object) -> LinearTerm | None:
        """Return the linear term that one linear equation in one unknown is, else None."""
        jet_symbols = set(self.equation.components.values())
        if len(self.residual_size) > 1 or self.n_out > 1:
            return None
        if any(partial.free_symbols & jet_symbols for partial in self.partials.values()):
            return None
        zero = tuple(None if part is None else np.zeros_like(part) for part in self._trial_of(0.0))
        source, by_u, by_du, by_d2u = self(self.x, *zero)  # type: ignore[arg-type]
        n, n_in = self.x.shape
        parts = {"zeroth": ((), by_u), "first": ((n_in,), by_du), "second": ((n_in, n_in), by_d2u)}
        coefficients = {
            name: _constant(values.reshape(n, *shape))
            for name, (shape, values) in parts.items()
            if values is not None and values.any()
        }
        return linear_term(self.x, source=-source, weight=weight, **coefficients)


def _component_scales(
    components: Sequence[Component], scales: Scales | None, n_out: int
) -> tuple[FloatArray, FloatArray]:
    """Return m_k and s_k of u_k = m_k + s_k v_k, (n_components,) each."""
    if scales is None:
        return np.zeros(len(components)), np.ones(len(components))
    middle, size, lengths = (
        scales.output_middle(n_out),
        scales.output_size(n_out),
        scales.input_size,
    )
    return (
        np.array([0.0 if along else middle[output] for output, along in components]),
        # [eq:dimensionless-derivatives]
        np.array([size[output] / np.prod(lengths[list(along)]) for output, along in components]),
        # [/eq:dimensionless-derivatives]
    )


def _pairs(equation: Equation) -> list[tuple[int, int]]:
    """Return the pairs of coordinates of all second derivatives in the equations."""
    found = {along for _, along in equation.components if len(along) == HIGHEST_ORDER}
    return [(along[0], along[1]) for along in sorted(found)]


def _constant(values: FloatArray) -> FloatArray:
    """Return values (n, ...) without their first axis if they are the same at all points."""
    return values[0] if (values == values[0]).all() else values
