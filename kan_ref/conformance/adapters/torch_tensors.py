"""PyTorch tensors from arrays and back, and derivatives by autograd."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray


def tensor(values: Any) -> Any:
    """Return a tensor of PyTorch's default precision."""
    import torch

    return torch.tensor(np.asarray(values), dtype=torch.get_default_dtype())


def array(values: Any) -> FloatArray:
    """Return the numbers of a tensor."""
    found: FloatArray = values.detach().numpy()
    return found


def base_function(base: str) -> Any:
    """Return the class, or another constructor, of a base function."""
    import torch

    return {"silu": torch.nn.SiLU, "identity": torch.nn.Identity, "zero": lambda: torch.zeros_like}[
        base
    ]


def gradients(y: Any, wanted: Sequence[Any], dy: Any) -> Sequence[Any]:
    """Return vector-Jacobian products dy^T dy/dw; zeros for arrays w on which y does not depend."""
    import torch

    if not y.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    found: Sequence[Any] = torch.autograd.grad(
        y, wanted, dy, create_graph=True, allow_unused=True, materialize_grads=True
    )
    return found


def slope(values: Any, points: Any) -> Any:
    """Return the derivative of values (n,) with respect to points (n, ...), for each sample."""
    import torch

    return gradients(values, [points], torch.ones_like(values))[0]
