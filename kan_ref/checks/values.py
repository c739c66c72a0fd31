"""Input validation: what an argument must be.

Every public function checks its arguments here once; inner functions do not check them again. An
error is a builtin exception with one message: the name of the argument, its value, and the rule
with its numbers.

NumPy's floating-point warnings are off in the package's own arithmetic: a step that is too long may
overflow, and the code that tried it rejects the result by its value. In a function that the caller
passed a warning may be the only trace of a mistake, so the caller's `numpy.errstate` holds there.
"""

import difflib
import functools
import importlib
import inspect
import math
import re
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

ROUNDING = 8.0 * float(np.finfo(float).eps)  # relative: numbers of a smaller range are constant

_LONGEST = 80  # characters of a value in a message
_AXIS_NAMES = {1: ("position",), 2: ("row", "column")}


def shown(value: object) -> str:
    """Return how a message shows a value: on one line, of a long array the shape alone.

    A scalar of NumPy is the number or text of Python that it is.
    """
    text = repr(value.item() if isinstance(value, np.generic) else value)
    if len(text) <= _LONGEST and "\n" not in text:
        return text
    shape = getattr(value, "shape", None)
    return short(value) if shape is None else f"an array of shape {shape}"


def short(value: object) -> str:
    """Return the beginning of the text of a value, on one line."""
    return re.sub(r"\n\s*", " ", reprlib.repr(value))


def check_rectangular(name: str, value: object) -> NDArray[Any]:
    """Return `value` as an array of any kind; ValueError if its rows differ in length."""
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
        "x has shape (2, 3), but needs shape (batch, 2)"; "y has shape (3,), but needs shape
        (batch, n_out): give y[:, None]"; "x contains nan at row 3, column 0, but needs finite
        numbers"
    """
    array = check_rectangular(name, value)
    if array.dtype.kind not in ("biuf" if flags else "iuf"):
        found = "is None" if value is None else f"has dtype {array.dtype}"
        raise TypeError(f"{name} {found}, but needs real numbers")
    fits = array.ndim == len(shape)
    for wanted, n in zip(shape, array.shape, strict=False):
        fits = fits and (not isinstance(wanted, int) or wanted == n)
    if not fits:
        axes = ", ".join(str(n) for n in shape) + ("," if len(shape) == 1 else "")
        message = f"{name} has shape {array.shape}, but needs shape ({axes})"
        is_column = array.ndim == 1 and len(shape) == 2 and shape[1] in (1, "n_in", "n_out")
        raise ValueError(message + (f": give {name}[:, None]" if is_column else ""))
    numbers = np.ascontiguousarray(array, dtype=np.float64)
    if finite:
        check_finite(name, numbers)
    return numbers


def check_columns(name: str, y: object, n_out: int) -> FloatArray:
    """Return targets y (batch, n_out); ValueError names the other choice for class labels."""
    shape = check_rectangular(name, y).shape
    if len(shape) == 1:
        raise ValueError(
            f"{name} has shape {shape}, but needs shape (batch, n_out): give {name}[:, None] for "
            "one output, or take loss='cross_entropy' for class labels"
        )
    return check_float_array(name, y, ("batch", n_out))


def check_finite(name: str, array: FloatArray) -> None:
    """Raise ValueError with the first position at which `array` is nan or infinite."""
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        axes = _AXIS_NAMES.get(array.ndim, tuple(f"axis {axis}" for axis in range(array.ndim)))
        where = ", ".join(f"{axis} {i}" for axis, i in zip(axes, index, strict=True))
        raise ValueError(f"{name} contains {array[index]} at {where}, but needs finite numbers")


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
        raise TypeError(f"{name} gave {shown(answer)}, but must give {form}")
    return answer


def check_generator(name: str, value: object) -> np.random.Generator:
    """Return `value` if it is a numpy.random.Generator, else raise TypeError."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} is {shown(value)}, but must be a numpy.random.Generator "
            "such as numpy.random.default_rng(0)"
        )
    return value


class Record:
    """A base class of records that notebooks show as HTML, and formulas as LaTeX."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows, None for the text alone."""
        found: str | None = importlib.import_module("kan_ref.drawing").html_of(self)
        return found

    def _repr_latex_(self) -> str | None:
        """Return the formula of a record as LaTeX, None if it has none."""
        found: str | None = importlib.import_module("kan_ref.drawing").latex_of(self)
        return found


# --- warnings


@dataclass(frozen=True)
class CallersFunction:
    """A caller's function with the `errors` setting of the caller, as from `numpy.geterr`."""

    function: Callable[..., Any]
    errors: dict[str, Any]

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function with the caller's setting."""
        with np.errstate(**self.errors):
            return self.function(*arguments, **options)


def keep_warnings(function: Any) -> Any:
    """Return a function that runs with the present setting; anything else is returned itself.

    So is a function where all warnings are off: one part of the package passed it to another.
    """
    errors = dict(np.geterr())
    if not callable(function) or set(errors.values()) == {"ignore"}:
        return function
    return CallersFunction(function, errors)


def quiet_except(*names: str) -> Callable[[Function], Function]:
    """Return a decorator: no warnings in a function, but the caller's setting in some arguments.

    `names` are the parameters that may hold functions of the caller.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def quiet(*arguments: Any, **options: Any) -> Any:
            try:
                bound = signature.bind(*arguments, **options)
            except TypeError:
                return function(*arguments, **options)  # which raises the usual error
            for name in names:
                if name in bound.arguments:
                    bound.arguments[name] = keep_warnings(bound.arguments[name])
            with np.errstate(all="ignore"):
                return function(*bound.args, **bound.kwargs)

        return quiet  # type: ignore[return-value]  # it takes and returns the same

    return decorate
