"""The arrays of `kan_ref.Data`: samples, the names of their columns, and classes."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from kan_ref.checks.values import FloatArray, check_float_array, check_rectangular


def check_samples(name: str, value: object, letter: str, axes: tuple[str, str]) -> FloatArray:
    """Return `value` with two axes, or integer labels y. Test samples may be none."""
    found = check_rectangular(name, value)
    least = 0 if name.endswith("test") else 1
    if letter == "y" and found.ndim == 1 and found.dtype.kind in "iu" and found.size >= least:
        return found
    array = check_float_array(name, value, axes)
    if len(array) < least or not array.shape[1]:
        rows = "one row and " if least else ""
        raise ValueError(f"{name} has shape {array.shape}, but needs at least {rows}one column")
    return array


def check_ordered(argument: str, values: Any, what: str) -> tuple[Any, ...]:
    """Return ordered values as a tuple; TypeError for text, a set or a single value.

    `what` is what the message says is needed.
    """
    if isinstance(values, str | set | frozenset) or not hasattr(values, "__iter__"):
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
    """Return names of inputs for the headers of a table: no line breaks, no spaces at the ends."""
    return tuple(" ".join(header.split()) for header in headers)


def check_same_columns(
    name: str, value: object, names: Sequence[str], whose: str = "the names of the inputs"
) -> None:
    """Raise ValueError if a table has other columns than `names`, or has them in another order.

    The default names x_1, x_2, ... fit every table that has none of them.
    """
    headers = column_names(value)
    if headers is None or tuple(names) in (headers, input_names(headers)):
        return
    default = [f"x_{i}" for i in range(1, len(names) + 1)]
    if list(names) != default or {*names} & {*headers}:
        raise ValueError(
            f"{name} has the columns {listed(headers, 20)}, but needs {listed(names, 20)}, {whose}"
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


def listed(values: Sequence[object], most: int = 6) -> str:
    """Return values as a tuple in text, long ones shortened."""
    shown = [repr(value) for value in values]
    if len(shown) > most:
        shown = [*shown[: most - 2], "...", shown[-1]]
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 output", "2 outputs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
