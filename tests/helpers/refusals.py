"""A table of what every public function refuses, and the bad values that fill it."""

from types import SimpleNamespace

import numpy as np

import kan_ref as kr

RNG = np.random.default_rng
X = np.linspace(-0.9, 0.9, 12).reshape(6, 2)
Y = X[:, :1] * X[:, 1:]
LABELS = np.array([0, 1, 2, 0, 1, 2])
KNOTS = np.linspace(-2.0, 2.0, 11)
NET = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
CLASSES = kr.init_network((2, 3), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
SMALL_MLP = kr.init_mlp((2, 3, 1), activation="tanh", rng=RNG(0))
CURVED = kr.init_lan((2, 3, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
CACHES = kr.forward(NET, X)[1]
BOWL = lambda theta: (float(theta @ theta), 2.0 * theta)  # noqa: E731
LINES = lambda theta: (theta - 1.0, np.eye(len(theta)))  # noqa: E731
LAYER = {
    name: getattr(NET.layers[0], name)
    for name in ("knots", "coef", "w_base", "w_spline", "mask", "degree", "base")
}


def spoiled(array, value):
    copy = np.array(array, dtype=float)
    copy.flat[1] = value
    return copy


def bad_batches(good, columns=True):
    """Name of the defect -> an array that no function may take for `good`."""
    n = good.shape[-1]
    cases = {
        "nan": spoiled(good, np.nan),
        "inf": spoiled(good, -np.inf),
        "text": np.full(good.shape, "a"),
        "objects": np.full(good.shape, None),
        "complex": good + 1j,
        "three axes": good[None],
        "ragged": [[1.0] * n, [1.0] * (n + 1)],
        "none": None,
        "rows of text": np.full(good.shape, "1").tolist(),
        "objects of numbers": good.astype(object),
    }
    return cases | ({"flat": good[0], "too wide": np.ones((len(good), n + 1))} if columns else {})


def data(**changes):
    return SimpleNamespace(**({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y} | changes))


def init(**changes):
    return kr.init_network(
        **(
            {"widths": (2, 1), "n_intervals": 4, "degree": 3, "domain": (-1.0, 1.0), "rng": RNG(0)}
            | changes
        )
    )


def starts(function, **changes):
    settings = {
        "widths": (2, 1),
        "data": data(),
        "n_intervals": 3,
        "degree": 3,
        "n_starts": 1,
        "n_steps": 1,
        "rng": RNG(0),
    } | changes
    return function(settings.pop("widths"), settings.pop("data"), **settings)


# (name of the public function: defect) -> (argument that the sentence has to name, call)
REFUSED = {}


def refuse(function, argument, call, **values):
    for defect, value in values.items():
        REFUSED[f"{function}: {argument} {defect}"] = (argument, call, value)


# bad settings by kind
counts = {"zero": 0, "negative": -1, "half": 2.5, "text": "3", "true": True, "none": None}
degrees = {"negative": -1, "half": 2.5, "text": "3", "none": None}
widths = {
    "one": (2,),
    "none at all": (),
    "zero": (2, 0),
    "negative": (2, -1),
    "half": (2, 1.5),
    "text": "21",
    "number": 2,
}
places = {"negative": -1, "large": 9, "half": 0.5, "text": "0"}
numbers = {"negative": -1.0, "nan": np.nan, "inf": np.inf, "text": "1", "array": np.ones(2)}
names = {"unknown": "nonsense", "number": 3, "empty": ""}
generators = {"seed": 0, "none": None, "old": np.random.RandomState(0)}
