"""The network that the paper's way begins with: its ends are those of the data."""

from collections.abc import Sequence

import numpy as np

from kan_ref.data import Data
from kan_ref.network import Network, check_network, domain_of_samples, init_network


def problem_ends(data: Data) -> tuple[int, int]:
    """Return the numbers of inputs and outputs; of labels, one output for each class."""
    y = data.y_train
    if y.ndim == 2:
        return data.x_train.shape[1], y.shape[1]
    n_classes = 0 if data.classes is None else len(data.classes)
    largest = int(max(y.max(), data.y_test.max(initial=0)))
    return data.x_train.shape[1], max(n_classes, largest + 1)


def first_network(
    data: Data,
    widths: Sequence[int] | None,
    start: Network | None,
    n_intervals: int,
    degree: int,
    rng: np.random.Generator,
) -> Network | None:
    """Return the network that the paper's way begins with; None where slices are first."""
    ends = problem_ends(data)
    if start is not None:
        if widths is not None:
            raise ValueError("widths and start are both given, but start has its own widths")
        widths = check_network("start", start).widths
    if widths is None:
        return None
    if isinstance(widths, Sequence) and len(widths) > 1 and (widths[0], widths[-1]) != ends:
        which = "widths is" if start is None else "start has widths"
        raise ValueError(
            f"{which} {tuple(widths)}, but the data have {ends[0]} inputs and {ends[1]} outputs"
        )
    if start is not None:
        return start
    return init_network(
        widths,
        n_intervals=n_intervals,
        degree=degree,
        domain=domain_of_samples(data.x_train),
        x=data.x_train,
        rng=rng,
    )
