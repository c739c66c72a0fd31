"""Samples as users have them: lists, arrays, DataFrames, Series and tensors become float64 arrays.

Nothing but NumPy is imported: a table is what has `columns`, and every column or array is read by
`numpy.asarray`, the array interface of pandas, polars and PyTorch.

Targets with one axis are classes or numbers by this rule:

    text, booleans, categories    classes
    integers                      classes, if the values repeat: twice each on average, and ten
                                  times where there are more than 20 values; else an error
    real numbers                  one column of numbers
"""

import datetime
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks.array_remedies import TIMES, as_array, as_numbers, first_beyond, kind_remedy
from kan_ref.checks.samples import check_no_missing, check_one_type, column_names, input_names
from kan_ref.checks.values import FloatArray, IntArray, check_float_array, check_rectangular

FEW_CLASSES = 20  # up to so many integers may be classes with two samples each on average
SAMPLES_A_CLASS = 10  # on average, where there are more

_TIMES = (np.datetime64, np.timedelta64, datetime.date, datetime.time, datetime.timedelta)

Names = tuple[str, ...]


def read_inputs(name: str, value: object) -> tuple[FloatArray, Names | None]:
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
        "x has a column 'sex' of dtype str, but needs numbers: turn it into numbers, ..."
    ValueError
        "x contains nan at row 3, column 'age': leave out such rows, ..."; masked numbers; a wrong
        shape; two columns with one name.
    """
    if value is None:
        raise TypeError(f"{name} is None, but needs samples of shape (n, n_in)")
    columns = _columns(value)
    if columns is None:
        array = check_float_array(name, value, ("n", "n_in"), flags=True, finite=False)
        _check_filled(name, array, value, None)
        return array, None
    parts = [_column(name, value, column) for column in columns]
    array = np.column_stack(parts) if parts else np.zeros((len(np.asarray(value)), 0))
    _check_filled(name, array, value, columns)
    headers = column_names(value)
    return array, None if headers is None else input_names(headers)


def read_targets(name: str, value: object) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return targets as numbers (n, n_out), or as class labels (n,) with their classes.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like, Series or table
        A table with one column of text, booleans or categories counts as that column.

    Returns
    -------
    y : ndarray of float64, (n, n_out); or of int, (n,)
        Label b stands for `classes[b]`.
    classes : ndarray or None
        All different values in increasing order, as `numpy.unique` returns them; None for numbers.

    Raises
    ------
    TypeError
        For values that are neither numbers nor classes, or classes of several types.
    ValueError
        For missing numbers or classes, a wrong shape, or integers that are probably numbers: "y
        holds 663 different integers in 1460 rows, ...: for regression give y.astype(float), ...".
    """
    if value is None:
        raise TypeError(f"{name} is None, but needs targets of shape (n,) or (n, n_out)")
    columns = _columns(value)
    table: Any = value
    is_one = columns is not None and len(columns) == 1
    if columns and is_one:
        only = table[columns[0]]
        if _is_category(only) or _array(name, only).dtype.kind not in "iuf":
            value, columns = only, None
    if columns is not None:
        return read_inputs(name, value)[0], None
    array = _entries(value, _array(name, value))
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "USTO":
        array = array[:, 0]
    if array.ndim == 1 and not array.size:
        return np.zeros((0, 1)), None
    if array.ndim == 1:
        if array.dtype.kind == "O":
            array = _objects(name, value, array)
        if _is_category(value) or array.dtype.kind == "b":
            return _labels(name, array)
        if array.dtype.kind in "UST":
            _check_no_numbers(name, value, array)
            return _labels(name, array)
        if array.dtype.kind in "iu":
            labels, classes = _labels(name, array)
            _check_repeated(name, value, len(array), len(classes))
            return labels, classes
        if array.dtype.kind == "f":
            array = array[:, None]
    given = array if array.dtype.kind in "biuf" else value
    out = check_float_array(name, given, ("n", "n_out"), flags=True, finite=False)
    _check_filled(name, out, value, None)
    return out, None


def check_entries(name: str, value: Any, *, one_type: bool) -> None:
    """Raise an error if objects or times, one a row, are missing or perhaps of several types."""
    array = _entries(value, check_rectangular(name, value))
    if array.dtype.kind in "OmM" and array.ndim and 0 < array.size == len(array):
        check_no_missing(name, value, array.ravel())
        if one_type:
            check_one_type(name, value, array.ravel())


def check_numbers(name: str, value: Any) -> None:
    """Raise TypeError if an array, or a column of a table, holds times or has categories.

    NumPy counts times in the unit of the array, which may be another one in the next array, and
    takes categories that are numbers, or digits, as numbers. Masked numbers, of which NumPy takes
    the values, raise ValueError.
    """
    columns = _columns(value)
    if columns is not None:
        for column in columns:
            if _is_category(value[column]) or _holds_times(name, value[column]):
                _column(name, value, column)
        return
    if _is_category(value) or _holds_times(name, value):
        dtype = getattr(value, "dtype", np.asarray(value).dtype)
        remedy = f"give {as_array(name, value)}.astype(float)" if _is_category(value) else TIMES
        raise TypeError(f"{name} has dtype {dtype}, but needs real numbers: {remedy}")


def _holds_times(name: str, value: Any) -> bool:
    """Return whether a value has a dtype of times, also with a time zone, or a time as an entry."""
    array = check_rectangular(name, value)
    kinds = (array.dtype.kind, getattr(getattr(value, "dtype", None), "kind", "O"))
    if "M" in kinds or "m" in kinds:
        return True
    return array.dtype.kind == "O" and any(isinstance(entry, _TIMES) for entry in array.flat)


def _is_category(value: Any) -> bool:
    """Return whether a column, Series or array has the dtype of categories."""
    return str(getattr(value, "dtype", "")) == "category"


def _entries(value: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return a list that NumPy reads as text as objects, if its entries are not all text."""
    if array.dtype.kind == "U" and isinstance(value, list | tuple):
        mixed = np.array(value, dtype=object)  # nan and numbers beside text became text
        return array if all(isinstance(entry, str) for entry in mixed.flat) else mixed
    return array


def _columns(value: Any) -> list[Any] | None:
    """Return the names of the columns of a table, None for anything else."""
    is_table = hasattr(value, "columns") and hasattr(value, "__getitem__")
    return list(value.columns) if is_table else None


def _array(name: str, value: Any) -> NDArray[Any]:
    """Return `value` as an array of any kind; nullable numbers of pandas as float64 with nan."""
    array = check_rectangular(name, value)
    if array.dtype.kind == "O" and getattr(getattr(value, "dtype", None), "kind", "O") in "biuf":
        return np.asarray(value.to_numpy(dtype=np.float64, na_value=np.nan))
    return array


def _column(name: str, table: Any, column: Any) -> FloatArray:
    """Return one column of a table as float64."""
    values = table[column]
    array = _array(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} has several columns named {column!r}: rename all but one")
    if _is_category(values) or array.dtype.kind not in "biuf":
        dtype = getattr(values, "dtype", array.dtype)
        remedy = (
            TIMES
            if _holds_times(name, values)
            else "turn it into numbers (a category into one column of 0 and 1 for each value, as "
            "pandas.get_dummies does), or leave it out"
        )
        raise TypeError(
            f"{name} has a column {column!r} of dtype {dtype}, but needs numbers: {remedy}"
        )
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float64)


def _check_filled(name: str, array: FloatArray, value: object, columns: list[Any] | None) -> None:
    """Raise ValueError with the first place of a number that is missing or infinite."""
    finite = np.isfinite(array)
    if not finite.all():
        row, column = (int(place) for place in np.argwhere(~finite)[0])
        where = column if columns is None else repr(columns[column])
        n_rows = int((~finite.all(axis=1)).sum())
        bad = "1 row has" if n_rows == 1 else f"{n_rows} rows have"
        given = np.asarray(value)
        one_axis = columns is None and given.ndim == 1
        code = f"{as_array(name, value)}{'' if columns is None else '.astype(float)'}"
        if given.dtype.kind == "O" and hasattr(value, "to_numpy"):
            code = as_numbers(name, value)
        keep, found = f"np.isfinite({code})", str(array[row, column])
        if given.dtype.kind == "f" and given.dtype.itemsize > array.itemsize:  # longdouble
            keep = f"(np.abs({as_array(name, value)}) <= np.finfo(float).max)"
            entry = given.reshape(array.shape)[row, column]
            found = f"{entry!s}, beyond float64 (about 1.8e308)," if np.isfinite(entry) else found
        raise ValueError(
            f"{name} contains {found} at row {row}, column {where} ({bad} such "
            "numbers): fill them, for example with the column's mean, or keep the other rows of "
            f"inputs and targets, keep = {keep}{'' if one_axis else '.all(axis=1)'}"
        )


def _objects(name: str, value: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of objects as text, booleans or integers, if all are of one type."""
    check_no_missing(name, value, array)
    kind = check_one_type(name, value, array)
    if issubclass(kind, str | bool | np.bool_):
        return np.array(array.tolist())
    if issubclass(kind, numbers.Number) and first_beyond(array) is None:
        raise TypeError(
            f"{name} has dtype object: give {as_array(name, value)}.astype(float) for numbers, "
            ".astype(int) for class labels"
        )
    raise TypeError(
        f"{name} has dtype {array.dtype}, but needs numbers or classes"
        f"{kind_remedy(name, value, array)}"
    )


def _labels(name: str, array: NDArray[Any]) -> tuple[IntArray, NDArray[Any]]:
    """Return labels 0, 1, ... and the classes in increasing order."""
    if array.dtype.kind in "fmM" and not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(
            f"{name} is {array[place]} at row {place}: leave out the samples without a class"
        )
    classes, labels = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{name} has the one class {classes.tolist()[0]!r}, but a network needs "
            "at least two to tell apart"
        )
    return labels.astype(np.intp), classes


def _check_no_numbers(name: str, value: object, array: NDArray[Any]) -> None:
    """Raise ValueError where text is that of numbers, most of which are different.

    Integers become text to be classes; then two of them must be equal.
    """
    texts = np.unique(array)
    if 2 * len(texts) <= len(array):
        return
    try:
        values = texts.astype(float)
    except ValueError:
        return
    if len(texts) < len(array) and (values == np.round(values)).all():
        return
    raise ValueError(
        f"{name} is text of {len(texts)} different numbers in {len(array)} rows, and text is for "
        f"classes: for regression give {as_array(name, value)}.astype(float)"
    )


def _check_repeated(name: str, value: object, n: int, n_classes: int) -> None:
    """Raise ValueError where integers are probably counts or measurements, by the rule above."""
    least = 2 if n_classes <= FEW_CLASSES else SAMPLES_A_CLASS
    if n < least * n_classes:
        code = as_array(name, value)
        raise ValueError(
            f"{name} holds {n_classes} different integers in {n} rows, and integers are class "
            f"labels if each occurs at least {least} times on average: for regression give "
            f"{code}.astype(float), for classes {code}.astype(str)"
        )
