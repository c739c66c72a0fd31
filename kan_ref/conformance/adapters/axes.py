"""What adapters have in common: other libraries' axes and tensors, and libraries not installed.

With these axes an adapter needs no transposes of its own. The axes of an array are written with
letters: o output, i input, m B-spline, t knot. kan_ref has coef "oim", weights "oi", knots "it".
Letters in brackets are one axis: "(oi)m" is (n_out * n_in, n_basis), output by output. g is an axis
of groups of channels, here always one.

    theirs = pack(layer["coef"], "oim", "iom")                         ours to theirs
    ours   = unpack(theirs, "iom", "oim", sizes={"o": 2, "i": 3})      and back

`source_folder` and `import_from` load a library that is on no package index from a checkout, which
an environment variable names. `tensor` and `array` convert to PyTorch's tensors and back,
`gradients` and `slope` take derivatives by autograd.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

PlainLayer = Mapping[str, Any]
OURS = {"coef": "oim", "w_base": "oi", "w_spline": "oi", "mask": "oi", "knots": "it"}


@dataclass(frozen=True)
class Axes:
    """Orders of axes in a library: `coef`, `weights` (w_base, w_spline, mask) and `knots`."""

    coef: str
    weights: str
    knots: str


PYKAN = Axes(coef="iom", weights="io", knots="it")
EFFICIENT_KAN = Axes(coef="oim", weights="oi", knots="it")
JAXKAN_BASE = Axes(coef="(oi)m", weights="oi", knots="(oi)t")
JAXKAN_SPLINE = Axes(coef="oim", weights="oi", knots="it")


def pack(
    array: Any, ours: str, theirs: str, *, sizes: Mapping[str, int] | None = None
) -> FloatArray:
    """Return an array with axes `ours` in the axes `theirs`.

    Letters that only `theirs` has are repeated, with the given sizes.

    Examples
    --------
    >>> pack([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "oi", "(io)")
    array([1., 4., 2., 5., 3., 6.])
    >>> pack([[0.0, 1.0]], "it", "(oi)t", sizes={"o": 2})
    array([[0., 1.],
           [0., 1.]])
    """
    _check_letters(ours, theirs)
    values = np.asarray(array, dtype=np.float64)
    if values.ndim != len(ours):
        raise ValueError(
            f"array has shape {values.shape}, but axes {ours!r} need {len(ours)} of them"
        )
    letters = theirs.replace("(", "").replace(")", "")
    known = dict(zip(ours, values.shape, strict=True))
    new = [letter for letter in letters if letter not in ours]
    missing = sorted({*ours} - {*letters}) + [
        letter for letter in new if letter not in (sizes or {})
    ]
    if missing:
        raise ValueError(
            f"axes {ours!r} cannot become {theirs!r}: the size of {', '.join(missing)} is missing"
        )
    known |= {letter: (sizes or {})[letter] for letter in new}
    order = [letter for letter in letters if letter in ours]
    moved = values.transpose([ours.index(letter) for letter in order])
    expanded = moved.reshape([known[letter] if letter in ours else 1 for letter in letters])
    full = np.broadcast_to(expanded, [known[letter] for letter in letters])
    shape = [int(np.prod([known[letter] for letter in group])) for group in _groups(theirs)]
    return np.ascontiguousarray(full.reshape(shape))


def unpack(
    array: Any, theirs: str, ours: str, *, sizes: Mapping[str, int] | None = None
) -> FloatArray:
    """Return an array with axes `theirs` in the axes `ours`.

    `sizes` gives the sizes of all letters in brackets but one. Along letters that only `theirs`
    has, the first entry is taken.

    Examples
    --------
    >>> unpack([1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "(io)", "oi", sizes={"i": 3, "o": 2})
    array([[1., 2., 3.],
           [4., 5., 6.]])
    """
    _check_letters(ours, theirs)
    values, groups = np.asarray(array, dtype=np.float64), _groups(theirs)
    if values.ndim != len(groups):
        raise ValueError(
            f"array has shape {values.shape}, but axes {theirs!r} need {len(groups)} of them"
        )
    known = dict(sizes or {}) | {
        group: n for group, n in zip(groups, values.shape, strict=True) if len(group) == 1
    }
    for group, n in zip(groups, values.shape, strict=True):
        unknown = [letter for letter in group if letter not in known]
        if len(unknown) == 1:
            known[unknown[0]] = n // int(
                np.prod([known[letter] for letter in group if letter in known])
            )
    letters = "".join(groups)
    missing = [
        letter for letter in (*letters, *ours) if letter not in known or letter not in letters
    ]
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        raise ValueError(f"axes {theirs!r} cannot become {ours!r}: the size of {names} is missing")
    apart = values.reshape([known[letter] for letter in letters])
    kept = apart[tuple(slice(None) if letter in ours else 0 for letter in letters)]
    order = [letter for letter in letters if letter in ours]
    return np.ascontiguousarray(kept.transpose([order.index(letter) for letter in ours]))


def layer_to(axes: Axes, layer: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return the arrays coef, w_base, w_spline, mask, knots of a layer in a library's shapes."""
    n_out, n_in, _ = np.shape(layer["coef"])
    sizes = {"o": n_out, "i": n_in, "g": 1}
    return {
        name: pack(layer[name], ours, _theirs(axes, name), sizes=sizes)
        for name, ours in OURS.items()
    }


def layer_from(
    axes: Axes, arrays: Mapping[str, Any], *, n_out: int, n_in: int, degree: int, base: str
) -> dict[str, Any]:
    """Return a layer from the arrays of a library."""
    sizes = {"o": n_out, "i": n_in, "g": 1}
    found: dict[str, Any] = {
        name: unpack(arrays[name], _theirs(axes, name), ours, sizes=sizes)
        for name, ours in OURS.items()
    }
    return found | {"degree": degree, "base": base}


def _theirs(axes: Axes, name: str) -> str:
    return {"coef": axes.coef, "knots": axes.knots}.get(name, axes.weights)


def _check_letters(*names: str) -> None:
    """Raise ValueError where a letter is there twice."""
    for axes in names:
        twice = [letter for letter in axes if letter not in "()" and axes.count(letter) > 1]
        if twice:
            raise ValueError(
                f"axes {axes!r} have {twice[0]!r} {axes.count(twice[0])} times, but need another "
                "letter for each axis"
            )


def _groups(axes: str) -> list[str]:
    """Return the groups of letters: "(oi)m" becomes ["oi", "m"]."""
    found, inside = [], False
    for letter in axes:
        if letter in "()":
            inside = letter == "("
            if inside:
                found.append("")
        elif inside:
            found[-1] += letter
        else:
            found.append(letter)
    return found


def require_supported(condition: bool) -> None:
    """Raise NotImplementedError if the library cannot express the case."""
    if not condition:
        raise NotImplementedError


def source_folder(variable: str, library: str, file: str) -> Path:
    """Return the folder of the checkout from which the library is imported.

    Parameters
    ----------
    variable : str
        Of the environment, which names the checkout.
    library : str
        Its name, for the message.
    file : str
        A file of the library, below the checkout or below `src` in it.

    Raises
    ------
    FileNotFoundError
        "EFFICIENT_KAN is 'here', but must be the folder of a checkout of efficient-kan ..."
    """
    named = os.environ.get(variable, "")
    for folder in (Path(named).expanduser() / "src", Path(named).expanduser()):
        if named and (folder / file).is_file():
            return folder
    raise FileNotFoundError(
        f"{variable} is {named!r}, but must be the folder of a checkout of {library}, which "
        f"holds {file} or src/{file}"
    )


def import_from(folder: Path) -> None:
    """Let imports of this process find the modules of a folder first."""
    sys.path.insert(0, str(folder))


# --- PyTorch


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
