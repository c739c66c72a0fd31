"""What an argument must be: an error has name, value, rule, and often a remedy.

Public functions check their arguments here, once; inner functions do not check them
again. An error is a builtin exception:

    TypeError     n_steps is 2.5, but must be an integer
    ValueError    degree is -1, but must be at least 0
                  y has shape (5,), but needs shape (batch, n_out): give y[:, None]
                  x contains nan at row 3, column 0, but needs finite numbers

A table (a pandas or polars DataFrame) is what has `columns`; `numpy.asarray` reads each
of them. Targets with one axis are classes or numbers by this rule:

    text, booleans    classes
    integers          classes, if each occurs twice on average, or ten times where there
                      are more than 20 of them; else an error
    real numbers      one column of numbers
"""

import difflib
import importlib
import math
import reprlib
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Kind = TypeVar("Kind")

# relative: numbers of a smaller range are constant
ROUNDING = 8.0 * float(np.finfo(float).eps)

# up to so many integers may be classes with two samples each on average
_FEW_CLASSES = 20

_AXIS_NAMES = {1: ("position",), 2: ("row", "column")}


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


def fail(
    name: str, value: object, rule: str, kind: type[Exception] = ValueError
) -> NoReturn:
    """Raise the error "name is value, but rule"."""
    raise kind(f"{name} is {shown(value)}, but {rule}")


def shown(value: object) -> str:
    """Return a value for a message: on one line, of a long array the shape alone."""
    shape = getattr(value, "shape", None)
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    if len(text) <= 80 and "\n" not in text:
        return text

    if shape is not None:
        return f"an array of shape {shape}"
    short = " ".join(reprlib.repr(value).split())
    if len(short) > 80:
        short = f"{short[:77]}..."
    return short


# --- arrays


def rectangular(name: str, value: object) -> NDArray[Any]:
    """Return `value` as an array of any kind, if its rows have one length."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} is not a rectangular array: its rows differ in length"
        ) from None


def _where(place: Sequence[int]) -> str:
    axes = _AXIS_NAMES.get(len(place)) or [f"axis {n}" for n in range(len(place))]
    return ", ".join(map("{} {}".format, axes, place))


def array(
    name: str, value: object, shape: Sequence[int | str], *, finite: bool = True
) -> FloatArray:
    """Return `value` as float64 in C order, of this shape.

    A word in `shape` is any number. Booleans count as 0 and 1. It is copied only where
    needed.
    """
    if hasattr(value, "x_train"):
        fail(name, value, "needs an array, such as its x_train", TypeError)
    found = rectangular(name, value)

    # objects: as of a table with numbers and booleans, or text
    if found.dtype.kind == "O" and found.ndim:
        for place, item in np.ndenumerate(found):
            if not isinstance(item, Real | np.bool_):
                what = f"contains {shown(item)} at {_where(place)}"
                raise TypeError(f"{name} {what}, but needs real numbers")
        found = found.astype(np.float64)
    if found.dtype.kind not in "biuf":
        what = "is None" if value is None else f"has dtype {found.dtype}"
        raise TypeError(f"{name} {what}, but needs real numbers")

    fits = found.ndim == len(shape)
    for wanted, n in zip(shape, found.shape, strict=False):
        fits &= isinstance(wanted, str) or wanted == n
    if not fits:
        rule = "needs shape " + str(tuple(shape)).replace("'", "")
        if found.ndim == 1 and len(shape) == 2 and shape[1] in (1, "n_in", "n_out"):
            rule += f": give {name}[:, None]"
        raise ValueError(f"{name} has shape {found.shape}, but {rule}")

    numbers = np.ascontiguousarray(found, dtype=np.float64)
    if finite and not np.isfinite(numbers).all():
        place = tuple(np.argwhere(~np.isfinite(numbers))[0].tolist())
        what = f"contains {numbers[place]} at {_where(place)}"
        raise ValueError(f"{name} {what}, but needs finite numbers")
    return numbers


def samples(name: str, value: object, shape: Sequence[int | str]) -> FloatArray:
    """Return an array, as `array`, with at least one row."""
    found = array(name, value, shape)
    if not len(found):
        raise ValueError(f"{name} has no rows, but needs at least one sample")
    return found


# --- single values


def integer(name: str, value: object, low: int = 0, high: float = math.inf) -> int:
    """Return `value` as an int in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        fail(name, value, "must be an integer", TypeError)
    if not low <= value <= high:
        rule = f"must be between {low} and {high}"
        if high == math.inf:
            rule = f"must be at least {low}"
        fail(name, value, rule)
    return int(value)


def number(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
) -> float:
    """Return `value` as a finite float in [low, high], and above a bound."""
    kinds = int | float | np.integer | np.floating
    if isinstance(value, bool) or not isinstance(value, kinds):
        fail(name, value, "must be a real number", TypeError)
    if not math.isfinite(value):
        fail(name, value, "must be finite")
    if value <= above:
        fail(name, value, f"must be above {above:g}")
    if not low <= value <= high:
        rule = f"must be between {low:g} and {high:g}"
        if high == math.inf:
            rule = f"must be at least {low:g}"
        elif low == -math.inf:
            rule = f"must be at most {high:g}"
        fail(name, value, rule)
    return float(value)


def choice(name: str, value: object, options: Iterable[str]) -> str:
    """Return `value` if it is one of `options`; the error suggests the nearest one."""
    known = tuple(options)
    if isinstance(value, str) and value in known:
        return str(value)
    rule = "must be one of " + ", ".join(map(repr, known[:8]))
    if len(known) > 8:
        rule += ", ..."
    if not isinstance(value, str):
        fail(name, value, rule, TypeError)
    lower = {option.lower(): option for option in known}
    close = difflib.get_close_matches(value.lower(), lower, n=1, cutoff=0.7)
    if close:
        rule += f" (did you mean {lower[close[0]]!r}?)"
    fail(name, value, rule)


def flag(name: str, value: object) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool):
        fail(name, value, "must be True or False", TypeError)
    return value


def instance(name: str, value: object, kind: type[Kind], what: str = "") -> Kind:
    """Return `value` if it is of a class; `what` are the words for the message."""
    if not isinstance(value, kind):
        fail(name, value, f"must be {what or f'a {kind.__name__}'}", TypeError)
    return value


def function(name: str, value: object) -> Any:
    """Return `value` if it can be called."""
    if not callable(value):
        fail(name, value, "must be a function", TypeError)
    return value


def generator(name: str, value: object) -> np.random.Generator:
    """Return `value` if it is a numpy.random.Generator."""
    what = "numpy.random.default_rng(0) or another one"
    return instance(name, value, np.random.Generator, what)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: "1 output", "2 outputs"."""
    if n != 1:
        noun += "s"
    return f"{n} {noun}"


# --- names and tables


def names(argument: str, value: Any, n: int | None = None) -> tuple[str, ...]:
    """Return different, printable names as a tuple, `n` of them if it is given."""
    if isinstance(value, str | set | frozenset) or not hasattr(value, "__iter__"):
        fail(argument, value, "must be a sequence of names", TypeError)
    found = tuple(value)
    for place, one in enumerate(found):
        entry = f"{argument}[{place}]"
        if not isinstance(one, str):
            fail(entry, one, "must be text", TypeError)
        if not one or not one.isprintable() or one != one.strip():
            fail(entry, one, "must be printable text without spaces at its ends")
        if one in found[:place]:
            raise ValueError(
                f"{argument} has {one!r} twice, but all names must be different"
            )
    if n is not None and len(found) != n:
        raise ValueError(
            f"{argument} has {counted(len(found), 'name')}, but there are {n}: "
            "give one for each"
        )
    return tuple(map(str, found))


def column_names(value: Any) -> tuple[str, ...] | None:
    """Return the headers of a table if all of them are text, None for anything else."""
    headers = tuple(getattr(value, "columns", ()))
    if headers and all(isinstance(one, str) for one in headers):
        return headers
    return None


def input_names(headers: Sequence[str]) -> tuple[str, ...]:
    """Return names of inputs for headers: no line breaks, no spaces at the ends."""
    return tuple(" ".join(header.split()) for header in headers)


def new_names(given: Sequence[str], known: Sequence[str] | None) -> None:
    """Raise ValueError if new names of inputs have a known name at another place."""
    if known is None or len(known) != len(given):
        return
    for new, old in zip(given, known, strict=True):
        if new != old and new in known:
            raise ValueError(
                f"names is {given}, but the columns are {known}: keep their order"
            )


def same_columns(name: str, value: object, expected: Sequence[str]) -> None:
    """Raise ValueError if a table has other columns, or has them in another order.

    The names x_1, x_2, ... of data without headers fit every table.
    """
    headers = column_names(value)
    needed = tuple(expected)
    default = tuple(f"x_{i + 1}" for i in range(len(needed)))
    if headers and needed not in (headers, input_names(headers), default):
        raise ValueError(f"{name} has the columns {headers}, but needs {needed}")


def read_inputs(name: str, value: Any) -> tuple[FloatArray, tuple[str, ...] | None]:
    """Return samples as an array (n, n_in), and a table's column names or None."""
    headers = column_names(value)
    if headers is None:
        return array(name, value, ("n", "n_in")), None
    columns = []
    for header in headers:
        column = array(f"{name}[{header!r}]", value[header], ("n",))
        columns.append(column)
    return np.column_stack(columns), input_names(headers)


def read_targets(name: str, value: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return targets as numbers (n, n_out), or class labels (n,) and sorted classes."""
    found = rectangular(name, value)
    if found.ndim == 2 and found.shape[1] == 1 and found.dtype.kind in "bUO":
        found = found[:, 0]
    kind = found.dtype.kind
    if found.ndim != 1 or kind not in "biuUO" or not found.size:
        if found.ndim == 1 and found.size and kind == "f":
            value = found[:, None]
        return array(name, value, ("n", "n_out")), None

    if kind in "UO":  # in a list of text NumPy takes nan as text, too
        for n, one in enumerate(np.array(value, dtype=object).ravel()):
            if not isinstance(one, str | bool | np.bool_):
                fail(f"{name} at row {n}", one, "must be text, as every class")
        found = np.array(found.tolist())
    classes, labels = np.unique(found, return_inverse=True)
    if len(classes) < 2:
        fail(
            f"every entry of {name}", classes[0], "a network needs at least two classes"
        )
    least = 2 if len(classes) <= _FEW_CLASSES else 10
    if kind in "iu" and len(found) < least * len(classes):
        raise ValueError(
            f"{name} has {len(classes)} different integers in {len(found)} rows: for "
            f"regression give {name}.astype(float), for classes {name}.astype(str)"
        )
    return labels.astype(np.intp), classes


def literal(text: str) -> str:
    """Return a text as Matplotlib draws it unchanged: no dollar begins a formula."""
    return text.replace("$", r"\$")
