"""The samples that every fit takes: training and test points, with their values."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from kan_ref.checks import (
    FloatArray,
    Record,
    as_array,
    check_float_array,
    check_rectangular,
    number_classes,
)


@dataclass(frozen=True, eq=False, repr=False)
class Data(Record):
    """Training and test samples: four arrays of finite numbers.

    Parameters
    ----------
    x_train : (n_train, n_in)
    y_train : (n_train, n_out)
        One column for each output, one row for each row of `x_train`; or integer class labels of
        shape (n_train,).
    x_test : (n_test, n_in)
    y_test : (n_test, n_out), or (n_test,) of int
        Test samples are only used to report errors.

    Raises
    ------
    ValueError
        "y_train has shape (3,), but needs shape (n_train, n_out); for one output write
        y_train[:, None]"; "y_test has 4 rows, but x_test has 5"; "x_train contains nan at row 3,
        column 0"
    TypeError
        "x_test is None, but needs shape (n_test, n_in): hold out a part of the samples, or give
        x_train again"

    Notes
    -----
    Arrays are stored as float64; C-contiguous float64 arrays are not copied.

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 5)[:, None]
    >>> Data(x, x**2, x[1:3], x[1:3] ** 2)
    Data(x_train (5, 1), y_train (5, 1), x_test (2, 1), y_test (2, 1))
    """

    x_train: FloatArray
    y_train: FloatArray
    x_test: FloatArray
    y_test: FloatArray

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            for letter, columns in (("x", "n_in"), ("y", "n_out")):
                name = f"{letter}_{part}"
                object.__setattr__(
                    self, name, _two_axes(name, getattr(self, name), letter, (f"n_{part}", columns))
                )
            _agree(self, f"y_{part}", f"x_{part}", axis=0)
        _agree(self, "x_test", "x_train", axis=1)
        if self.y_train.ndim != self.y_test.ndim:
            raise ValueError(
                f"y_test has shape {self.y_test.shape}, but y_train {self.y_train.shape}: "
                "both need columns, or both class labels"
            )
        if self.y_train.ndim == 2:
            _agree(self, "y_test", "y_train", axis=1)

    def __repr__(self) -> str:
        shapes = (f"{field.name} {getattr(self, field.name).shape}" for field in fields(self))
        return f"Data({', '.join(shapes)})"


class DataLike(Protocol):
    """Any object with the four arrays x_train (n, n_in), y_train (n, n_out), x_test, y_test."""

    @property
    def x_train(self) -> object:
        """Training inputs (n, n_in)."""

    @property
    def y_train(self) -> object:
        """Training targets (n, n_out), or labels (n,)."""

    @property
    def x_test(self) -> object:
        """Test inputs."""

    @property
    def y_test(self) -> object:
        """Test targets."""


def check_data(data: object) -> Data:
    """Return `data` as a checked `Data`; a `Data` is returned unchanged.

    Parameters
    ----------
    data : object
        With attributes `x_train`, `y_train`, `x_test`, `y_test`.

    Returns
    -------
    data : Data

    Raises
    ------
    TypeError
        "data is a dict without attribute x_train, but needs x_train, y_train, x_test, y_test (as
        kan_ref.Data has them)"
    ValueError
        As for `Data`.
    """
    if isinstance(data, Data):
        return data
    check_arrays(data)
    return Data(*(getattr(data, field.name) for field in fields(Data)))


def check_arrays(data: object) -> None:
    """Raise TypeError if `data` lacks one of the four arrays."""
    names = [field.name for field in fields(Data)]
    for name in names:
        if not hasattr(data, name):
            kind = type(data).__name__
            raise TypeError(
                f"data is a {kind} without attribute {name}, but needs {', '.join(names)} "
                "(as kan_ref.Data has them)"
            )


def _two_axes(name: str, value: object, letter: str, axes: tuple[str, str]) -> FloatArray:
    """Return `value` with two axes, or integer labels y.

    For other arrays with one axis the message shows the code that gives the right ones.
    """
    if value is None:
        again = f": hold out a part of the samples, or give {letter}_train again"
        raise TypeError(
            f"{name} is None, but needs shape ({', '.join(axes)})"
            f"{again if name.endswith('test') else ''}"
        )
    found = check_rectangular(name, value)
    if found.ndim == 1 and found.size:
        if letter == "y" and found.dtype.kind in "iu":
            return found
        raise ValueError(
            f"{name} has shape {found.shape}, but needs shape ({', '.join(axes)}); "
            f"{_second_axis(name, value, found, letter)}"
        )
    array = check_float_array(name, value, axes)
    if 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, but needs at least one row and one column"
        )
    return array


def _second_axis(name: str, value: object, found: FloatArray, letter: str) -> str:
    """Return what to write for an array with one axis: a column, or class labels."""
    code = as_array(name, value)
    if letter == "x":
        return f"for one input write {code}[:, None]"
    if found.dtype.kind not in "biuf":
        return f"for classes write {number_classes(name)}"
    whole = found.dtype.kind == "b" or np.all(found == np.round(found))
    labels = f", for class labels {code}.astype(int)" if whole else ""
    return f"for one output write {code}[:, None]{labels}"


def _agree(data: Data, name: str, other: str, *, axis: int) -> None:
    """Raise ValueError if two arrays differ in their number of rows (0) or columns (1)."""
    n, m = getattr(data, name).shape[axis], getattr(data, other).shape[axis]
    if n != m:
        raise ValueError(f"{name} has {n} {('rows', 'columns')[axis]}, but {other} has {m}")


def hold_out(data: Data, share: float, rng: np.random.Generator | None = None) -> Data:
    """Split training samples: `x_train` to train on, `x_test`, a share of them, to compare models.

    The held-out samples are drawn by `rng`; without it they are evenly spaced, every fifth for a
    share of 0.2. Where the share amounts to no sample, both parts are all training samples.
    """
    n = len(data.x_train)
    n_out = int(share * n)
    if n_out == 0:
        return Data(data.x_train, data.y_train, data.x_train, data.y_train)
    if rng is not None:
        order = rng.permutation(n)
        out, kept = order[:n_out], order[n_out:]
    else:
        step = round(1.0 / share)
        out = np.arange(step - 1, n, step)
        kept = np.delete(np.arange(n), out)
    return Data(data.x_train[kept], data.y_train[kept], data.x_train[out], data.y_train[out])
