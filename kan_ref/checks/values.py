"""Input validation: what an argument must be.

Every public function checks its arguments here once; inner functions do not check them again. An
error is a builtin exception with one message: the name of the argument, its value, and the rule
with its numbers.
"""

import difflib
import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks.array_remedies import (
    as_array,
    is_masked,
    kind_remedy,
    mask_remedy,
    number_classes,
    shape_remedy,
    shown,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

_LARGEST = float(np.finfo(np.float64).max)
_SAMPLES = ("x", "y", "x_train", "y_train", "x_test", "y_test")
_AXIS_NAMES = {1: ("position",), 2: ("row", "column")}


def check_rectangular(name: str, value: object) -> NDArray[Any]:
    """Return `value` as an array of any kind.

    ValueError if its rows differ in length, or if numbers of a masked array are masked.
    """
    if type(value) is not np.ndarray and is_masked(value):
        raise ValueError(
            f"{name} has masked numbers, but every number counts here{mask_remedy(name, value)}"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: its rows differ in length") from error


def check_float_array(
    name: str,
    value: object,
    shape: Sequence[int | str | None],
    *,
    flags: bool = False,
    finite: bool = True,
) -> FloatArray:
    """Return `value` as a float64 array of finite numbers in C order; copy it only where needed.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like of real numbers
        float32 and integers become float64. Complex numbers, text and objects are rejected.
    shape : sequence
        One entry for each axis: an int that the axis must have, or a name for the message
        ("batch").
    flags : bool
        Whether booleans are accepted too, as 0 and 1.
    finite : bool
        Whether nan and infinity are rejected.

    Returns
    -------
    array : ndarray of float64

    Raises
    ------
    TypeError
        "x has dtype <U1, but needs real numbers"
    ValueError
        "x has shape (3,), but needs shape (batch, 2)"; "x contains nan at row 3, column 0,
        but needs finite numbers: leave such samples out"
    """
    array = check_rectangular(name, value)
    if array.dtype.kind not in ("biuf" if flags else "iuf"):
        raise TypeError(_wrong_kind(name, value, array))
    fits = array.ndim == len(shape)
    for wanted, found in zip(shape, array.shape, strict=False):
        fits = fits and (not isinstance(wanted, int) or wanted == found)
    if not fits:
        raise ValueError(_wrong_shape(name, value, array, shape))
    with np.errstate(over="ignore"):  # of a longer type: the number becomes infinite
        numbers = np.ascontiguousarray(array, dtype=np.float64)
    if finite and not np.isfinite(numbers).all():
        raise ValueError(_not_finite(name, numbers))
    return numbers


def check_columns(name: str, y: object, n_out: int) -> FloatArray:
    """Return targets y (batch, n_out); for one axis alone ValueError with the remedy."""
    array = check_rectangular(name, y)
    if array.ndim == 1 and array.size and array.dtype.kind not in "c":
        _reject_one_axis(name, y, array)
    return check_float_array(name, y, ("batch", n_out))


def _reject_one_axis(name: str, y: object, array: NDArray[Any]) -> NoReturn:
    """Raise the error for targets of shape (batch,), which name one output or classes."""
    code = as_array(name, y)
    if array.dtype.kind in "SUO":
        raise TypeError(
            f"{_wrong_kind(name, y, array)}; for classes give {number_classes(name)} with "
            "loss='cross_entropy'"
        )
    labels = array.dtype.kind in "biu"
    raise ValueError(
        f"{name} has shape {array.shape}, but needs shape (batch, n_out): "
        f"give {code}[:, None] for one output"
        + (", or take loss='cross_entropy' for class labels" if labels else "")
    )


def _wrong_shape(
    name: str, value: object, array: NDArray[Any], shape: Sequence[int | str | None]
) -> str:
    wanted = ", ".join(str(n) for n in shape) + ("," if len(shape) == 1 else "")
    remedy = shape_remedy(name, value, array, shape)
    return f"{name} has shape {array.shape}, but needs shape ({wanted}){remedy}"


def _wrong_kind(name: str, value: object, array: NDArray[Any]) -> str:
    if value is None:
        return f"{name} is None, but needs an array of real numbers"
    remedy = kind_remedy(name, value, array)
    return f"{name} has dtype {array.dtype}, but needs real numbers{remedy}"


def check_finite(name: str, array: FloatArray) -> None:
    """Raise ValueError with the first position at which `array` is nan or infinite."""
    if not np.isfinite(array).all():
        raise ValueError(_not_finite(name, array))


def _not_finite(name: str, array: FloatArray) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    axes = _AXIS_NAMES.get(array.ndim, tuple(f"axis {axis}" for axis in range(array.ndim)))
    where = ", ".join(f"{axis} {i}" for axis, i in zip(axes, index, strict=True))
    rest = ": leave such samples out" if name in _SAMPLES else ""
    return f"{name} contains {array[index]} at {where}, but needs finite numbers{rest}"


def check_overflow(
    what: str, *arrays: FloatArray | float, given: str = "x, y or the parameters"
) -> None:
    """Raise ValueError with the remedy if finite arguments gave a number that is not finite.

    `given` names these arguments.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        are = "are" if " or " in given else "is"
        raise ValueError(
            f"{given} {are} so large that {what} beyond float64 (about 1.8e308): "
            f"scale {given.replace(' or ', ' and ')} to size one"
        )


def check_integer(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int between `low` and `high` (None: no upper bound).

    TypeError if it is not an integer, ValueError if it is out of range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} is {shown(value)}, but must be an integer")
    number = int(value)
    if abs(number) > _LARGEST:
        raise ValueError(_beyond(name, low, math.inf if high is None else high))
    if number < low or (high is not None and number > high):
        rule = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} is {number}, but must be {rule}")
    return number


def check_number(
    name: str, value: object, *, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return `value` as a finite float in [low, high].

    TypeError if it is not a real number, ValueError if it is out of range or not finite.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(
        value, int | float | np.integer | np.floating
    ):
        raise TypeError(f"{name} is {shown(value)}, but must be a real number")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(_beyond(name, low, high))
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, but must be finite")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, but must be {_range(low, high)}")
    return float(value)


def check_positive(name: str, value: object) -> float:
    """Return `value` as a finite float above 0; errors are those of `check_number`."""
    number = check_number(name, value)
    if number <= 0.0:
        raise ValueError(f"{name} is {value}, but must be above 0")
    return number


def _beyond(name: str, low: float, high: float) -> str:
    """Return the message for an integer that float64 cannot hold; it can have too many digits."""
    rule = "finite" if low == -math.inf and high == math.inf else _range(low, high)
    return f"{name} is an integer beyond float64 (about 1.8e308), but must be {rule}"


def _range(low: float, high: float) -> str:
    """Return the words for numbers in [low, high]."""
    if high == math.inf:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == -math.inf else f"between {low:g} and {high:g}"


def check_choice(name: str, value: object, options: Sequence[str], *, or_none: bool = False) -> str:
    """Return `value` if it is one of `options`.

    ValueError otherwise; the message lists the options, with None if the caller has accepted that,
    and suggests the nearest one.
    """
    if isinstance(value, str) and value in options:
        return str(value)
    listed = ", ".join(map(repr, (*options, None) if or_none else options))
    message = f"{name} is {shown(value)}, but must be one of {listed}"
    if not isinstance(value, str):
        raise TypeError(message)
    lower = {option.lower(): option for option in options}
    close = difflib.get_close_matches(value.lower(), lower, n=1, cutoff=0.7)
    raise ValueError(message + (f" (did you mean {lower[close[0]]!r}?)" if close else ""))


def check_flag(name: str, value: object) -> bool:
    """Return `value` if it is True or False, else raise TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {shown(value)}, but must be True or False")
    return value


def check_pair(name: str, answer: Any, form: str) -> Any:
    """Return what a caller's function gave, if it is a pair; TypeError names its `form`."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        n_items = f"{len(answer)} items" if isinstance(answer, tuple | list) else ""
        found = n_items or f"a {type(answer).__name__}"
        raise TypeError(f"{name} gave {found}, but must give {form}")
    return answer


def check_generator(name: str, value: object) -> np.random.Generator:
    """Return `value` if it is a numpy.random.Generator, else raise TypeError."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} is {shown(value)}, but must be a numpy.random.Generator "
            "such as numpy.random.default_rng(0)"
        )
    return value
