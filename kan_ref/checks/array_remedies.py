"""Values in messages, and remedies: how an array of the wrong kind or shape becomes a valid one.

A remedy is the end of a message, ": give x[:, None]", or "" where none is known. The code in it can
be run without changes. Where words name the value, as in "the gradient at the start", the code
begins with its attribute: ": give its .real".
"""

import numbers
import re
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TIMES = "give times as numbers in a unit of your choice"

_LONGEST = 80  # characters of a value in a message
_SHORT = 40  # of an entry of an array


def shown(value: object) -> str:
    """Return how a message shows a value: an array whose text is long by its shape alone.

    A scalar of NumPy is the number or text of Python that it is. Of other long texts the message
    has the beginning.
    """
    text = repr(value.item() if isinstance(value, np.generic) else value)
    if len(text) <= _LONGEST and "\n" not in text:
        return text
    kind, shape = type(value).__name__, getattr(value, "shape", None)
    if not isinstance(shape, tuple):
        return short(value)
    return f"{'an array' if kind == 'ndarray' else f'a {kind}'} of shape {shape}"


def short(value: object) -> str:
    """Return a short representation of a value, on one line also for an array."""
    return re.sub(r"\n\s*", " ", reprlib.repr(value))


def as_array(name: str, value: object) -> str:
    """Return the code for `value` as an ndarray: its name alone where it is one."""
    if _is_words(name):
        return "its "
    return name if isinstance(value, np.ndarray) else f"np.asarray({name})"


def as_numbers(name: str, value: object) -> str:
    """Return the code for objects as float64, with nan where one is missing."""
    if hasattr(value, "to_numpy"):  # NumPy cannot convert pandas.NA
        return f"{name}.to_numpy(float, na_value=np.nan)"
    return f"np.asarray({name}, float)"


def _is_words(name: str) -> bool:
    """Return whether a name is words and not code, as "the gradient at the start"."""
    return re.search(r"\w \w", name) is not None


def is_masked(value: object) -> bool:
    """Return whether `value`, or a row of it, is a masked array with a masked number."""
    rows = value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(row, np.ma.MaskedArray) and bool(np.any(row.mask)) for row in rows)


def mask_remedy(name: str, value: object) -> str:
    """Return how to fill masked numbers or to drop their rows."""
    if not isinstance(value, np.ma.MaskedArray) or _is_words(name):
        return ": fill them with .filled(0.0)"
    rows = f"{name}.mask" + (".any(axis=1)" if value.ndim == 2 else "")
    drop = f", or drop the rows with {name}[~{rows}]" if value.ndim in (1, 2) else ""
    return f": fill them with {name}.filled(0.0){drop}"


def kind_remedy(name: str, value: object, array: NDArray[Any]) -> str:
    """Return how `value`, which NumPy reads as `array`, becomes an array of real numbers."""
    letter = name[:1] if name[:1] in ("x", "y") else "x"
    if hasattr(value, f"{letter}_train"):
        kind_of = type(value).__name__
        return f": it is a {kind_of}, whose training samples are its .{letter}_train"
    if hasattr(value, "toarray"):
        code = "its " if _is_words(name) else name
        return f": it is a sparse {type(value).__name__}, give {code}.toarray()"
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        found = _column(value)
        if found:
            return f": its column {found[0]!r} has dtype {found[1]}, which has to become numbers"
    kind, code = array.dtype.kind, as_array(name, value)
    if kind == "c":
        return f": give {code}.real, or the real and the imaginary part as columns"
    if kind == "b":
        return f": give {code}.astype(float)"
    if kind in "mM":
        return f": {TIMES}"
    if kind == "O":
        wrong = _first_wrong(array)
        if wrong is not None:
            index, entry = wrong
            return f": {_entry(code, index)} is {_short(entry)}"
        large = first_beyond(array)
        if large is not None:
            return (
                f": {_entry(code, large)} is beyond float64 (about 1.8e308), "
                "scale the numbers to size one"
            )
    try:
        array.astype(float)
    except (TypeError, ValueError):
        return ": text has to become numbers first" if kind in "SU" else ""
    return f": give {code}.astype(float)"


def shape_remedy(
    name: str, value: object, array: NDArray[Any], shape: Sequence[int | str | None]
) -> str:
    """Return how `array` gets the axes `shape`, as `check_float_array` has them."""
    code = as_array(name, value)
    if len(shape) == 1 and array.ndim == 2 and 1 in array.shape:
        return f": give {code}.reshape(-1)" if _fits(array.size, shape[0]) else ""
    if len(shape) != 2:
        return ""
    rows, columns = shape
    if array.ndim == 2:
        turned = _fits(array.shape[1], rows) and _fits(array.shape[0], columns)
        return f": give {code}.T" if turned else ""
    if array.ndim != 1:
        return ""
    if columns in (1, "n_in", "n_out") and _fits(array.size, rows):
        what = {"n_in": " for one input", "n_out": " for one output"}.get(str(columns), "")
        return f": give {code}[:, None]{what}"
    if isinstance(columns, int) and array.size == columns and _fits(1, rows):
        kinds = {"n_in": "input", "n_out": "output", "n_directions": "direction"}
        what = "" if isinstance(rows, int) else f" for one {kinds.get(str(rows), 'sample')}"
        return f": give {code}[None, :]{what}"
    return ""


def label_remedy(name: str, value: object, array: NDArray[Any], n_out: int) -> str:
    """Return how targets become integer class labels (batch,), where they hold classes."""
    if array.ndim == 2 and array.shape[1] == 1:
        value, array, name = array[:, 0], array[:, 0], f"{as_array(name, value)}[:, 0]"
        if array.dtype.kind in "iu":
            return f": give {name}"
    code = as_array(name, value)
    if array.ndim == 2 and array.shape[1] == n_out and array.dtype.kind in "biuf":
        return f": give {code}.argmax(axis=1), if each row has a 1 at its class"
    if array.ndim != 1 or not array.size:
        return ""
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and np.all(array == np.round(array))):
        return f": give {code}.astype(int)"
    if array.dtype.kind in "SUO":
        return f": give {number_classes(name)}"
    return ": real numbers have loss='mse'" if array.dtype.kind == "f" else ""


def number_classes(name: str) -> str:
    """Return the code that turns classes of any kind into labels 0, 1, ..."""
    return f"np.unique({name}, return_inverse=True)[1]"


def first_beyond(array: NDArray[Any]) -> tuple[int, ...] | None:
    """Return the place of the first real number that is beyond float64, None if there is none."""
    for index, entry in np.ndenumerate(array):
        try:
            float(entry)
        except OverflowError:
            return index
        except (TypeError, ValueError):
            continue
    return None


def _entry(code: str, index: tuple[int, ...]) -> str:
    """Return the code for an entry of an array, "it" for one without axes."""
    return f"{code}[{', '.join(map(str, index))}]" if index else "it"


def _fits(n: int, wanted: int | str | None) -> bool:
    return not isinstance(wanted, int) or n == wanted


def _column(frame: Any) -> tuple[object, object] | None:
    """Return name and dtype of the first column that is not a column of real numbers."""
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if getattr(dtype, "kind", "O") not in "iuf":
            return name, dtype
    return None


def _first_wrong(array: NDArray[Any]) -> tuple[tuple[int, ...], object] | None:
    """Return place and value of the first entry that is not a real number."""
    for index, entry in np.ndenumerate(array):
        if isinstance(entry, bool | np.bool_) or not isinstance(entry, numbers.Real):
            return index, entry
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."
