"""Standardized data, and the inverse maps to the units of the user.

With mean m and standard deviation s of each column of the training samples,

    (T32)  z = (x - m_x) / s_x,    u = (y - m_y) / s_y
    (T33)  y = m_y + s_y g((x - m_x) / s_x)              for a function u = g(z)

Where the range of a column is at most 8 eps = 1.8e-15 times its largest absolute value,
it is rounding error: s = 1, the z or u of its numbers is exactly 0, and y in (T33) is
m_y.

The base function silu and the initial parameters have a scale of their own, so a
network learns z -> u equally well in all units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import ROUNDING, BoolArray, FloatArray
from kan_ref.data import Data, check_data


@dataclass(frozen=True, eq=False)
class Scaler:
    """Affine maps of inputs and targets to mean 0 and standard deviation 1, and back.

    Parameters
    ----------
    x_mean, x_scale : (n_in,)
        In the units of x; scales are positive.
    y_mean, y_scale : (n_out,), or None
        In the units of y. None for class labels, which stay.
    names : tuple of str, optional
        Of the inputs.
    x_constant, y_constant : (n_in,) and (n_out,) of bool, optional
        Columns that are constant up to rounding.

    Examples
    --------
    >>> scaler = Scaler([20.0], [10.0], [100.0], [50.0])
    >>> scaler.transform_x([[30.0]]), scaler.inverse_y([[-1.0]])
    (array([[1.]]), array([[50.]]))
    """

    x_mean: FloatArray
    x_scale: FloatArray
    y_mean: FloatArray | None
    y_scale: FloatArray | None
    names: tuple[str, ...] | None = None
    x_constant: BoolArray | None = None
    y_constant: BoolArray | None = None

    def __post_init__(self) -> None:
        letters = {"x": "n_in"}
        if self.y_mean is not None or self.y_scale is not None:
            letters["y"] = "n_out"
        for letter, columns in letters.items():
            of_mean = f"{letter}_mean"
            of_scale = f"{letter}_scale"
            mean = checks.array(of_mean, getattr(self, of_mean), (columns,))
            scale = checks.array(of_scale, getattr(self, of_scale), mean.shape)
            if not (scale > 0.0).all():
                checks.fail(of_scale, scale.tolist(), "must be positive")
            self.__dict__[of_mean] = mean.copy()
            self.__dict__[of_scale] = scale.copy()
        if self.names is not None:
            self.__dict__["names"] = checks.names("names", self.names, len(self.x_mean))

    def transform_x(self, x: object) -> FloatArray:
        """Standardize inputs x (batch, n_in); a table needs the columns `names`."""
        return _forward(
            "x", self._inputs(x), self.x_mean, self.x_scale, self.x_constant
        )

    def inverse_x(self, x: object) -> FloatArray:
        """Return standardized inputs (batch, n_in) in the user's units."""
        return _back("x", self._inputs(x), self.x_mean, self.x_scale, None)

    def _inputs(self, x: object) -> object:
        if self.names is not None:
            checks.same_columns("x", x, self.names)
        return x

    def transform_y(self, y: object) -> Any:
        """Standardize targets y (batch, n_out); class labels stay."""
        if self.y_mean is None or self.y_scale is None:
            return checks.rectangular("y", y)
        return _forward("y", y, self.y_mean, self.y_scale, self.y_constant)

    def inverse_y(self, y: object) -> Any:
        """Return standardized targets or outputs (batch, n_out) in the user's units."""
        if self.y_mean is None or self.y_scale is None:
            return checks.rectangular("y", y)
        return _back("y", y, self.y_mean, self.y_scale, self.y_constant)

    def formula(self, expression: Any, names: Sequence[str] | None = None) -> Any:
        """Return a formula of standardized variables as a formula in the user's units.

        Parameters
        ----------
        expression : sympy.Expr, or tuple of sympy.Expr
            From `kan_ref.formula(network, names=names)`: one expression for each
            output.
        names : sequence of str, optional
            Of the inputs in the expression: the data's own by default, else x_1, x_2,
            ...

        Returns
        -------
        expression : sympy.Expr, or tuple of sympy.Expr
            Where multiplying out leads to a number beyond 1e-154 to 1e154, as in e^(t -
            2003), the standardized input stays as it is, a `sympy.UnevaluatedExpr`.

        Examples
        --------
        >>> import sympy
        >>> Scaler([20.0], [10.0], [100.0], [50.0]).formula(sympy.Symbol("x_1"))
        5.0*x_1
        """
        import sympy

        several = isinstance(expression, tuple)
        parts = expression if several else (expression,)
        if self.y_mean is not None and len(parts) != len(self.y_mean):
            raise ValueError(
                f"expression has {len(parts)} parts, "
                f"but the data have {len(self.y_mean)} outputs"
            )
        default = [f"x_{i}" for i in range(1, len(self.x_mean) + 1)]
        known = checks.names("names", names or self.names or default, len(self.x_mean))

        # z = (x - m_x) / s_x for each input
        moved = []
        for part in parts:
            for symbol in sorted(part.free_symbols, key=str):
                if symbol.name not in known:
                    rule = f"the inputs are called {', '.join(known)}"
                    checks.fail("expression", part, rule)
                i = known.index(symbol.name)
                z = (symbol - _exact(self.x_mean[i])) / _exact(self.x_scale[i])
                new = part.xreplace({symbol: z})
                if _far_numbers(new) - _far_numbers(part) - _far_numbers(z):
                    new = part.xreplace({symbol: sympy.UnevaluatedExpr(z)})
                part = new
            moved.append(part)

        # y = m_y + s_y u for each output
        if self.y_mean is not None and self.y_scale is not None:
            scales = self.y_scale
            if self.y_constant is not None:
                scales = np.where(self.y_constant, 0.0, scales)
            for j, u in enumerate(moved):
                moved[j] = _exact(self.y_mean[j]) + _exact(scales[j]) * u
        return tuple(moved) if several else moved[0]

    def __repr__(self) -> str:
        x = f"x_mean {_short(self.x_mean)}, x_scale {_short(self.x_scale)}"
        if self.y_mean is None or self.y_scale is None:
            return f"Scaler({x}, y class labels)"
        y = f"y_mean {_short(self.y_mean)}, y_scale {_short(self.y_scale)}"
        return f"Scaler({x}, {y})"


def scaled(data: Any) -> tuple[Data, Scaler]:
    """Standardize data: columns of x_train and y_train get mean 0 and deviation 1.

    Parameters
    ----------
    data : Data
        Means and standard deviations are those of the training part.

    Returns
    -------
    data : Data
        Standardized. Columns that are constant up to rounding become exactly 0. Class
        labels, names and classes stay.
    scaler : Scaler
        The maps and their inverses. Predictions in the user's units are
        `scaler.inverse_y(network(scaler.transform_x(x)))`.

    Notes
    -----
    Implements :eq:`standardize`.

    Examples
    --------
    >>> x = np.array([[10.0], [20.0], [30.0]])
    >>> data, scaler = scaled(Data(x, 5.0 * x, x, 5.0 * x))
    >>> scaler
    Scaler(x_mean [20.], x_scale [8.165], y_mean [100.], y_scale [40.8248])
    >>> data.x_train.round(3).tolist()
    [[-1.225], [0.0], [1.225]]
    """
    checked = check_data(data, least=1)
    x_mean, x_scale, x_constant = _moments(checked.x_train)
    y_mean = y_scale = y_constant = None
    if checked.y_train.ndim == 2:
        y_mean, y_scale, y_constant = _moments(checked.y_train)
    scaler = Scaler(
        x_mean, x_scale, y_mean, y_scale, checked.names, x_constant, y_constant
    )
    standardized = replace(
        checked,
        x_train=scaler.transform_x(checked.x_train),
        y_train=scaler.transform_y(checked.y_train),
        x_test=scaler.transform_x(checked.x_test),
        y_test=scaler.transform_y(checked.y_test),
    )
    return standardized, scaler


def _moments(columns: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return means and standard deviations of columns, and which are constant.

    The columns are (n, n_columns).
    """
    low = columns.min(axis=0)
    high = columns.max(axis=0)
    flat = high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    # after rounding, the mean of such numbers can lie beside all of them
    mean = np.where(flat, low + 0.5 * (high - low), columns.mean(axis=0))
    scale = np.where(flat, 1.0, columns.std(axis=0))
    return mean, scale, flat


def _forward(
    name: str,
    columns: object,
    mean: FloatArray,
    scale: FloatArray,
    constant: BoolArray | None,
) -> FloatArray:
    array = checks.array(name, columns, ("batch", len(mean)))
    # [eq:standardize]
    out: FloatArray = (array - mean) / scale
    # [/eq:standardize]
    if constant is not None:
        rounded = np.abs(array - mean) <= ROUNDING * np.abs(mean)
        out[constant & rounded] = 0.0
    return out


def _back(
    name: str,
    columns: object,
    mean: FloatArray,
    scale: FloatArray,
    constant: BoolArray | None,
) -> FloatArray:
    array = checks.array(name, columns, ("batch", len(mean)))
    out: FloatArray = mean + scale * array
    if constant is not None:
        out = np.where(constant, mean, out)
    return out


def _exact(number: float) -> Any:
    """Return a number as 17 decimal digits, which identify it."""
    import sympy

    return sympy.Float(number, dps=17)


def _far_numbers(expression: Any) -> set[Any]:
    """Return the numbers whose products with others can leave float64."""
    import sympy

    numbers = expression.atoms(sympy.Float)
    return {n for n in numbers if n and not 1e-154 <= abs(n) <= 1e154}


def _short(numbers: FloatArray) -> str:
    return np.array2string(
        numbers, precision=4, threshold=4, edgeitems=1, separator=", "
    )
