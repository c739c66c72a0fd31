"""Remedies for arrays: the code in a message, run as it is, gives an array that passes."""

import ast
import re

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from refusals import CLASSES, LABELS, NET, X, Y, data

import kan_ref as kr
from kan_ref.checks import check_float_array
from kan_ref.checks.other_names import VALUES


class Series:
    """An array that is not an ndarray, as pandas and PyTorch have them."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.ndim, self.dtype, self.shape = self.values.ndim, "of their own", self.values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype) if dtype else self.values

    def __len__(self):
        return len(self.values)


class Frame(Series):
    """Named columns of several kinds, as a DataFrame has them."""

    def __init__(self, **columns):
        parts = {name: np.asarray(column) for name, column in columns.items()}
        super().__init__(np.column_stack([part.astype(object) for part in parts.values()]))
        self.columns, self.dtypes = list(parts), [part.dtype for part in parts.values()]


class Sparse:
    """A sparse matrix, which NumPy does not read."""

    def toarray(self):
        return X


def code_at(text, names):
    """The longest code at the beginning of a text that uses these names, or None."""
    for end in range(len(text), 0, -1):
        try:
            tree = ast.parse(text[:end], mode="eval")
        except SyntaxError:
            continue
        if {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= names:
            return text[:end].rstrip(", ")
    return None


def remedies(message, **names):
    """The values of all code in a message, which follows "give", "write", "with" or "labels"."""
    texts = re.split(r"\b(?:give|write|with|labels) ", message)[1:]
    codes = [code_at(text, {"np", "float", "int", *names}) for text in texts]
    return [eval(code, {"np": np, **names}) for code in codes if code is not None]


def refusal(call, *args, **kwargs):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*args, **kwargs)
    return str(caught.value)


@given(
    array_shapes(min_dims=0, max_dims=3, max_side=4),
    st.lists(
        st.integers(1, 4) | st.sampled_from(["batch", "n_in", "n_out"]), min_size=1, max_size=3
    ),
    st.sampled_from([np.asarray, np.ndarray.tolist, Series]),
)
def test_the_remedy_for_a_shape_gives_the_shape(came, wanted, kind):
    value, message = kind(np.ones(came)), ""
    try:
        check_float_array("x", value, wanted)
    except ValueError as error:
        message = str(error)
    results = remedies(message, x=value)

    assert len(results) == message.count("give")
    assert all(check_float_array("x", result, wanted).size for result in results)


@pytest.mark.parametrize(
    ("came", "wanted", "remedy"),
    [
        ((6,), ("batch", 1), "x[:, None]"),
        ((6,), ("batch", "n_in"), "x[:, None] for one input"),
        ((2,), ("batch", 2), "x[None, :] for one sample"),
        ((2, 6), ("batch", 2), "x.T"),
        ((6, 1), ("n",), "x.reshape(-1)"),
    ],
)
def test_a_shape_that_is_nearly_right_has_a_remedy(came, wanted, remedy):
    message = refusal(check_float_array, "x", np.ones(came), wanted)

    assert message.endswith(f": give {remedy}")


@for_all(
    "value",
    [
        X + 0j,
        X.astype(str),
        X.astype(object),
        X.astype(object).tolist(),
        X > 0.0,
        (X > 0.0).tolist(),
        Sparse(),
        Series(X.astype(str)),
        np.ma.masked_greater(X, 0.5),
    ],
    ids=[
        "complex",
        "texts of numbers",
        "objects",
        "real",
        "booleans",
        "lists of booleans",
        "sparse",
        "series of texts",
        "masked",
    ],
)
def test_the_remedy_for_a_kind_gives_an_array_that_passes(value):
    if isinstance(value, list) and not isinstance(value[0][0], bool):
        assert check_float_array("x", value, ("batch", 2)).shape == X.shape
        return
    results = remedies(refusal(check_float_array, "x", value, ("batch", 2)), x=value)

    assert results
    for result in results:
        assert check_float_array("x", result, ("batch", 2)).shape[1] == 2


@pytest.mark.parametrize(
    ("entry", "words"),
    [(None, "is None"), ("red", "is 'red'"), (True, "is True"), (1j, "is 1j"), ([1], r"is \[1\]")],
)
def test_among_objects_the_first_that_is_no_real_number_is_named(entry, words):
    objects = X.astype(object)
    objects[4, 1] = objects[5, 0] = entry

    with pytest.raises(TypeError, match=rf"^x has dtype object, .*: x\[4, 1\] {words}$"):
        kr.forward(NET, objects)


@pytest.mark.parametrize(
    ("column", "dtype"), [(["a"] * 6, "<U1"), ([True] * 6, "bool"), ([None] * 6, "object")]
)
def test_the_column_of_a_table_that_is_no_column_of_numbers_is_named(column, dtype):
    table = Frame(age=np.arange(6), kind=column)

    with pytest.raises(TypeError, match=rf": its column 'kind' has dtype {dtype}, which has to"):
        kr.Data(table, Y, X, Y)


@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_masked_numbers_are_never_used(mask):
    masked = np.ma.array(X, mask=np.reshape(mask, X.shape))
    rows = [masked[i] for i in range(len(X))]
    calls = [
        lambda: kr.forward(NET, masked)[0],
        lambda: kr.forward(NET, rows)[0],
        lambda: kr.Data(masked, Y, X, Y).x_train,
        lambda: kr.fit(NET, data(x_train=masked), n_steps=0),
        lambda: kr.uniform_knots(masked[0] - 2.0, 2.0, 3, 3),
    ]
    hit = [any(mask)] * 4 + [any(mask[:2])]

    for call, wrong in zip(calls, hit, strict=True):
        if wrong:
            assert "has masked numbers, but every number counts here: fill them" in refusal(call)
        else:
            assert call() is not None


def test_masked_labels_are_never_used():
    masked = np.ma.array(LABELS, mask=LABELS == 2)

    for make in (
        kr.Data,
        lambda *parts: kr.fit(CLASSES, data(y_train=parts[1]), loss="cross_entropy"),
    ):
        message = refusal(make, X, masked, X, LABELS)
        assert message.startswith("y_train has masked numbers")
        assert all(not np.ma.is_masked(result) for result in remedies(message, y_train=masked))


TARGETS = {
    "integers": LABELS,
    "list of integers": LABELS.tolist(),
    "series of integers": Series(LABELS),
    "bytes": LABELS.astype(np.uint8),
    "whole numbers": LABELS.astype(float),
    "list of whole numbers": LABELS.astype(float).tolist(),
    "series of whole numbers": Series(LABELS.astype(float)),
    "booleans": LABELS > 0,
    "texts": np.array(["red", "green", "blue"])[LABELS],
    "list of texts": np.array(["red", "green", "blue"])[LABELS].tolist(),
    "series of texts": Series(np.array(["red", "green", "blue"])[LABELS].astype(object)),
    "column of integers": LABELS[:, None],
    "column of whole numbers": LABELS[:, None].astype(float),
    "list of columns": LABELS[:, None].tolist(),
    "column of texts": np.array(["red", "green", "blue"])[LABELS][:, None],
    "one column for each class": np.eye(3)[LABELS],
}


def classes_after_remedies(y, make):
    """Targets that `make` takes as classes: `y` after at most three remedies of its messages."""
    for _ in range(4):
        try:
            make(y)
        except (TypeError, ValueError) as error:
            name = str(error).partition(" ")[0]
            y = remedies(str(error), **{name: y})[-1]
        else:
            return y
    raise AssertionError("the remedies lead nowhere")


@for_all("y", TARGETS.values(), ids=TARGETS)
def test_remedies_lead_from_any_targets_to_classes_that_train(y):
    def train(y):
        kr.fit(CLASSES, data(y_train=y, y_test=y), loss="cross_entropy", n_steps=0)

    labels = classes_after_remedies(y, train)

    assert np.asarray(labels).dtype.kind in "iu"
    assert np.shape(labels) == (6,)


@for_all("name", [name for name, y in TARGETS.items() if np.ndim(y) == 1])
def test_remedies_of_data_and_of_the_loss_agree(name):
    y = classes_after_remedies(TARGETS[name], lambda y: kr.Data(X, y, X, y))

    run = kr.fit(CLASSES, kr.Data(X, y, X, y), loss="cross_entropy", n_steps=0)

    assert np.isfinite(run.history.train_loss).all()


@for_all("name", [name for name, y in TARGETS.items() if np.ndim(y) == 1])
def test_with_a_loss_of_numbers_one_axis_has_a_column_or_the_loss_of_classes_as_remedy(name):
    y = TARGETS[name]
    message = refusal(kr.value_and_grad, NET, X, y)
    texts = np.asarray(y).dtype.kind in "UO"

    assert ("loss='cross_entropy'" in message) == (np.asarray(y).dtype.kind != "f")
    if texts:
        labels = remedies(message, y=y)[-1]
        assert kr.value_and_grad(CLASSES, X, labels, "cross_entropy")[0] > 0.0
    else:
        column = remedies(message, y=y)[0]
        if column.dtype != bool:
            assert kr.value_and_grad(NET, X, column)[0] > 0.0


@pytest.mark.parametrize(
    ("loss", "remedy"),
    [
        ("mae", ": a loss of absolute errors is not offered; 'mse' is the loss for numbers"),
        ("Huber", ": a loss of absolute errors is not offered; 'mse' is the loss for numbers"),
        ("RMSE", ": write 'mse'"),
        ("BCE", ": the loss for classes is 'cross_entropy', for answers 0 and 1 'logistic'"),
        ("MSE", " (did you mean 'mse'?)"),
        ("focal", ""),
    ],
)
def test_another_loss_is_answered_with_the_losses_and_what_is_offered_instead(loss, remedy):
    message = refusal(kr.value_and_grad, NET, X, Y, loss)

    assert message.partition("'logistic'")[0] == (
        f"loss is {loss!r}, but must be one of 'mse', 'cross_entropy', "
    )
    assert message.partition("'cross_entropy', 'logistic'")[2] == remedy


def test_every_value_that_leads_to_an_option_leads_to_one_that_exists():
    options = {"loss": ("mse", "cross_entropy", "logistic")}

    for (name, value), words in VALUES.items():
        assert value == value.lower()
        assert any(repr(option) in words for option in options[name])


@pytest.mark.parametrize(
    ("call", "attribute"),
    [
        (lambda: kr.prune(NET, data()), "x_train"),
        (lambda: NET(data()), "x_train"),
        (lambda: kr.value_and_grad(NET, X, data()), "y_train"),
    ],
)
def test_data_in_the_place_of_an_array_lead_to_their_attribute(call, attribute):
    assert refusal(call).endswith(f"whose training samples are its .{attribute}")


@pytest.mark.parametrize("part", ["x_train", "y_train", "x_test", "y_test"])
def test_a_part_that_is_missing_is_asked_for(part):
    message = refusal(kr.Data, **{**vars(data()), part: None})

    assert message.startswith(f"{part} is None, but needs shape (n_")
    assert ("train again" in message) == part.endswith("test")


def test_two_samples_of_two_inputs_in_the_place_of_bounds_are_sent_to_x():
    samples = np.array([[0.3, 0.5], [0.1, -0.2]])
    options = {"n_intervals": 3, "degree": 3, "rng": np.random.default_rng(0)}

    message = refusal(kr.init_network, (2, 1), domain=samples, **options)

    assert message == (
        "domain is 0.1 to -0.2 at input 1, but low must lie below high: shape (2, 2) is bounds, "
        "and samples of this shape are given as x="
    )
    assert kr.init_network((2, 1), domain=(-1.0, 1.0), x=samples, **options).widths == (2, 1)
