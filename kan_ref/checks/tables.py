"""Samples as users have them: arrays, lists and DataFrames become float64 arrays and classes.

Nothing but NumPy is imported: a table is what has `columns`, and every column or array is read by
`numpy.asarray`. Targets with one axis are classes or numbers by this rule:

    text, booleans    classes
    integers          classes, if the values repeat: twice each on average, and ten times where
                      there are more than 20 values; else an error
    real numbers      one column of numbers
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks.samples import column_names, input_names
from kan_ref.checks.values import FloatArray, check_float_array, check_rectangular

FEW_CLASSES = 20  # up to so many integers may be classes with two samples each on average
SAMPLES_A_CLASS = 10  # on average, where there are more

Names = tuple[str, ...]


def read_inputs(name: str, value: Any) -> tuple[FloatArray, Names | None]:
    """Return samples as an array (n, n_in), with the names of their columns.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like or table
        Booleans count as 0 and 1.

    Returns
    -------
    x : ndarray of float64, (n, n_in)
    names : tuple of str, or None
        None for anything but a table whose column names are all text; as `input_names` has them.

    Raises
    ------
    TypeError
        "x['sex'] has dtype object, but needs real numbers"
    ValueError
        "x['age'] contains nan at position 3, but needs finite numbers"; a wrong shape; two columns
        with one name.
    """
    headers = column_names(value)
    if headers is None:
        return check_float_array(name, value, ("n", "n_in"), flags=True), None
    columns = [
        check_float_array(f"{name}[{header!r}]", value[header], ("n",), flags=True)
        for header in headers
    ]
    return np.column_stack(columns), input_names(headers)


def read_targets(name: str, value: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return targets as numbers (n, n_out), or as class labels (n,) with their classes.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like, Series or table
        A table with one column of text or booleans counts as that column.

    Returns
    -------
    y : ndarray of float64, (n, n_out); or of int, (n,)
        Label b stands for `classes[b]`.
    classes : ndarray or None
        All different values in increasing order, as `numpy.unique` returns them; None for numbers.

    Raises
    ------
    TypeError
        For values that are neither numbers nor classes.
    ValueError
        For numbers that are not finite, missing classes, a wrong shape, or integers that are
        probably numbers: "y holds 663 different integers in 1460 rows, ...: for regression give
        y.astype(float), ...".
    """
    array = check_rectangular(name, value)
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "bUO":
        array = array[:, 0]
    kind = array.dtype.kind
    if array.ndim == 1 and kind in "UO":
        entries = np.array(value, dtype=object).ravel()  # in a list NumPy takes nan as text
        wrong = [n for n, one in enumerate(entries) if not isinstance(one, str | bool | np.bool_)]
        if wrong:
            raise ValueError(
                f"{name} is {entries[wrong[0]]!r} at row {wrong[0]}, but every class of an array "
                "of objects must be text"
            )
        array = np.array(entries.tolist())
    if array.ndim != 1 or kind not in "biuUO" or not array.size:
        column = array[:, None] if array.ndim == 1 and array.size and kind == "f" else value
        return check_float_array(name, column, ("n", "n_out"), flags=True), None
    classes, labels = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{name} has the one class {classes.tolist()[0]!r}, but a network needs "
            "at least two to tell apart"
        )
    least = 2 if len(classes) <= FEW_CLASSES else SAMPLES_A_CLASS
    if kind in "iu" and len(array) < least * len(classes):
        raise ValueError(
            f"{name} holds {len(classes)} different integers in {len(array)} rows, and integers "
            f"are class labels if each occurs at least {least} times on average: for regression "
            f"give {name}.astype(float), for classes {name}.astype(str)"
        )
    return labels.astype(np.intp), classes
