"""The kinds of model that an objective can train: what each does for it, under one set of names.

A model has `widths`, `theta`, `n_params`, and is immutable. What the objective needs besides are the functions of a `Family`; a KAN
evaluates its first layer's B-splines once for a batch, a perceptron has nothing to prepare.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from kan_ref.baselines import lan, mlp
from kan_ref.baselines.lan import LAN
from kan_ref.baselines.mlp import MLP
from kan_ref.checks import FloatArray
from kan_ref.network import jacobian, network
from kan_ref.network.network import Network
from kan_ref.numerics.row_sparse import Block, Jacobian
from kan_ref.pde import jets, mlp_jets
from kan_ref.pde.jet_kind import JetKind

Model = Network | MLP | LAN


@dataclass(frozen=True)
class JetFunctions:
    """What a kind of model does for derivatives by its inputs.

    `prepare(model, x, kind)`: what a batch needs to have evaluated once; `predict(model, inputs)` -> jet (n_out, n_parts, batch);
    `run_forward(model, inputs)` -> a flow with such a `jet`; `run_backward(model, flow, d_jet)` -> (n_params,);
    `jacobian(model, flow, seeds)` -> a block of rows for each seed.
    """

    prepare: Callable[[Any, FloatArray, JetKind], Any]
    predict: Callable[[Any, Any], FloatArray]
    run_forward: Callable[[Any, Any], Any]
    run_backward: Callable[[Any, Any, FloatArray], FloatArray]
    jacobian: Callable[[Any, Any, Sequence[FloatArray]], Sequence[Block]]


@dataclass(frozen=True)
class Family:
    """What a kind of model does for an objective.

    `prepare(model, x)`: what a batch needs to have evaluated once; `predict(model, inputs)` -> (batch, n_out);
    `run_forward(model, inputs)` -> (prediction, caches); `run_backward(model, caches, dy)` -> (n_params,);
    `jacobian(model, caches, scale)` of the predictions, samples first; `replace_theta(model, theta)`; `jets`: derivatives by the inputs.
    """

    prepare: Callable[[Any, FloatArray], Any]
    predict: Callable[[Any, Any], FloatArray]
    run_forward: Callable[[Any, Any], tuple[FloatArray, Any]]
    run_backward: Callable[[Any, Any, FloatArray], FloatArray]
    jacobian: Callable[[Any, Any, float], Jacobian]
    replace_theta: Callable[[Any, FloatArray], Any]
    jets: JetFunctions


KAN_FAMILY = Family(
    prepare=lambda model, x: network.evaluate_inputs(model, x, slopes=False),
    predict=network.predict,
    run_forward=network.run_forward,
    run_backward=network.run_backward,
    jacobian=jacobian.prediction_jacobian,
    replace_theta=network.replace_theta,
    jets=JetFunctions(
        jets.prepare_jet,
        jets.predict_jet,
        jets.run_jet_forward,
        jets.run_jet_backward,
        jets.jet_jacobian,
    ),
)
MLP_FAMILY = Family(
    prepare=lambda model, x: x,
    predict=mlp.predict,
    run_forward=mlp.run_forward,
    run_backward=mlp.run_backward,
    jacobian=mlp.prediction_jacobian,
    replace_theta=mlp.replace_theta,
    jets=JetFunctions(
        mlp_jets.prepare_jet,
        mlp_jets.predict_jet,
        mlp_jets.run_jet_forward,
        mlp_jets.run_jet_backward,
        mlp_jets.jet_jacobian,
    ),
)


def _refuse_jets(model: object, *arguments: object) -> NoReturn:
    raise TypeError(f"network is {model!r}, but derivatives by the inputs need a Network or an MLP")


LAN_FAMILY = Family(
    prepare=lambda model, x: x,
    predict=lan.predict,
    run_forward=lan.run_forward,
    run_backward=lan.run_backward,
    jacobian=lan.prediction_jacobian,
    replace_theta=lan.replace_theta,
    jets=JetFunctions(_refuse_jets, _refuse_jets, _refuse_jets, _refuse_jets, _refuse_jets),
)


def family_of(model: object) -> Family:
    """The functions that serve this model; TypeError if it is none of ours."""
    if isinstance(model, Network):
        return KAN_FAMILY
    if isinstance(model, MLP):
        return MLP_FAMILY
    if isinstance(model, LAN):
        return LAN_FAMILY
    raise TypeError(f"network is {model!r}, but must be a Network, an MLP or a LAN")
