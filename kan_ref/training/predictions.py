"""Predicted probabilities and classes of a network that was trained with a loss for classes.

With logits z_bj (batch, n_out), the probabilities are those of the losses (T1) and (T3):

    (T31)  p = softmax(z)              "cross_entropy": one class for each output, rows sum to 1
           p = 1 / (1 + exp(-z))       "logistic": the answer is 1, for each output by itself
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.training.class_losses import CROSS_ENTROPY, LOGISTIC, Loss
from kan_ref.training.data_goal import check_model
from kan_ref.training.goal import Model

_LOSSES = {loss.name: loss for loss in (CROSS_ENTROPY, LOGISTIC)}


@np.errstate(all="ignore")
def predict_proba(network: Model, x: object, *, loss: str | None = None) -> FloatArray:
    """Compute the probabilities of the classes at x.

    Parameters
    ----------
    network : Network, MLP or LAN
        Trained with `loss`.
    x : (batch, n_in)
    loss : str, optional
        "cross_entropy", the default for several outputs, or "logistic", the default for one.

    Returns
    -------
    probabilities : (batch, n_out)
        For "cross_entropy" of each class, 0 to 1, with sums 1; for "logistic" of the answer 1 at
        each output.

    Raises
    ------
    ValueError, TypeError
        For a wrong shape, another loss, or "cross_entropy" with one output.

    Notes
    -----
    Implements (T31). One forward pass. The probabilities do not show that a sample lies outside the
    grids, where splines decay to zero: `kan_ref.coverage(network, x)` counts such samples.

    Examples
    --------
    >>> import numpy as np
    >>> from kan_ref.network import init_network
    >>> rng = np.random.default_rng(0)
    >>> net = init_network((2, 3), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> predict_proba(net, [[0.5, -0.5]]).sum(axis=1).round(12).tolist()
    [1.0]
    """
    logits, kind = _logits(network, x, loss)
    assert kind.probabilities is not None  # both losses have them
    return kind.probabilities(logits)


@np.errstate(all="ignore")
def predict_labels(
    network: Model, x: object, classes: Sequence[Any] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return the most probable class of each sample.

    Parameters
    ----------
    network : Network, MLP or LAN
        With one output for each class, or one output for two classes ("logistic").
    x : (batch, n_in)
    classes : (n_classes,), optional
        What the labels stand for, such as `data.classes`.

    Returns
    -------
    labels : (batch,)
        Entries of `classes`, or without them labels 0, 1, ... With equal probabilities the first
        class.

    Raises
    ------
    ValueError, TypeError
        For a wrong shape: "classes has 3 entries, but a network with 2 outputs tells 2 classes
        apart".

    Notes
    -----
    One forward pass. Samples outside the grids get a class without a message:
    `kan_ref.coverage(network, x)` counts them. For several independent answers, trained with
    "logistic", compare `predict_proba(network, x, loss="logistic")` with 0.5.

    Examples
    --------
    >>> import numpy as np
    >>> from kan_ref.network import init_network
    >>> rng = np.random.default_rng(0)
    >>> net = init_network((2, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> predict_labels(net, [[0.5, -0.5], [-0.5, 0.5]], classes=["no", "yes"]).shape
    (2,)
    """
    logits, kind = _logits(network, x, None)
    labels = logits.argmax(axis=1) if kind is CROSS_ENTROPY else (logits[:, 0] > 0.0).astype(int)
    if classes is None:
        return labels
    found = checks.rectangular("classes", classes)
    n_classes = max(logits.shape[1], 2)
    if found.shape != (n_classes,):
        raise ValueError(
            f"classes has shape {found.shape}, but a network with {logits.shape[1]} outputs needs "
            f"({n_classes},): {n_classes} classes"
        )
    names = found.tolist()
    if len(set(names)) < n_classes:
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"classes has {twice!r} twice, but each class needs a name of its own")
    chosen: NDArray[Any] = found[labels]
    return chosen


def _logits(network: Model, x: object, loss: str | None) -> tuple[FloatArray, Loss]:
    """Return the outputs (batch, n_out) at x, and the loss that they belong to."""
    model: Any = check_model("network", network)
    points = checks.array("x", x, ("batch", model.widths[0]))
    n_out = model.widths[-1]
    name = loss if loss is not None else ("logistic" if n_out == 1 else "cross_entropy")
    kind = _LOSSES[checks.choice("loss", name, tuple(_LOSSES))]
    if kind is CROSS_ENTROPY and n_out == 1:
        raise ValueError(
            "loss is 'cross_entropy', but the network has one output, whose softmax is always 1: "
            "give loss='logistic'"
        )
    return model(points), kind
