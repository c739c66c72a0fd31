"""Input validation of every public function: bad arguments raise one message, unusual valid ones give numbers."""

import re
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import refusals_topics
from cases import for_all
from checkout import ROOT
from refusals import (
    BOWL,
    CACHES,
    CLASSES,
    CURVED,
    KNOTS,
    LABELS,
    LAYER,
    LINES,
    NET,
    REFUSED,
    RNG,
    SMALL_MLP,
    X,
    Y,
    bad_batches,
    counts,
    data,
    degrees,
    generators,
    init,
    names,
    numbers,
    places,
    refuse,
    starts,
    widths,
)

import kan_ref as kr

on_x = {
    "forward": lambda v: kr.forward(NET, v),
    "Network": lambda v: NET(v),
    "MLP": lambda v: SMALL_MLP(v),
    "LAN": lambda v: CURVED(v),
    "update_lan_grids": lambda v: kr.update_lan_grids(CURVED, v),
    "lan_from_mlp": lambda v: kr.lan_from_mlp(SMALL_MLP, v, n_intervals=3, degree=3),
    "value_and_grad": lambda v: kr.value_and_grad(NET, v, Y),
    "edge_outputs": lambda v: kr.edge_outputs(NET, v),
    "edge_scores": lambda v: kr.edge_scores(NET, v),
    "distance": lambda v: kr.distance(NET, NET, v),
    "check_gradients": lambda v: kr.check_gradients(NET, v, rng=RNG(0)),
    "update_grid": lambda v: kr.update_grid(NET, v),
}
by_input = (kr.input_jacobian, kr.input_hessian, kr.input_laplacian)
on_x |= {f.__name__: lambda v, f=f: f(NET, v) for f in by_input}
for function, call in on_x.items():
    refuse(function, "x", call, **bad_batches(X))
for function in by_input:
    name = function.__name__
    refuse(
        name,
        "x",
        lambda v, f=function: f(SMALL_MLP, v),
        perceptron_nan=X * np.nan,
        perceptron_wide=np.ones((2, 3)),
    )
    refuse(
        name, "network", lambda v, f=function: f(v, X), text="net", layer=NET.layers[0], none=None
    )
extended = bad_batches(X)
del extended["none"]  # extend_grid takes None for "no samples"
refuse("extend_grid", "x", lambda v: kr.extend_grid(NET, v, n_intervals=7), **extended)
refuse(
    "value_and_grad",
    "y",
    lambda v: kr.value_and_grad(NET, X, v),
    **bad_batches(Y),
    column=Y[:, 0],
    lengths=Y[:3],
    labels=LABELS,
)
refuse(
    "value_and_grad",
    "y",
    lambda v: kr.value_and_grad(CLASSES, X, v, "cross_entropy"),
    large=LABELS + 1,
    small=LABELS - 1,
    real=LABELS * 1.0,
)
refuse("backward", "dy", lambda v: kr.backward(NET, CACHES, v), **bad_batches(Y), lengths=Y[:3])
refuse(
    "backward",
    "caches",
    lambda v: kr.backward(NET, v, Y),
    few=CACHES[:1],
    turned=CACHES[::-1],
    text="ab",
    none=None,
    grid=kr.forward(init(widths=(2, 3, 1), n_intervals=5), X)[1],
    batch=(CACHES[0], kr.forward(NET, X[:3])[1][1]),
)
for part in ("x_train", "y_train", "x_test", "y_test"):
    good = X if part[0] == "x" else Y
    refuse(
        "fit",
        part,
        lambda v, part=part: kr.fit(NET, data(**{part: v}), n_steps=1),
        **bad_batches(good),
        column=good[:, 0],
        rows=good[:0],
    )
    free = bad_batches(good)
    if part == "y_train" or part == "x_train":
        del free["too wide"]  # the other part is then named
    refuse(
        "Data",
        part,
        lambda v, part=part: kr.Data(**vars(data(**{part: v}))),
        **free,
        column=good[:, 0],
        lengths=good[:3],
        rows=good[:0],
    )

# models where a network is wanted
on_network = {
    "forward": lambda v: kr.forward(v, X),
    "backward": lambda v: kr.backward(v, CACHES, Y),
    "check_gradients": lambda v: kr.check_gradients(v, X, rng=RNG(0)),
    "edge_curve": lambda v: kr.edge_curve(v, 0, output=0, input=0, x=np.zeros(2)),
    "edge_outputs": lambda v: kr.edge_outputs(v, X),
    "edge_scores": lambda v: kr.edge_scores(v, X),
    "extend_grid": lambda v: kr.extend_grid(v, n_intervals=8),
    "update_grid": lambda v: kr.update_grid(v, X),
    "mask_edges": lambda v: kr.mask_edges(v, 0, np.ones((3, 2))),
    "save": lambda v: kr.save(v, "never.npz"),
}
for function, call in on_network.items():
    refuse(function, "network", call, mlp=SMALL_MLP, text="net", none=None)
refuse("fit", "network", lambda v: kr.fit(v, data()), text="net", layer=NET.layers[0], none=None)
refuse(
    "value_and_grad",
    "network",
    lambda v: kr.value_and_grad(v, X, Y),
    text="net",
    layer=NET.layers[0],
    none=None,
)
for function in ("edge_scores", "distance", "check_gradients"):
    refuse(function, "x", on_x[function], rows=X[:0])
refuse("distance", "old", lambda v: kr.distance(v, NET, X), text="net", none=None)
refuse(
    "distance",
    "new",
    lambda v: kr.distance(NET, v, X),
    text="net",
    none=None,
    other=init(widths=(2, 2)),
)

# settings
refuse("init_network", "widths", lambda v: init(widths=v), **widths)
refuse("init_network", "n_intervals", lambda v: init(n_intervals=v), **counts)
refuse("init_network", "degree", lambda v: init(degree=v), **degrees)
refuse(
    "init_network",
    "domain",
    lambda v: init(domain=v),
    falling=(1.0, -1.0),
    nan=(np.nan, 1.0),
    text=("a", "b"),
    number=1.0,
    none=None,
    three=(-1.0, 0.0, 1.0),
    columns=np.zeros((4, 3)),
    rows=X[:0],
    bounds=[[0.0, 1.0], [2.0, 2.0]],
)
refuse("init_network", "x", lambda v: init(x=v), rows=X[:0], columns=X[:, :1], nan=X * np.nan)
refuse("init_network", "base", lambda v: init(base=v), **names)
refuse("init_network", "rng", lambda v: init(rng=v), **generators)
refuse("init_mlp", "widths", lambda v: kr.init_mlp(v, activation="tanh", rng=RNG(0)), **widths)
refuse("init_mlp", "activation", lambda v: kr.init_mlp((2, 1), activation=v, rng=RNG(0)), **names)
refuse("init_mlp", "rng", lambda v: kr.init_mlp((2, 1), activation="tanh", rng=v), **generators)
refuse(
    "MLP",
    "weights",
    lambda v: kr.MLP(v, (np.ones(1),), "tanh"),
    number=3,
    none=None,
    empty=(),
    flat=(np.ones(2),),
    text=([["a", "b"]],),
)
refuse(
    "MLP",
    "biases",
    lambda v: kr.MLP((np.ones((1, 2)),), v, "tanh"),
    number=3,
    none=None,
    long=(np.ones(2),),
    nan=([np.nan],),
)
refuse("MLP", "activation", lambda v: kr.MLP((np.ones((1, 2)),), (np.ones(1),), v), **names)
refuse(
    "MLP",
    "theta",
    SMALL_MLP.with_theta,
    short=np.ones(12),
    nan=np.full(13, np.nan),
    text="theta",
    column=np.ones((13, 1)),
    none=None,
)
validated = {"hidden": (), "weights": (0.1,), "n_steps": 1}
bad_validated = {
    "hidden": {"number": 5, "text": "5", "none": None},
    "n_intervals": counts,
    "degree": degrees,
    "loss": names,
    "weights": {
        "number": 0.0,
        "text": "0",
        "negative": (-1.0,),
        "nan": (np.nan,),
        "empty": (),
        "twice": (0.1, 0.1),
        "falling": (0.1, 0.01),
        "zero": (0.0,),
    },
    "n_steps": {"negative": -1, "half": 0.5, "text": "1"},
    "n_folds": {"one": 1, "half": 2.5, "text": "5"},
    "rng": generators,
}
for name, bad in bad_validated.items():
    refuse(
        "fit_validated",
        name,
        lambda v, name=name: kr.fit_validated(data(), **{**validated, "rng": RNG(0), name: v}),
        **bad,
    )
draws = {"n_intervals": 4, "degree": 3, "domain": (-1.0, 1.0)}
refuse("init_lan", "widths", lambda v: kr.init_lan(v, **draws, rng=RNG(0)), **widths)
for name, bad in {
    "n_intervals": counts,
    "degree": degrees,
    "base": names,
    "rng": generators,
}.items():
    refuse(
        "init_lan",
        name,
        lambda v, name=name: kr.init_lan((2, 3, 1), **{**draws, "rng": RNG(0), name: v}),
        **bad,
    )
refuse(
    "lan_from_mlp",
    "mlp",
    lambda v: kr.lan_from_mlp(v, X, n_intervals=3, degree=3),
    network=NET,
    text="mlp",
    none=None,
)
refuse(
    "lan_from_mlp",
    "n_intervals",
    lambda v: kr.lan_from_mlp(SMALL_MLP, X, n_intervals=v, degree=3),
    **counts,
)
refuse(
    "lan_from_mlp",
    "degree",
    lambda v: kr.lan_from_mlp(SMALL_MLP, X, n_intervals=3, degree=v),
    **degrees,
)
refuse(
    "update_lan_grids",
    "lan",
    lambda v: kr.update_lan_grids(v, X),
    network=NET,
    text="lan",
    none=None,
)
some = {
    defect: value for defect, value in counts.items() if value is not None
}  # None keeps the number
refuse(
    "update_lan_grids",
    "n_intervals",
    lambda v: kr.update_lan_grids(CURVED, X, n_intervals=v),
    **some,
)
CURVED_PARTS = {
    name: getattr(CURVED, name)
    for name in ("weights", "biases", "coefs", "knots", "degree", "base")
}
for name in ("weights", "biases", "coefs", "knots"):
    spoiled = {
        "number": 3,
        "none": None,
        "empty": (),
        "text": "ab",
        "letters": ("a", "b"),
        "flat": (np.float64(1.0),) * len(CURVED_PARTS[name]),
    }
    refuse("LAN", name, lambda v, name=name: kr.LAN(**(CURVED_PARTS | {name: v})), **spoiled)
refuse("LAN", "degree", lambda v: kr.LAN(**(CURVED_PARTS | {"degree": v})), **degrees)
refuse("LAN", "base", lambda v: kr.LAN(**(CURVED_PARTS | {"base": v})), **names)
refuse(
    "LAN",
    "theta",
    CURVED.with_theta,
    short=np.ones(12),
    nan=np.full(CURVED.n_params, np.nan),
    text="theta",
    none=None,
)
refuse(
    "Network",
    "theta",
    NET.with_theta,
    short=np.ones(12),
    nan=np.full(NET.n_params, np.nan),
    text="theta",
    none=None,
)
refuse("Network", "layers", kr.Network, empty=(), text="ab", number=3, things=(1, 2), none=None)
refuse("Network", "layer 1", kr.Network, turned=NET.layers[::-1])
refuse("uniform_knots", "n_intervals", lambda v: kr.uniform_knots(-1.0, 1.0, v, 3), **counts)
refuse("uniform_knots", "degree", lambda v: kr.uniform_knots(-1.0, 1.0, 4, v), **degrees)
refuse(
    "uniform_knots",
    "low",
    lambda v: kr.uniform_knots(v, 1.0, 4, 3),
    equal=1.0,
    above=2.0,
    nan=np.nan,
    text="a",
    none=None,
)
refuse(
    "uniform_knots",
    "high",
    lambda v: kr.uniform_knots(-1.0, v, 4, 3),
    inf=np.inf,
    text="a",
    none=None,
    two=np.ones((2, 2)),
)
for name in ("coef", "w_base", "w_spline", "mask", "knots"):
    bad = bad_batches(LAYER[name], columns=False)
    del bad["ragged"]
    refuse("Layer", name, lambda v, name=name: kr.Layer(**(LAYER | {name: v})), **bad, number=1.0)
refuse(
    "Layer",
    "knots",
    lambda v: kr.Layer(**(LAYER | {"knots": v})),
    falling=LAYER["knots"][:, ::-1],
    few=LAYER["knots"][:, :6],
)
refuse("Layer", "coef", lambda v: kr.Layer(**(LAYER | {"coef": v})), few=LAYER["coef"][..., 1:])
refuse(
    "Layer",
    "mask",
    lambda v: kr.Layer(**(LAYER | {"mask": v})),
    half=LAYER["mask"] / 2.0,
    shape=LAYER["mask"].T,
)
refuse("Layer", "degree", lambda v: kr.Layer(**(LAYER | {"degree": v})), **degrees)
refuse("Layer", "base", lambda v: kr.Layer(**(LAYER | {"base": v})), **names)
refuse("mask_edges", "layer", lambda v: kr.mask_edges(NET, v, np.ones((3, 2))), **places)
refuse(
    "mask_edges",
    "mask",
    lambda v: kr.mask_edges(NET, 0, v),
    turned=np.ones((2, 3)),
    half=np.full((3, 2), 0.5),
    text="mask",
    none=None,
)
refuse(
    "edge_curve",
    "layer",
    lambda v: kr.edge_curve(NET, v, output=0, input=0, x=np.zeros(2)),
    **places,
)
refuse(
    "edge_curve",
    "output",
    lambda v: kr.edge_curve(NET, 0, output=v, input=0, x=np.zeros(2)),
    **places,
)
refuse(
    "edge_curve",
    "input",
    lambda v: kr.edge_curve(NET, 0, output=0, input=v, x=np.zeros(2)),
    **places,
)
refuse(
    "edge_curve",
    "x",
    lambda v: kr.edge_curve(NET, 0, output=0, input=0, x=v),
    nan=[np.nan],
    text=["a"],
    two=np.ones((2, 2)),
    none=None,
)
refuse(
    "extend_grid",
    "n_intervals",
    lambda v: kr.extend_grid(NET, X, n_intervals=v),
    coarser=3,
    **counts,
)
refuse(
    "update_grid",
    "uniform_share",
    lambda v: kr.update_grid(NET, X, uniform_share=v),
    above=1.5,
    **numbers,
)
refuse("update_grid", "margin", lambda v: kr.update_grid(NET, X, margin=v), **numbers)
refuse("check_gradients", "rng", lambda v: kr.check_gradients(NET, X, rng=v), **generators)
refuse(
    "check_gradients",
    "n_directions",
    lambda v: kr.check_gradients(NET, X, rng=RNG(0), n_directions=v),
    **counts,
)
refuse(
    "check_gradients", "step", lambda v: kr.check_gradients(NET, X, rng=RNG(0), step=v), **numbers
)
refuse(
    "check_gradients",
    "tolerance",
    lambda v: kr.check_gradients(NET, X, rng=RNG(0), tolerance=v),
    **numbers,
)
refuse(
    "fit_curve",
    "x",
    lambda v: kr.fit_curve(v, Y, knots=KNOTS, degree=3),
    nan=[np.nan] * 6,
    text=["a"] * 6,
    two=X,
    none=None,
)
refuse(
    "fit_curve",
    "y",
    lambda v: kr.fit_curve(X[:, 0], v, knots=KNOTS, degree=3),
    nan=Y * np.nan,
    text=[["a"]] * 6,
    short=Y[:5],
    flat=Y[:, 0],
    none=None,
)
refuse(
    "fit_curve",
    "knots",
    lambda v: kr.fit_curve(X[:, 0], Y, knots=v, degree=3),
    falling=KNOTS[::-1],
    few=KNOTS[:5],
    text="knots",
    none=None,
)
refuse("fit_curve", "degree", lambda v: kr.fit_curve(X[:, 0], Y, knots=KNOTS, degree=v), **degrees)
refuse(
    "fit_curve",
    "start",
    lambda v: kr.fit_curve(X[:, 0], Y, knots=KNOTS, degree=3, start=v),
    short=np.ones((1, 5)),
    flat=np.ones(7),
    nan=np.full((1, 7), np.nan),
)
refuse("sample", "f", lambda v: kr.sample(v, rng=RNG(0)), **names)
refuse("sample", "n_train", lambda v: kr.sample("product", n_train=v, rng=RNG(0)), **counts)
refuse("sample", "n_test", lambda v: kr.sample("product", n_test=v, rng=RNG(0)), **counts)
refuse("sample", "noise", lambda v: kr.sample("product", noise=v, rng=RNG(0)), **numbers)
refuse("sample", "rng", lambda v: kr.sample("product", rng=v), **generators)
for weight in ("penalty_weight", "l1_weight", "entropy_weight", "smoothness_weight"):
    refuse(
        "fit",
        weight,
        lambda v, weight=weight: kr.fit(NET, data(), n_steps=1, **{weight: v}),
        **numbers,
    )
    refuse(
        "value_and_grad",
        weight,
        lambda v, weight=weight: kr.value_and_grad(NET, X, Y, **{weight: v}),
        **numbers,
    )
for name in ("loss", "penalty"):
    refuse(
        "fit",
        name,
        lambda v, name=name: kr.fit(NET, data(), n_steps=1, **{name: v}),
        **names,
        none=None,
    )
    refuse(
        "value_and_grad",
        name,
        lambda v, name=name: kr.value_and_grad(NET, X, Y, **{name: v}),
        **names,
        none=None,
    )
some_steps = {name: value for name, value in counts.items() if name != "zero"}
refuse("fit", "optimizer", lambda v: kr.fit(NET, data(), n_steps=1, optimizer=v), **names)
refuse("fit", "n_steps", lambda v: kr.fit(NET, data(), n_steps=v), **some_steps)
refuse(
    "fit",
    "grids",
    lambda v: kr.fit(NET, data(), n_steps=1, grids=v),
    falling=(8, 5),
    coarser=(3,),
    empty=(),
    text="58",
    number=5,
    half=(4.5,),
)
refuse(
    "fit",
    "update_grids",
    lambda v: kr.fit(NET, data(), n_steps=1, update_grids=v),
    number=1,
    text="yes",
    none=None,
)
parts = {
    "unknown": ("knots",),
    "twice": ("coef", "coef"),
    "empty": (),
    "text": "coef",
    "number": 3,
    "none": None,
    "numbers": (1,),
}
refuse("fit", "trainable", lambda v: kr.fit(NET, data(), n_steps=1, trainable=v), **parts)
refuse(
    "fit",
    "learning_rate",
    lambda v: kr.fit(NET, data(), optimizer="adam", n_steps=1, learning_rate=v),
    zero=0.0,
    **numbers,
)
batch_sizes = {name: value for name, value in counts.items() if name != "none"}
refuse(
    "fit",
    "batch_size",
    lambda v: kr.fit(NET, data(), optimizer="adam", n_steps=1, batch_size=v, rng=RNG(0)),
    **batch_sizes,
)
refuse(
    "fit",
    "batch_size",
    lambda v: kr.fit(NET, data(), n_steps=1, batch_size=v, rng=RNG(0)),
    without_adam=3,
)
refuse(
    "fit",
    "rng",
    lambda v: kr.fit(NET, data(), optimizer="adam", n_steps=1, batch_size=3, rng=v),
    **generators,
)
refuse(
    "fit", "callback", lambda v: kr.fit(NET, data(), n_steps=1, callback=v), number=3, text="stop"
)
refuse(
    "fit", "progress", lambda v: kr.fit(NET, data(), n_steps=0, progress=v), text="yes", none=None
)
refuse("fit", "data", lambda v: kr.fit(NET, v), none=None, dictionary=vars(data()), arrays=(X, Y))
for function in (kr.best_start, kr.run_starts):
    name = function.__name__
    refuse(name, "widths", lambda v, f=function: starts(f, widths=v), **widths)
    refuse(
        name, "data", lambda v, f=function: starts(f, data=v), none=None, dictionary=vars(data())
    )
    refuse(
        name,
        "y_train",
        lambda v, f=function: starts(f, data=v),
        labels=data(y_train=LABELS, y_test=LABELS),
        nan=data(y_train=Y * np.nan),
    )
    refuse(name, "n_starts", lambda v, f=function: starts(f, n_starts=v), **counts)
    refuse(name, "n_intervals", lambda v, f=function: starts(f, n_intervals=v), **counts)
    refuse(name, "degree", lambda v, f=function: starts(f, degree=v), **degrees)
    refuse(name, "n_steps", lambda v, f=function: starts(f, n_steps=v), **some_steps)
    refuse(name, "base", lambda v, f=function: starts(f, base=v), **names)
    refuse(name, "optimizer", lambda v, f=function: starts(f, optimizer=v), **names)
    refuse(
        name, "smoothness_weight", lambda v, f=function: starts(f, smoothness_weight=v), **numbers
    )
    refuse(
        name,
        "validation_share",
        lambda v, f=function: starts(f, validation_share=v),
        one=1.0,
        **numbers,
    )
    refuse(name, "rng", lambda v, f=function: starts(f, rng=v), **generators)
for function in (kr.lbfgs, kr.adam):
    name = function.__name__
    refuse(
        name,
        "theta",
        lambda v, f=function: f(BOWL, v),
        nan=[np.nan],
        text="a",
        two=np.ones((2, 2)),
        none=None,
    )
    refuse(name, "n_steps", lambda v, f=function: f(BOWL, np.ones(2), n_steps=v), **some_steps)
    refuse(
        name,
        "gradient_tolerance",
        lambda v, f=function: f(BOWL, np.ones(2), gradient_tolerance=v),
        negative=-1.0,
        nan=np.nan,
        text="1",
    )
refuse("lbfgs", "history", lambda v: kr.lbfgs(BOWL, np.ones(2), history=v), **counts)
refuse(
    "levenberg_marquardt",
    "theta",
    lambda v: kr.levenberg_marquardt(LINES, v),
    nan=[np.nan],
    text="a",
    two=np.ones((2, 2)),
    none=None,
)
refuse(
    "levenberg_marquardt",
    "n_steps",
    lambda v: kr.levenberg_marquardt(LINES, np.ones(2), n_steps=v),
    **some_steps,
)
refuse(
    "levenberg_marquardt",
    "damping",
    lambda v: kr.levenberg_marquardt(LINES, np.ones(2), damping=v),
    zero=0.0,
    **numbers,
)
for part, good in (("x", X), ("y", Y)):
    defects = bad_batches(good, columns=False)
    refuse(
        "Data",
        part,
        lambda v, part=part: kr.Data.split(**({"x": X, "y": Y, "rng": RNG(0)} | {part: v})),
        **defects,
    )
refuse("Data", "rng", lambda v: kr.Data.split(X, Y, rng=v), **generators)
refuse("Data", "test_share", lambda v: kr.Data.split(X, Y, test_share=v, rng=RNG(0)), **numbers)
refuse("scaled", "data", kr.scaled, none=None, array=X)
refuse("scaled", "x_train", lambda v: kr.scaled(data(x_train=v, x_test=v)), **bad_batches(X, False))
refuse(
    "Scaler", "x_mean", lambda v: kr.Scaler(v, [1.0], None, None), two=X, none=None, nan=[np.nan]
)
refuse("Scaler", "x_scale", lambda v: kr.Scaler([0.0], v, None, None), zero=[0.0], none=None)
scaler = kr.Scaler([0.0, 1.0], [1.0, 2.0], [0.0], [1.0])
refuse("Scaler", "x", scaler.transform_x, **bad_batches(X))
refuse("Scaler", "y", scaler.inverse_y, **bad_batches(Y))
for function in (kr.predict_labels, kr.predict_proba, kr.coverage):
    name = function.__name__
    refuse(name, "x", lambda v, f=function: f(CLASSES, v), **bad_batches(X))
    refuse(name, "network", lambda v, f=function: f(v, X), text="net", none=None)
refuse("predict_proba", "loss", lambda v: kr.predict_proba(CLASSES, X, loss=v), mse="mse", number=3)
refuse(
    "predict_labels",
    "classes",
    lambda v: kr.predict_labels(CLASSES, X, v),
    short=["a"],
    number=3,
    ragged=[["a"], ["b", "c"]],
)
refuse("save", "path", lambda v: kr.save(NET, v), number=3, none=None, ending="net.txt")
refuse("load", "path", kr.load, number=3, none=None, ending="net.txt")


# arguments of the public functions of the splines
SPLINES = {
    "basis": {"x": X[:, :1], "knots": KNOTS[None], "degree": 3, "derivative": 1},
    "basis_integral": {"knots": KNOTS[None], "degree": 3, "low": 0.0, "high": 1.0},
    "blended_knots": {
        "x": X,
        "n_intervals": 3,
        "degree": 3,
        "uniform_share": 0.5,
        "margin": 0.0,
    },
    "check_knots": {"name": "knots", "knots": KNOTS[None], "degree": 3},
    "data_bounds": {"x": X},
    "extended_knots": {"breakpoints": KNOTS[None], "degree": 3},
    "fit_curve": {"x": X[:, 0], "y": Y, "knots": KNOTS, "degree": 3, "start": np.ones((1, 7))},
    "greville": {"knots": KNOTS[None], "degree": 3},
    "hidden_bounds": {"x": X, "n_intervals": 3},
    "insert_knots": {
        "knots": KNOTS[None],
        "degree": 3,
        "coef": np.ones((2, 1, 7)),
        "new_knots": np.sort(np.append(KNOTS, 0.1))[None],
    },
    "jump_weights": {"knots": KNOTS[None], "degree": 3},
    "percentile_bounds": {"x": X, "percentiles": (1.0, 99.0)},
    "refined_breakpoints": {"breakpoints": KNOTS[None], "n_intervals": 20},
    "uniform_knots": {"low": -1.0, "high": 1.0, "n_intervals": 3, "degree": 3},
}


def call_spline_function(name, argument, value):
    """Call a function of the splines with one argument replaced."""
    return getattr(kr.bspline, name)(**SPLINES[name] | {argument: value})


for name, arguments in SPLINES.items():
    for argument, good in arguments.items():
        bad = {"nan": np.full(np.shape(good), np.nan), "text": "a", "five axes": np.ones([1] * 5)}
        if "knots" in argument or argument == "breakpoints":
            bad |= {"decreasing": good[..., ::-1], "short": good[..., :1]}
        if argument in ("degree", "derivative"):
            bad |= {"negative": -1, "half": 0.5, "true": True}
        if argument != "name":
            refuse(
                f"bspline.{name}",
                argument,
                partial(call_spline_function, name, argument),
                **bad,
            )


assert refusals_topics  # it fills the rest of the table


@for_all("case", REFUSED)
def test_refused_in_one_sentence_that_names_the_argument(case):
    argument, call, value = REFUSED[case]

    with pytest.raises((ValueError, TypeError, KeyError, IndexError)) as refusal:
        call(value)

    message = str(refusal.value)
    assert argument in message, message
    assert "\n" not in message
    assert not message.endswith(".")


def test_the_table_visits_every_public_function():
    visited = {case.split(":")[0] for case in REFUSED}

    assert set(kr.__all__) - visited == {
        "History",
        "Run",
        "ValidatedRun",
        "TARGETS",
        "LIBRARY",
    }  # records that only the package makes, and dictionaries


def test_the_table_visits_every_function_of_the_splines_that_the_page_of_versions_calls_public():
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    listed = re.search(r"`kan_ref.bspline` the functions (.*?)\. The other", page, re.DOTALL)
    public = set(re.findall(r"`(\w+)`", listed[1]))
    documented = re.search(r"Public, .*?, are (.*?)\. The", kr.bspline.__doc__, re.DOTALL)[1]

    assert public == set(re.split(r",\s+|\s+and\s+", documented)) == set(SPLINES)
    for name, arguments in SPLINES.items():
        getattr(kr.bspline, name)(**arguments)


# --- odd, but lawful

FAR = np.array([[1e6, -1e6], [1e-100, 0.0], [-1e12, 3.0]])
LAWFUL = {
    "empty": X[:0],
    "one sample": X[:1],
    "duplicates": np.repeat(X[:1], 6, axis=0),
    "a constant feature": np.column_stack([np.full(6, 0.1), X[:, 1]]),
    "integers": np.array([[0, 1], [1, -1]]),
    "float32": X.astype(np.float32),
    "far outside": FAR,
    "lists": X.tolist(),
    "read-only": np.broadcast_to(X[:1], (4, 2)),
    "every second": np.repeat(X, 2, axis=0)[::2],
    "Fortran order": np.asfortranarray(X),
}
lawful = for_all("name", LAWFUL)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@lawful
@for_all("model", [NET, SMALL_MLP, CURVED], ids=["kan", "mlp", "lan"])
def test_a_model_has_a_finite_float64_answer_for_each_sample(name, model):
    y = model(LAWFUL[name])

    assert y.shape == (len(LAWFUL[name]), 1)
    assert y.dtype == np.float64
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(y, model(np.array(LAWFUL[name], dtype=float).reshape(-1, 2)))


@lawful
def test_forward_and_backward_take_it(name):
    y, caches = kr.forward(NET, LAWFUL[name])
    dx, grads = kr.backward(NET, caches, np.ones_like(y))

    assert dx.shape == (len(LAWFUL[name]), 2)
    assert np.isfinite(dx).all()
    assert np.isfinite(grads.theta).all()


@lawful
@for_all("penalty", ["paper", "pykan", "pykan-0.0", "coef"])
def test_the_objective_with_every_penalty_is_finite_and_an_empty_batch_is_refused(name, penalty):
    x = LAWFUL[name]
    if len(x) == 0:
        with pytest.raises(ValueError, match="x has no rows, but a loss needs at least one sample"):
            kr.value_and_grad(NET, x, Y[:0], penalty=penalty, penalty_weight=1.0)
        return

    value, gradient = kr.value_and_grad(
        NET, x, np.zeros((len(x), 1)), penalty=penalty, penalty_weight=1.0, smoothness_weight=1.0
    )

    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@for_all("name", ["one sample", "duplicates", "a constant feature", "integers", "float32", "lists"])
@for_all("optimizer", ["lm", "lbfgs", "adam"])
def test_fit_ends_with_a_finite_network(name, optimizer):
    x = np.asarray(LAWFUL[name])
    y = np.arange(len(x))[:, None] % 2

    run = kr.fit(
        NET,
        SimpleNamespace(x_train=x, y_train=y, x_test=x, y_test=y),
        optimizer=optimizer,
        n_steps=4,
        grids=(4, 6),
    )

    assert np.isfinite(run.network.theta).all()
    assert np.isfinite(run.history.train_rmse).all()
    assert run.history.train_rmse[-1] <= run.history.train_rmse[0]


@lawful
def test_edges_one_by_one_are_finite(name):
    outputs = kr.edge_outputs(NET, LAWFUL[name])

    assert [array.shape for array in outputs] == [
        (len(LAWFUL[name]), 3, 2),
        (len(LAWFUL[name]), 1, 3),
    ]
    assert all(np.isfinite(array).all() for array in outputs)
    if len(LAWFUL[name]):
        assert all(np.isfinite(array).all() for array in kr.edge_scores(NET, LAWFUL[name]))


@pytest.mark.parametrize(
    "name", ["one sample", "duplicates", "a constant feature", "integers", "float32", "far outside"]
)
def test_grids_placed_on_it_give_finite_answers(name):
    moved = kr.update_grid(NET, LAWFUL[name])

    assert np.isfinite(moved(LAWFUL[name])).all()
    assert np.isfinite(moved.theta).all()


@pytest.mark.parametrize("bad", [np.nan, 1.5])
def test_labels_of_no_class_never_train_in_silence(bad):
    with pytest.raises(ValueError, match="y_train has dtype float64"):
        kr.fit(CLASSES, data(y_train=np.full(6, bad), y_test=LABELS), loss="cross_entropy")
