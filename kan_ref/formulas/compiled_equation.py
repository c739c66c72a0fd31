"""The residuals of equations at their points, evaluated by NumPy, with all partial derivatives.

SymPy's expressions are compiled once, for all points. With dimensionless variables the arguments
are v and its derivatives: u_k = m_k + s_k v_k is evaluated first, and the chain rule gives the
partial derivatives the factors s_k.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, counted
from kan_ref.formulas.equation import HIGHEST_ORDER, Component, Equation
from kan_ref.formulas.values import numeric_function
from kan_ref.pde import LinearTerm, Scales, linear_term

# sizes of the components at which an equation is tried; with scales all are of size one
_SIZES = (1.0, 0.3, 3.0, 0.1, 10.0, 0.01, 100.0, 0.0, 1000.0)
_SCALED_SIZES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.0)
_TRIALS = (
    225  # each with other signs: log(u v) is defined where both are positive, or both negative
)

Jet = tuple[FloatArray, FloatArray | None, FloatArray | None]


class CompiledEquation:
    """The residuals of equations at their points, as a function for `function_term`."""

    def __init__(
        self,
        equation: Equation,
        partials: Mapping[tuple[int, Component], Any],
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
        self.partials = partials  # by residual and component
        self.values = numeric_function(
            [*equation.residuals, *self.partials.values()],
            (),
            [*equation.coordinates, *equation.given, *equation.components.values()],
            what="equation",
        )
        self.is_scaled = scales is not None
        # u_k = middle_k + size_k v_k, (n_components,)
        self.middles, self.sizes = _component_scales(self.components, scales, self.n_out)
        self.residual_size = np.ones(len(equation.residuals))

    @np.errstate(all="ignore")  # after too long a step of an optimizer; its value tells
    def __call__(
        self, x: FloatArray, u: FloatArray, du: FloatArray | None, d2u: FloatArray | None
    ) -> tuple[FloatArray, FloatArray | None, FloatArray | None, FloatArray | None]:
        """Return residuals (n, n_residuals) and partial derivatives, as `function_term` needs."""
        if u.shape[1] != self.n_out:
            names = ", ".join(str(one) for one in self.equation.unknowns)
            raise ValueError(
                f"the model has {counted(u.shape[1], 'output')}, but the equation has "
                f"{counted(self.n_out, 'unknown function')} ({names}): list the unknown functions "
                "of all outputs in unknowns="
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
        scaled = _jet_arrays(self.components, *jet)
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
        sizes = _SCALED_SIZES if self.is_scaled else _SIZES
        for number in range(_TRIALS):
            jet = self._trial_of(sizes[number % len(sizes)], number)
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
        remedy = (
            "leave out points where a coefficient is undefined, and give scales= with the values "
            "of the unknowns at which the equation is defined"
        )
        atoms = set().union(*(one.atoms() for one in self.equation.residuals))
        if any(getattr(atom, "is_infinite", False) for atom in atoms):  # oo or -oo
            remedy = "write finite numbers in place of oo and -oo"
        else:
            _check_constants(self.equation.residuals)
        raise ValueError(
            f"equation has no finite value at x[{point}] = ({place}) for any of "
            f"{_TRIALS} trial values of the unknown functions: {remedy}"
        )

    def _trial_of(self, size: float, number: int = 0) -> Jet:
        """Return irregular values and derivatives of at most a size; unused pairs are nan.

        Each number is another irregular pattern, with other signs.
        """
        n, n_in = self.points.shape
        shape = (n, self.n_out)
        places = np.arange(n * self.n_out * (1 + n_in + n_in**2))
        pattern = size * np.cos(1e6 * np.cos(1.0 + 2.3 * places + 1.7 * number))
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

    def without_influence(self, trial: Jet) -> list[int]:
        """Return the numbers of the residuals whose partial derivatives are all 0 at a trial."""
        zero = (self._columns(trial)[:, len(self.residual_size) :] == 0.0).all(axis=0)
        moved = {of for (of, _), is_zero in zip(self.partials, zero, strict=True) if not is_zero}
        return sorted(set(range(len(self.residual_size))) - moved)

    def divide_by_size(self, trial: Jet) -> None:
        """Set the S of (E5) from the partial derivatives at a trial."""
        columns = self._columns(trial)[:, len(self.residual_size) :]
        largest = np.zeros_like(self.residual_size)
        for (place, component), column in zip(self.partials, columns.T, strict=True):
            size = self.sizes[self.components.index(component)]
            power = np.frexp(np.abs(column).max())[1]  # scaling by powers of 2 is exact
            # [eq:equation-size]
            change = size * np.ldexp(np.sqrt(np.mean(np.ldexp(column, -power) ** 2)), power)
            largest[place] = max(largest[place], change)
            # [/eq:equation-size]
        self.residual_size = np.where(largest > 0.0, largest, 1.0)

    def linear_term(self, weight: object) -> LinearTerm:
        """Return the linear term that one linear equation in one unknown is."""
        zero = tuple(None if part is None else np.zeros_like(part) for part in self._trial_of(0.0))
        source, by_u, by_du, by_d2u = self(self.x, *zero)  # type: ignore[arg-type]
        n, n_in = self.x.shape
        parts = {"zeroth": ((), by_u), "first": ((n_in,), by_du), "second": ((n_in, n_in), by_d2u)}
        coefficients = {
            name: _constant(values.reshape(n, *shape))
            for name, (shape, values) in parts.items()
            if values is not None and values.any()
        }
        if not coefficients:
            raise ValueError(
                "equation has coefficients of the unknown function that are all 0 in float64, "
                "since they are below 5e-324: multiply the equation by a large number"
            )
        return linear_term(self.x, source=-source, weight=weight, **coefficients)


def _check_constants(expressions: Sequence[Any]) -> None:
    """Raise ValueError for a part without symbols that is complex or beyond float64."""
    parts = set().union(*(whole.find(lambda part: part.is_number) for whole in expressions))
    for part in sorted(parts, key=lambda part: (-part.count_ops(), str(part))):  # whole ones first
        value = part.evalf()
        imaginary = value.as_real_imag()[1]
        if imaginary.is_Number and abs(imaginary) > 1e-9 * abs(value):
            raise ValueError(
                f"equation has the complex number {part}, but unknown functions are real: write a "
                "real number, such as sympy.real_root(-8, 3) for sympy.root(-8, 3)"
            )
        if value.is_Number and abs(value) > np.finfo(np.float64).max:
            raise ValueError(
                f"equation has the number {part}, which is beyond float64 (about 1.8e308): choose "
                "units in which all numbers are smaller"
            )


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


def _constant(values: FloatArray) -> FloatArray:
    """Return values (n, ...) without their first axis if they are the same at all points."""
    return values[0] if (values == values[0]).all() else values


def _jet_arrays(
    components: Sequence[Component],
    u: FloatArray,
    du: FloatArray | None,
    d2u: FloatArray | None,
) -> list[FloatArray]:
    """Return the array (n,) of each component from u (n, n_out), du and d2u."""
    parts = (u, du, d2u)
    found = []
    for output, coordinates in components:
        part = parts[len(coordinates)]
        assert part is not None  # the order of the term is that of its highest component
        index: Any = (slice(None), output, *coordinates)
        found.append(np.asarray(part[index]))
    return found
