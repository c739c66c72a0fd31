"""Functions that compute the jets of a model: `jets` for a Network, `mlp_jets` for an MLP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray
from kan_ref.network import Network, first_cause, layer_inputs
from kan_ref.numerics import Block
from kan_ref.pde import jets, mlp_jets
from kan_ref.pde.jet_kind import JetKind

JetModel = Network | MLP


@dataclass(frozen=True)
class JetFunctions:
    """The functions that compute jets of one kind of model.

    `prepare(model, x, kind)` evaluates what a batch needs only once; `predict(model, inputs)` gives
    the jet (n_out, n_components, batch); `run_forward(model, inputs)` a flow with such a `jet`;
    `run_backward(model, flow, d_jet)` the gradient (n_params,); `jacobian(model, flow, seeds)` a
    block of rows for each seed.
    """

    prepare: Callable[[Any, FloatArray, JetKind], Any]
    predict: Callable[[Any, Any], FloatArray]
    run_forward: Callable[[Any, Any], Any]
    run_backward: Callable[[Any, Any, FloatArray], FloatArray]
    jacobian: Callable[[Any, Any, Sequence[FloatArray]], Sequence[Block]]


KAN_JETS = JetFunctions(
    jets.prepare_jet,
    jets.predict_jet,
    jets.run_jet_forward,
    jets.run_jet_backward,
    jets.jet_jacobian,
)
MLP_JETS = JetFunctions(
    mlp_jets.prepare_jet,
    mlp_jets.predict_jet,
    mlp_jets.run_jet_forward,
    mlp_jets.run_jet_backward,
    mlp_jets.jet_jacobian,
)


def jets_of(model: object) -> JetFunctions:
    """Return the functions for this kind of model; TypeError if it has no jets."""
    if isinstance(model, Network):
        return KAN_JETS
    if isinstance(model, MLP):
        return MLP_JETS
    raise TypeError(
        f"network is {model!r}, but derivatives with respect to the inputs need a Network or an MLP"
    )


def check_jet(
    model: JetModel, x: FloatArray, jet: FloatArray, *, highest: int, name: str = "x"
) -> None:
    """Raise ValueError if components (n_out, n_components, batch) of a jet at x are not finite.

    `highest` is their highest order; a message calls the samples `name`.
    """
    if np.isfinite(jet).all():
        return
    why = ""
    if isinstance(model, Network):
        why = first_cause(model.layers, layer_inputs(model.layers, x), name, highest=highest)
    if not why:
        output, _, sample = np.argwhere(~np.isfinite(jet))[0]
        why = (
            f"{name}[{sample}] gives output {output} a value or derivative beyond the largest "
            "float64: scale the network or its data"
        )
    raise ValueError(why)
