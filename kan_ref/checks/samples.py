"""The arrays of `kan_ref.Data`: samples, the names of their columns, and classes."""

import numbers
from collections.abc import Sequence
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks.array_remedies import as_array, as_numbers, number_classes
from kan_ref.checks.values import FloatArray, check_float_array, check_rectangular


def check_samples(name: str, value: object, letter: str, axes: tuple[str, str]) -> FloatArray:
    """Return `value` with two axes, or integer labels y.

    For other arrays with one axis the message shows the code that gives the right ones. Test
    samples may be none.
    """
    least = 0 if name.endswith("test") else 1
    if value is None:
        again = f": hold out a part of the samples, or give {letter}_train again"
        raise TypeError(
            f"{name} is None, but needs shape ({', '.join(axes)})"
            f"{again if name.endswith('test') else ''}"
        )
    found = check_rectangular(name, value)
    if found.ndim == 1 and found.size >= least and letter == "y" and found.dtype.kind in "iu":
        return found
    if found.ndim == 1 and found.size:
        raise ValueError(
            f"{name} has shape {found.shape}, but needs shape ({', '.join(axes)}); "
            f"{_second_axis(name, value, found, letter)}"
        )
    if found.ndim == 1 and not least:
        shapes = f"{name} has shape (0,), but needs shape ({', '.join(axes)})"
        raise ValueError(f"{shapes}: for no test samples give np.asarray({letter}_train)[:0]")
    array = check_float_array(name, value, axes)
    if len(array) < least or not array.shape[1]:
        rows = "one row and " if least else ""
        raise ValueError(f"{name} has shape {array.shape}, but needs at least {rows}one column")
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


def check_ordered(argument: str, values: Any, what: str) -> tuple[Any, ...]:
    """Return a list, tuple, array, table's index or other ordered values as a tuple.

    Raise TypeError for text, a set and a single value; `what` is what the message says is needed.
    """
    if isinstance(values, set | frozenset):
        raise TypeError(
            f"{argument} is {values!r}, but a set has no order: give a list or a tuple of {what}"
        )
    if (
        isinstance(values, str)
        or not hasattr(values, "__iter__")
        or getattr(values, "shape", None) == ()
    ):
        raise TypeError(f"{argument} is {values!r}, but must be a sequence of {what}")
    return tuple(values)


def check_name(argument: str, name: object) -> str:
    """Return `name` if it is printable text without spaces at its ends, else raise an error."""
    if not isinstance(name, str):
        raise TypeError(f"{argument} is {name!r}, but must be text")
    if not name or not name.isprintable() or name != name.strip():
        raise ValueError(
            f"{argument} is {name!r}, but must be printable text without spaces at its ends"
        )
    return str(name)  # of NumPy's text, too


def check_input_names(names: object, n_in: int | None = None) -> tuple[str, ...]:
    """Return names of inputs as a tuple: printable texts, all different, n_in if it is given."""
    given = check_ordered("names", names, "names" if n_in is None else counted(n_in, "name"))
    found: list[str] = []
    for place, one in enumerate(given):
        name = check_name(f"names[{place}]", one)
        if name in found:
            raise ValueError(f"names has {name!r} twice, but every input needs a name of its own")
        found.append(name)
    if n_in is not None and len(found) != n_in:
        number = "is 1 input" if n_in == 1 else f"are {n_in} inputs"
        raise ValueError(
            f"names has {counted(len(found), 'name')}, but there {number}: give one for each"
        )
    return tuple(found)


def column_names(value: Any) -> tuple[str, ...] | None:
    """Return the headers of a table if all of them are text, None for anything else."""
    if not hasattr(value, "columns") or not hasattr(value, "__getitem__"):
        return None
    headers = tuple(value.columns)
    is_text = bool(headers) and all(isinstance(header, str) for header in headers)
    return headers if is_text else None


def input_names(headers: Sequence[str]) -> tuple[str, ...]:
    """Return names of inputs for the headers of a table: what a formula takes, all different.

    A header that is printable, without spaces at its ends, stays. In others line breaks and rows of
    spaces become one space, and what is not printable is left out. Where nothing remains, or
    another input has the name, the input is called x_1, x_2, ... by its place.
    """
    cleaned = [_cleaned(header) for header in headers]
    kept = {header for header, name in zip(headers, cleaned, strict=True) if header == name}
    names: list[str] = []
    for place, (header, name) in enumerate(zip(headers, cleaned, strict=True), start=1):
        others = {*names, *(kept - {header})}
        if not name or name in others:
            numbers = chain((place,), count(len(headers) + 1))
            name = next(one for n in numbers if (one := f"x_{n}") not in {*names, *kept})
        names.append(name)
    return tuple(names)


def _cleaned(header: str) -> str:
    """Return a header as printable text without spaces at its ends, "" where nothing is left."""
    if header.isprintable() and header == header.strip():
        return header
    shown = "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "" for letter in header
    )
    return " ".join(shown.split())


def check_same_columns(
    name: str, value: object, names: Sequence[str], whose: str = "the names of the inputs"
) -> None:
    """Raise ValueError if a table has other columns than `names`, or has them in another order.

    The default names x_1, x_2, ... leave a table free that has none of them.
    """
    headers = column_names(value)
    if headers is None or tuple(names) in (headers, input_names(headers)):
        return
    if tuple(names) == input_names([""] * len(names)) and not {*names} & {*headers}:
        return
    own = dict(zip(input_names(headers), headers, strict=True)) | {one: one for one in headers}
    missing = [one for one in names if one not in own]
    if not missing:
        remedy = f"give {name}[{[own[one] for one in names]}]"
    elif len(headers) == len(names):
        remedy = f"give np.asarray({name}) if these are the same inputs in the same order"
    else:
        remedy = f"give a table with the column {missing[0]!r} too"
    raise ValueError(
        f"{name} has the columns {listed(headers, 20)}, but needs {listed(names, 20)}, {whose}: "
        f"{remedy}"
    )


def check_tables(data: Any) -> None:
    """Raise ValueError if tables differ: x_test from x_train in columns, a y from its x in rows."""
    headers = column_names(data.x_train)
    if headers is not None:
        check_same_columns("x_test", data.x_test, headers, "the columns of x_train")
    for part in ("train", "test"):
        x_name, y_name = f"x_{part}", f"y_{part}"
        check_same_rows(x_name, getattr(data, x_name), y_name, getattr(data, y_name))


def check_same_rows(x_name: str, x: Any, y_name: str, y: Any) -> None:
    """Raise ValueError if two tables of equal length have other row labels, or another order."""
    ours, theirs = getattr(x, "index", None), getattr(y, "index", None)
    same = getattr(ours, "equals", None)
    if same is None or not hasattr(theirs, "equals") or len(x) != len(y):
        return
    if not same(theirs):
        raise ValueError(
            f"{x_name} and {y_name} have different row labels (.index), so that their rows may "
            f"belong to different samples: give {y_name}.loc[{x_name}.index], or "
            f"np.asarray({y_name}) if the order is right"
        )


def check_new_names(names: Sequence[str], known: Sequence[str] | None, whose: str) -> None:
    """Raise ValueError if new names for inputs with `known` names hold one of these elsewhere."""
    if known is None or len(known) != len(names):
        return
    if any(new != old and new in known for new, old in zip(names, known, strict=True)):
        raise ValueError(
            f"names is {listed(names, 20)}, but {whose} are {listed(known, 20)}: give the names in "
            "this order, or other ones"
        )


def literal(text: str) -> str:
    """Return a text as Matplotlib draws it unchanged: its dollar signs begin no formula."""
    return text.replace("$", r"\$")


def check_classes(classes: object, data: Any) -> NDArray[Any]:
    """Return the classes of the labels `data.y_train` and `data.y_test` as an array.

    ValueError if they are not all different, or if a label has no class.
    """
    found = check_rectangular("classes", classes).copy()
    if found.ndim != 1 or len(set(found.tolist())) != len(found):
        raise ValueError(f"classes is {classes!r}, but must be a list of different classes")
    if data.y_train.ndim != 1:
        raise ValueError(
            f"classes is given, but y_train has shape {data.y_train.shape}: labels of classes are "
            "integers of shape (n_train,)"
        )
    for name in ("y_train", "y_test"):
        labels = getattr(data, name)
        if labels.size and (labels.min() < 0 or labels.max() >= len(found)):
            raise ValueError(
                f"{name} has labels {labels.min()} to {labels.max()}, but {len(found)} classes "
                f"have labels 0 to {len(found) - 1}"
            )
    return found


def check_no_missing(name: str, value: Any, array: NDArray[Any]) -> None:
    """Raise ValueError with the first row of an array (n,) that is None, nan, NaT or pandas.NA."""
    # nan is unequal to itself; the comparison of pandas.NA with itself is neither
    missing = [
        entry is None or type(entry).__name__ in ("NAType", "NaTType") or entry != entry
        for entry in array
    ]
    if any(missing):
        place = missing.index(True)
        rest = [entry for entry, is_missing in zip(array, missing, strict=True) if not is_missing]
        are_numbers = all(
            isinstance(one, numbers.Number) and not isinstance(one, bool) for one in rest
        )
        what = "leave out the samples without a class"
        if rest and are_numbers:
            code = as_numbers(name, value)
            what = (
                "keep the other rows of inputs and targets, "
                f"keep = np.isfinite({code}), and give {code}[keep] for numbers, "
                f"{code}[keep].astype(int) for class labels"
            )
        raise ValueError(f"{name} is {array[place]} at row {place}: {what}")


def check_one_type(name: str, value: Any, array: NDArray[Any]) -> type[Any]:
    """Return the type of all entries of an array (n,); TypeError if there are several."""
    types = {type(one.item() if isinstance(one, np.generic) else one) for one in array}
    if len(types) > 1:
        found = ", ".join(sorted(kind.__name__ for kind in types))
        raise TypeError(
            f"{name} holds values of several types ({found}): "
            f"give {as_array(name, value)}.astype(str) for classes, .astype(float) for numbers"
        )
    return types.pop()


def listed(values: Sequence[object], most: int = 6) -> str:
    """Return values as a tuple in text, long ones shortened."""
    shown = [repr(value) for value in values]
    if len(shown) > most:
        shown = [*shown[: most - 2], "...", shown[-1]]
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 output", "2 outputs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
