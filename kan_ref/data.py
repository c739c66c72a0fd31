"""The samples that every fit takes: training and test points, with their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray, Record

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


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
        Only to report errors, which are nan without test samples, ``x_train[:0]``.
    names : sequence of str, optional
        One for each input, for formulas and pictures; for a table in the order of its columns,
        whose names are taken by default if all of them are text.
    classes : (n_classes,), optional
        What the labels stand for, all different: label b is `classes[b]`.

    Raises
    ------
    ValueError
        "y_train has shape (3,), but needs shape (n_train, n_out): give y_train[:, None]"; "y_test
        has 4 rows, but x_test has 5"; "x_train contains nan at row 3, column 0"; an x_test with
        other columns than x_train, or in another order
    TypeError
        "x_train has dtype object, but needs real numbers"

    Notes
    -----
    Arrays are stored as float64. C-contiguous float64 arrays and integer labels are not copied, so
    later changes of them change the data. `Data.split` makes the four arrays of x and y.

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
    names: tuple[str, ...] | None = None
    classes: NDArray[Any] | None = None

    if TYPE_CHECKING:  # the arguments may be lists, Series or tensors; the attributes are arrays

        def __init__(
            self,
            x_train: ArrayLike,
            y_train: ArrayLike,
            x_test: ArrayLike,
            y_test: ArrayLike,
            names: Sequence[str] | None = None,
            classes: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        headers, test_inputs = checks.column_names(self.x_train), self.x_test
        if headers is not None:
            checks.same_columns("x_test", test_inputs, headers)
        for part in ("train", "test"):
            for letter, columns in (("x", "n_in"), ("y", "n_out")):
                name = f"{letter}_{part}"
                object.__setattr__(
                    self,
                    name,
                    _samples(name, getattr(self, name), letter, (f"n_{part}", columns)),
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
        if self.names is not None:
            names = checks.names("names", self.names, self.x_train.shape[1])
            checks.new_names(names, headers)
            if headers is None:
                checks.same_columns("x_test", test_inputs, names)
            object.__setattr__(self, "names", names)
        elif headers is not None:
            object.__setattr__(self, "names", checks.input_names(headers))
        if self.classes is not None:
            object.__setattr__(self, "classes", _classes(self.classes, self))

    def __repr__(self) -> str:
        parts = [f"{name} {getattr(self, name).shape}" for name in ARRAYS]
        if self.names is not None:
            parts.append(f"names {self.names}")
        if self.classes is not None:
            parts.append(f"classes {tuple(self.classes.tolist())}")
        return f"Data({', '.join(parts)})"

    @classmethod
    def split(
        cls, x: ArrayLike, y: ArrayLike, *, test_share: float = 0.2, rng: np.random.Generator
    ) -> "Data":
        """Split samples at random into a training and a test part.

        Parameters
        ----------
        x : (n, n_in) array_like or table
            An array, a list, a tensor or a DataFrame. Booleans count as 0 and 1; categories must
            become columns of numbers first. Column names become `names`, if all of them are text;
            line breaks and spaces at their ends are left out.
        y : (n,) or (n, n_out) array_like or table
            Numbers become columns (n, n_out). With one axis, text, booleans and integers are
            classes: they become labels 0, 1, ..., and `classes` holds what they stand for, in
            increasing order, text alphabetically.
            For regression on integers give ``y.astype(float)``; integers whose values hardly repeat
            raise an error that says so. Whole numbers stored as float are numbers.
        test_share : float
            Of the samples, 0 to 1; each part gets at least one.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        data : Data
            In each part the samples keep their order. Of every class, the rounded share is in the
            test part: at least one sample and not all of them. A class with one sample is in the
            training part.

        Raises
        ------
        TypeError
            "x['sex'] has dtype object, but needs real numbers"
        ValueError
            "x['age'] contains nan at position 3, but needs finite numbers"; "y has 4 rows, but x
            has 5"; a wrong shape; fewer than two samples or two classes.

        Notes
        -----
        Rows belong together by their places; row labels of tables are not compared. The split is
        random. Where neighbouring samples resemble each other, as in time series,
        build `Data` from a part of your choice.

        Examples
        --------
        >>> x = np.arange(20.0).reshape(10, 2)
        >>> Data.split(x, x.sum(axis=1), rng=np.random.default_rng(0))
        Data(x_train (8, 2), y_train (8, 1), x_test (2, 2), y_test (2, 1))
        >>> data = Data.split(x, ["yes", "no"] * 5, rng=np.random.default_rng(0))
        >>> data
        Data(x_train (8, 2), y_train (8,), x_test (2, 2), y_test (2,), classes ('no', 'yes'))
        >>> data.classes[data.y_test].tolist()
        ['yes', 'no']
        """
        share = checks.number("test_share", test_share, low=0.0, high=1.0)
        rng = checks.generator("rng", rng)
        samples, names = checks.read_inputs("x", x)
        targets, classes = checks.read_targets("y", y)
        if len(samples) != len(targets):
            raise ValueError(f"y has {len(targets)} rows, but x has {len(samples)}")
        if len(samples) < 2:
            raise ValueError(f"x has shape {samples.shape}, but a split needs at least 2 samples")
        test = _test_places(targets if classes is not None else None, len(samples), share, rng)
        train = np.delete(np.arange(len(samples)), test)
        return cls(samples[train], targets[train], samples[test], targets[test], names, classes)


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
    x_train, y_train, x_test, y_test = (getattr(data, name) for name in ARRAYS)
    names, classes = getattr(data, "names", None), getattr(data, "classes", None)
    return Data(x_train, y_train, x_test, y_test, names, classes)


def check_arrays(data: object) -> None:
    """Raise TypeError if `data` lacks one of the four arrays."""
    for name in ARRAYS:
        if not hasattr(data, name):
            kind = type(data).__name__
            raise TypeError(
                f"data is a {kind} without attribute {name}, but needs {', '.join(ARRAYS)} "
                "(as kan_ref.Data has them; kan_ref.Data.split(x, y, rng=rng) splits x and y)"
            )


def _samples(name: str, value: object, letter: str, axes: tuple[str, str]) -> NDArray[Any]:
    """Return `value` with two axes, or integer labels y. Test samples may be none."""
    found = checks.rectangular(name, value)
    least = 0 if name.endswith("test") else 1
    if letter == "y" and found.ndim == 1 and found.dtype.kind in "iu" and found.size >= least:
        return found
    array = checks.array(name, value, axes)
    if len(array) < least or not array.shape[1]:
        rows = "one row and " if least else ""
        raise ValueError(f"{name} has shape {array.shape}, but needs at least {rows}one column")
    return array


def _classes(classes: object, data: Data) -> NDArray[Any]:
    """Return the classes of the labels `data.y_train` and `data.y_test` as an array."""
    found = checks.rectangular("classes", classes).copy()
    if found.ndim != 1 or len(set(found.tolist())) != len(found) or data.y_train.ndim != 1:
        checks.fail("classes", classes, "must be different classes, with integer labels y (n,)")
    for name in ("y_train", "y_test"):
        labels = getattr(data, name)
        if labels.size and (labels.min() < 0 or labels.max() >= len(found)):
            raise ValueError(
                f"{name} has labels {labels.min()} to {labels.max()}, but {len(found)} classes "
                f"have labels 0 to {len(found) - 1}"
            )
    return found


def check_loss(data: object, loss: object) -> None:
    """Raise ValueError if labels that stand for `classes` are to be fitted as numbers."""
    classes = getattr(data, "classes", None)
    if classes is not None and loss != "cross_entropy":
        raise ValueError(
            f"loss is {loss!r}, but the data hold labels of {len(classes)} classes: give "
            "loss='cross_entropy', or split y.astype(float) for regression"
        )


def _test_places(
    labels: NDArray[Any] | None, n: int, share: float, rng: np.random.Generator
) -> IntArray:
    """Return the sorted places of the test part; with labels, a share of each class."""
    order = rng.permutation(n)
    if labels is None:
        return np.sort(order[: min(max(round(share * n), 1), n - 1)])
    chosen = []
    for label in np.unique(labels):
        own = order[labels[order] == label]
        n_out = min(max(round(share * len(own)), 1), len(own) - 1)
        chosen.append(own[:n_out])
    places: IntArray = np.sort(np.concatenate(chosen))
    if not len(places):
        raise ValueError("each class of y has one sample, but a split needs a class with two")
    return places


def _agree(data: Data, name: str, other: str, *, axis: int) -> None:
    """Raise ValueError if two arrays differ in their number of rows (0) or columns (1)."""
    n, m = getattr(data, name).shape[axis], getattr(data, other).shape[axis]
    if n != m:
        raise ValueError(f"{name} has {n} {('rows', 'columns')[axis]}, but {other} has {m}")
