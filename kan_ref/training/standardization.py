"""Standardized data, and the inverse maps to the units of the user.

With mean m and standard deviation s of each column of the training samples,

    (T32)  z = (x - m_x) / s_x,    u = (y - m_y) / s_y
    (T33)  y = m_y + s_y g((x - m_x) / s_x)              for a function u = g(z)

Where the range of a column is at most 8 eps = 1.8e-15 times its largest absolute value, it is
rounding error: s = 1, the z or u of its numbers is exactly 0, and y in (T33) is m_y.

The base function silu and the initial parameters have a scale of their own, so a network learns
z -> u equally well in all units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import ROUNDING, BoolArray, FloatArray
from kan_ref.data import Data, check_data

FAR = 1e154  # the root of the largest number of float64


@dataclass(frozen=True, eq=False)
class Scaler:
    """Affine maps of inputs and targets to mean 0 and standard deviation 1, and back.

    Parameters
    ----------
    x_mean, x_scale : (n_in,)
        In the units of x; scales are positive.
    y_mean, y_scale : (n_out,), or None
        In the units of y. None for class labels, which `transform_y` and `inverse_y` return
        unchanged.
    names : tuple of str, optional
        Of the inputs.
    x_constant, y_constant : (n_in,) and (n_out,) of bool, optional
        Columns that are constant up to rounding. There a number within 8 eps = 1.8e-15 times the
        mean of it becomes exactly 0, and `inverse_y` returns the mean.

    Raises
    ------
    ValueError, TypeError
        For shapes that differ, numbers that are not finite, or a scale that is not positive.
    """

    x_mean: FloatArray
    x_scale: FloatArray
    y_mean: FloatArray | None
    y_scale: FloatArray | None
    names: tuple[str, ...] | None = None
    x_constant: BoolArray | None = None
    y_constant: BoolArray | None = None

    def __post_init__(self) -> None:
        for letter, columns in (("x", "n_in"), ("y", "n_out")):
            mean = getattr(self, f"{letter}_mean")
            scale = getattr(self, f"{letter}_scale")
            if letter == "y" and mean is None and scale is None:
                continue
            mean = checks.array(f"{letter}_mean", mean, (columns,)).copy()
            scale = checks.array(f"{letter}_scale", scale, mean.shape).copy()
            if not (scale > 0.0).all():
                raise ValueError(f"{letter}_scale is {scale.tolist()}, but must be positive")
            object.__setattr__(self, f"{letter}_mean", mean)
            object.__setattr__(self, f"{letter}_scale", scale)
            constant = getattr(self, f"{letter}_constant")
            if constant is not None:
                flags = checks.array(f"{letter}_constant", constant, mean.shape)
                object.__setattr__(self, f"{letter}_constant", flags != 0.0)
        if self.names is not None:
            object.__setattr__(self, "names", checks.names("names", self.names, len(self.x_mean)))

    def transform_x(self, x: object) -> FloatArray:
        """Standardize inputs x (batch, n_in) in the user's units.

        The columns of a table must be `names`, in their order, if the inputs have names.
        """
        self._check_table(x)
        return _forward("x", x, self.x_mean, self.x_scale, self.x_constant)

    def inverse_x(self, x: object) -> FloatArray:
        """Return standardized inputs (batch, n_in) in the user's units; tables as `transform_x`."""
        self._check_table(x)
        return _back("x", x, self.x_mean, self.x_scale, None)

    def _check_table(self, x: object) -> None:
        if self.names is not None:
            checks.same_columns("x", x, self.names)

    def transform_y(self, y: object) -> Any:
        """Standardize targets y (batch, n_out) in the user's units; class labels stay."""
        if self.y_mean is None or self.y_scale is None:
            return checks.rectangular("y", y)
        return _forward("y", y, self.y_mean, self.y_scale, self.y_constant)

    def inverse_y(self, y: object) -> Any:
        """Return standardized targets or outputs (batch, n_out) in the user's units."""
        if self.y_mean is None or self.y_scale is None:
            return checks.rectangular("y", y)
        return _back("y", y, self.y_mean, self.y_scale, self.y_constant)

    def formula(self, expression: Any, names: Sequence[str] | None = None) -> Any:
        """Return a formula of standardized variables as a formula in the user's units, (T33).

        Parameters
        ----------
        expression : sympy.Expr, or tuple of sympy.Expr
            From `kan_ref.formula(network, names=names)`: one expression for each output.
        names : sequence of str, optional
            Of the inputs in the expression: the data's own by default, else x_1, x_2, ...

        Returns
        -------
        expression : sympy.Expr, or tuple of sympy.Expr
            Of inputs in the user's units, with values in the units of y (logits stay). A constant
            target is its mean. Equal up to rounding errors, which grow where the mean of an input
            is large compared with its standard deviation. Where multiplying out would lead to a
            number beyond 1e-154 to 1e154, as in e^(t - 2003), z is a `sympy.UnevaluatedExpr`.

        Raises
        ------
        ValueError
            For a wrong number of expressions or names, or a symbol that is not in `names`.
        """
        import sympy

        exact = partial(sympy.Float, dps=17)  # 17 decimal digits identify a number of float64
        several = isinstance(expression, tuple)
        parts = expression if several else (expression,)
        if self.y_mean is not None and len(parts) != len(self.y_mean):
            raise ValueError(
                f"expression has {len(parts)} parts, but the data have {len(self.y_mean)} outputs"
            )
        n_in = len(self.x_mean)
        given = names if names is not None else self.names
        known = [f"x_{i}" for i in range(1, n_in + 1)] if given is None else given
        found = checks.names("names", known, n_in)
        place = {name: i for i, name in enumerate(found)}
        moved = []
        for part in parts:
            for symbol in sorted(part.free_symbols, key=str):
                if symbol.name not in place:
                    raise ValueError(
                        f"expression contains {symbol.name!r}, but the inputs are called "
                        f"{', '.join(found)}: give names= as in the expression"
                    )
                i = place[symbol.name]
                z = (symbol - exact(self.x_mean[i])) / exact(self.x_scale[i])
                if _far_numbers(part.xreplace({symbol: z})) - _far_numbers(part) - _far_numbers(z):
                    z = sympy.UnevaluatedExpr(z)
                part = part.xreplace({symbol: z})
            moved.append(part)
        if self.y_mean is not None and self.y_scale is not None:
            constant = False if self.y_constant is None else self.y_constant
            y_scale = np.where(constant, 0.0, self.y_scale)
            scales = zip(moved, map(exact, self.y_mean), map(exact, y_scale), strict=True)
            moved = [mean + scale * part for part, mean, scale in scales]
        return tuple(moved) if several else moved[0]

    def __repr__(self) -> str:
        x = f"x_mean {_short(self.x_mean)}, x_scale {_short(self.x_scale)}"
        if self.y_mean is None or self.y_scale is None:
            return f"Scaler({x}, y class labels)"
        return f"Scaler({x}, y_mean {_short(self.y_mean)}, y_scale {_short(self.y_scale)})"


def scaled(data: object) -> tuple[Data, Scaler]:
    """Standardize data: every column of x_train and y_train gets mean 0 and standard deviation 1.

    Parameters
    ----------
    data : record with x_train, y_train, x_test, y_test
        Means and standard deviations are those of the training part.

    Returns
    -------
    data : Data
        Standardized. A column that is constant up to rounding in the training part becomes exactly
        0 there: its range is at most 8 eps = 1.8e-15 times its largest absolute value. Class
        labels, names and classes stay.
    scaler : Scaler
        The maps and their inverses. Predictions in the user's units are
        `scaler.inverse_y(network(scaler.transform_x(x)))`; of a target that is constant, they are
        this constant. Its `x_constant` and `y_constant` tell the constant columns.

    Raises
    ------
    ValueError, TypeError
        As `Data`; a test sample so far from the training samples that its standardized numbers are
        beyond float64.

    Notes
    -----
    Implements (T32), :eq:`standardize`. For `kan_ref.discover` and `kan_ref.fit` on data in units
    of any size. float64 has about 16 digits: in nanoseconds since 1970, times that differ by 2000
    are rounded to multiples of 256, and count as constant. Subtract the first time from the
    integers, before they become floats.

    Examples
    --------
    >>> x = np.array([[10.0], [20.0], [30.0]])
    >>> data, scaler = scaled(Data(x, 5.0 * x, x, 5.0 * x))
    >>> scaler
    Scaler(x_mean [20.], x_scale [8.165], y_mean [100.], y_scale [40.8248])
    >>> data.x_train.round(3).tolist()
    [[-1.225], [0.0], [1.225]]
    >>> scaler.inverse_y(data.y_train).round(9).tolist()
    [[50.0], [100.0], [150.0]]
    """
    checked = check_data(data, least=1)
    x_mean, x_scale, x_constant = _moments(checked.x_train)
    y_mean = y_scale = y_constant = None
    if checked.y_train.ndim == 2:
        y_mean, y_scale, y_constant = _moments(checked.y_train)
    scaler = Scaler(x_mean, x_scale, y_mean, y_scale, checked.names, x_constant, y_constant)
    return replace(
        checked,
        x_train=scaler.transform_x(checked.x_train),
        y_train=scaler.transform_y(checked.y_train),
        x_test=scaler.transform_x(checked.x_test),
        y_test=scaler.transform_y(checked.y_test),
    ), scaler


def _moments(columns: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return means and standard deviations of columns (n, n_columns), and which are constant."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    flat = high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    # after rounding, the mean of such numbers can lie beside all of them
    mean = np.where(flat, low + 0.5 * (high - low), columns.mean(axis=0))
    size = np.where(flat, 1.0, np.abs(columns - mean).max(axis=0))
    scale = size * np.sqrt(np.mean(((columns - mean) / size) ** 2, axis=0))
    return mean, np.where(flat, 1.0, scale), flat


def _far_numbers(expression: Any) -> set[Any]:
    """Return the numbers whose products with others can leave float64, as in `formula`."""
    return {n for n in expression.atoms() if n.is_Float and n and not 1.0 / FAR <= abs(n) <= FAR}


def _forward(
    name: str, columns: object, mean: FloatArray, scale: FloatArray, constant: BoolArray | None
) -> FloatArray:
    array = checks.array(name, columns, ("batch", len(mean)))
    with np.errstate(all="ignore"):
        # [eq:standardize]
        out: FloatArray = (array - mean) / scale
        # [/eq:standardize]
        if constant is not None:
            out[constant & (np.abs(array - mean) <= ROUNDING * np.abs(mean))] = 0.0
    if not np.isfinite(out).all():
        raise ValueError(f"{name} is too large for float64: scale it to size one")
    return out


def _back(
    name: str, columns: object, mean: FloatArray, scale: FloatArray, constant: BoolArray | None
) -> FloatArray:
    array = checks.array(name, columns, ("batch", len(mean)))
    with np.errstate(all="ignore"):
        out: FloatArray = mean + scale * array
        if constant is not None:
            out = np.where(constant, mean, out)
    if not np.isfinite(out).all():
        raise ValueError(f"{name} is too large for float64: scale it to size one")
    return out


def _short(numbers: FloatArray) -> str:
    return np.array2string(numbers, precision=4, threshold=4, edgeitems=1, separator=", ")
