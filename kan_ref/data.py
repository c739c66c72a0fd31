"""The samples that every fit takes: training and test points, with their values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray, Record

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Data(Record):
    """Training and test samples: four arrays of finite numbers.

    Parameters
    ----------
    x_train : (n_train, n_in)
        None, ``x[:0]``, where differential equations take the place of samples.
    y_train : (n_train, n_out)
        One column for each output; or integer class labels of shape (n_train,).
    x_test : (n_test, n_in)
    y_test : (n_test, n_out), or (n_test,) of int
        Only to report errors, which are nan without test samples, ``x[:0]``.
    names : sequence of str, optional
        One for each input, for formulas and pictures; by default the column names of a
        table.
    classes : (n_classes,), optional
        What the labels stand for, all different: label b is `classes[b]`.

    Notes
    -----
    Arrays are stored as float64. C-contiguous float64 arrays and integer labels are not
    copied, so later changes of them change the data. `Data.split` makes the four arrays
    of x and y.

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
    names: tuple[str, ...] | None
    classes: NDArray[Any] | None

    def __init__(
        self,
        x_train: object,
        y_train: object,
        x_test: object,
        y_test: object,
        names: object = None,
        classes: object = None,
    ) -> None:
        x, headers = checks.read_inputs("x_train", x_train)
        n_in, known = x.shape[1], headers
        if names is not None:
            known = checks.names("names", names, n_in)
            checks.new_names(known, headers)
        if known is not None:
            checks.same_columns("x_test", x_test, headers or known)
        test, _ = checks.read_inputs("x_test", x_test)
        test = checks.array("x_test", test, ("n_test", n_in))

        y = _targets("y_train", y_train, len(x), "n_out")
        n_out = y.shape[1] if y.ndim == 2 else None
        y_test = _targets("y_test", y_test, len(test), n_out)
        found = None if classes is None else _classes(classes, y, y_test)

        arrays = zip(ARRAYS, (x, y, test, y_test), strict=True)
        fields = dict(arrays, names=known, classes=found)
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        parts = [f"{name} {getattr(self, name).shape}" for name in ARRAYS]
        if self.names is not None:
            parts.append(f"names {self.names}")
        if self.classes is not None:
            parts.append(f"classes {tuple(self.classes.tolist())}")
        return f"Data({', '.join(parts)})"

    @classmethod
    def split(
        cls, x: object, y: object, *, test_share: float = 0.2, rng: np.random.Generator
    ) -> "Data":
        """Split samples at random into a training and a test part.

        Parameters
        ----------
        x : (n, n_in) array_like or table
            An array, a list, a tensor or a DataFrame, whose column names become
            `names`. Booleans count as 0 and 1; categories must become columns of
            numbers first.
        y : (n,) or (n, n_out) array_like or table
            Numbers become columns (n, n_out). With one axis, text, booleans and
            integers are classes: they become labels 0, 1, ..., and `classes` holds what
            they stand for, in increasing order. For regression on integers give
            ``y.astype(float)``.
        test_share : float
            Of the samples, 0 to 1; each part gets at least one.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        data : Data
            In each part the samples keep their order. Of every class, the rounded share
            is in the test part: at least one sample and not all of them. A class with
            one sample is in the training part.

        Notes
        -----
        The split is random. Where neighbouring samples resemble each other, as in time
        series, build `Data` from a part of your choice.

        Examples
        --------
        >>> x = np.arange(20.0).reshape(10, 2)
        >>> data = Data.split(x, ["yes", "no"] * 5, rng=np.random.default_rng(0))
        >>> data.x_train.shape, data.y_train.shape, data.classes.tolist()
        ((8, 2), (8,), ['no', 'yes'])
        >>> data.classes[data.y_test].tolist()
        ['yes', 'no']
        """
        share = checks.number("test_share", test_share, low=0.0, high=1.0)
        rng = checks.generator("rng", rng)
        samples, names = checks.read_inputs("x", x)
        targets, classes = checks.read_targets("y", y)
        n = len(samples)
        if len(targets) != n or n < 2:
            raise ValueError(
                f"x has {n} rows and y {len(targets)}: give 2 or more, the same in both"
            )
        labels = np.zeros(n) if classes is None else targets
        test = _test_places(labels, share, rng)
        train = np.delete(np.arange(n), test)
        return cls(
            samples[train], targets[train], samples[test], targets[test], names, classes
        )


def check_data(data: object, least: int = 0) -> Data:
    """Return what has the four arrays as `Data`, with `least` rows of `x_train`."""
    if not all(hasattr(data, name) for name in ARRAYS):
        rule = f"needs {', '.join(ARRAYS)}, as kan_ref.Data.split makes them"
        checks.fail("data", data, rule, TypeError)
    if not isinstance(data, Data):
        rest = (getattr(data, name, None) for name in ("names", "classes"))
        data = Data(*(getattr(data, name) for name in ARRAYS), *rest)
    if len(data.x_train) < least:
        raise ValueError(
            f"data has {len(data.x_train)} rows of x_train, but needs {least} or more"
        )
    return data


def check_loss(data: object, loss: object) -> None:
    """Raise ValueError if labels that stand for classes would be fitted as numbers."""
    if getattr(data, "classes", None) is not None and loss != "cross_entropy":
        checks.fail(
            "loss",
            loss,
            "the data hold classes: give 'cross_entropy' or y.astype(float)",
        )


def _targets(name: str, value: object, n: int, n_out: int | str | None) -> NDArray[Any]:
    """Return `value` as columns (n, n_out), or labels (n,) if n_out is no number."""
    found = checks.rectangular(name, value)
    if found.ndim == 1 and found.dtype.kind in "iu" and not isinstance(n_out, int):
        checks.array(name, found, (n,))
        return found
    if n_out is None:
        checks.fail(name, value, "must be integer labels (n_test,), as y_train")
    return checks.array(name, found, (n, n_out))


def _classes(classes: object, *labels: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of the classes of labels, else raise."""
    found = checks.rectangular("classes", classes).copy()
    if found.ndim != 1 or len(set(found.tolist())) != len(found) or labels[0].ndim != 1:
        checks.fail(
            "classes", classes, "must be different classes, with integer labels y (n,)"
        )
    for one in labels:
        if one.size and not 0 <= one.min() <= one.max() < len(found):
            checks.fail(
                "classes", classes, f"the labels go from {one.min()} to {one.max()}"
            )
    return found


def _test_places(
    labels: NDArray[Any], share: float, rng: np.random.Generator
) -> IntArray:
    """Return the sorted places of the test part, a share of each class."""
    order = rng.permutation(len(labels))
    chosen = []
    for label in np.unique(labels):
        own = order[labels[order] == label]
        chosen.append(own[: min(max(round(share * len(own)), 1), len(own) - 1)])
    places: IntArray = np.sort(np.concatenate(chosen))
    if not len(places):
        raise ValueError(
            "y has one sample of each class, but a split needs a class with two"
        )
    return places
