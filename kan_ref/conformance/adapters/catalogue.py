"""Implementations that are measured: one entry each, and those that were looked at and left out.

An entry counts as installed if all its distributions are. Every adapter runs in a process of its own, in the precisions named here; what
comes out is a card for each (`python -m kan_ref.conformance report`).
"""

from dataclasses import dataclass

HOME = "kan_ref.conformance.adapters"
BOTH = ("float64", "float32")


@dataclass(frozen=True)
class Entry:
    """One implementation.

    `name` is that of its cards; `title` in words; `distributions` must be installed, the first one is the library itself, and versions of
    all are told; `adapter` "module:Class"; `remark` what a reader must know to judge the card.
    """

    name: str
    title: str
    distributions: tuple[str, ...]
    adapter: str
    remark: str
    dtypes: tuple[str, ...] = BOTH


ENTRIES = (
    Entry(
        "kan_ref",
        "kan_ref",
        ("kan_ref", "numpy"),
        f"{HOME}.reference:Reference",
        "This package.",
        ("float64",),
    ),
    Entry(
        "scipy",
        "SciPy's BSpline",
        ("scipy", "numpy"),
        f"{HOME}.scipy_splines:SciPyBSplines",
        "B-splines alone.",
        ("float64",),
    ),
    Entry(
        "pykan",
        "pykan",
        ("pykan", "torch", "numpy"),
        f"{HOME}.pykan:Pykan",
        "The paper's own library. Penalties are those of `fit` by its default metric, scores those of `attribute`: both follow rules of "
        "later releases, not the paper's formulas (see the convention `penalties_pykan`). Grids are updated with margin 0 alone. "
        "Where samples leave bases without support its least squares may answer otherwise another time.",
    ),
    Entry(
        "ikan",
        "ikan (efficient-kan)",
        ("ikan", "torch", "triton", "numpy"),
        f"{HOME}.ikan:Ikan",
        "efficient-kan's layer, which is on no package index by its own name. Importing it needs triton, which it does not declare. No "
        "mask, no finer grids; penalties are of coefficients.",
    ),
    Entry(
        "convkan",
        "convkan (efficient-kan with groups)",
        ("convkan", "torch", "numpy"),
        f"{HOME}.convkan:Convkan",
        "The linear layer under its convolutions, with one group.",
    ),
    Entry(
        "convkan3d",
        "ConvKAN3D (efficient-kan)",
        ("ConvKAN3D", "torch", "numpy"),
        f"{HOME}.convkan3d:Convkan3d",
        "The linear layer under its convolutions over volumes.",
    ),
    Entry(
        "deep-kan",
        "Deep-KAN",
        ("Deep-KAN", "torch", "numpy"),
        f"{HOME}.deep_kan:DeepKan",
        "efficient-kan's layout under other names. Its knots are no part of its state, its penalties call a method that it does not have.",
    ),
    Entry(
        "keras-efficient-kan",
        "keras-efficient-kan",
        ("keras-efficient-kan", "keras", "torch", "numpy"),
        f"{HOME}.keras_efficient_kan:KerasEfficientKan",
        "On Keras' PyTorch backend, without its options layer norm and bias. No w_spline (coefficients are multiplied by it), no mask, "
        "silu as the one base function of the three; a fixed grid. Keras' matmul on PyTorch computes float64 in float32.",
    ),
    Entry(
        "keras-efficient-kan-default",
        "keras-efficient-kan, as it is by default",
        ("keras-efficient-kan", "keras", "torch", "numpy"),
        f"{HOME}.keras_efficient_kan:KerasEfficientKanNormed",
        "The same with its layer norm, which it has by default: then a layer is no sum of functions of one input each.",
        ("float64",),
    ),
    Entry(
        "inkan",
        "inkan",
        ("inkan", "torch", "numpy"),
        f"{HOME}.inkan:Inkan",
        "Cubic, one even grid for all inputs, no w_spline (coefficients are multiplied by it), no mask; run without compilation.",
    ),
    Entry(
        "flashkan",
        "flashkan",
        ("flashkan", "torch", "numpy"),
        f"{HOME}.flashkan:Flashkan",
        "One even grid for all inputs, kept in float32; no w_spline (coefficients are multiplied by it), no mask; run without compilation.",
    ),
    Entry(
        "jaxkan-base",
        "jaxkan, layer `base`",
        ("jaxkan", "jax", "flax", "numpy"),
        f"{HOME}.jaxkan:JaxkanBase",
        "64 bits switched on; given grids and weights keep their precision, fresh ones are float32 all the same (topic `knots`). No mask. "
        "XLA takes numbers below 2.2e-308 for 0, which one case has beside a knot at 0.",
    ),
    Entry(
        "jaxkan-spline",
        "jaxkan, layer `spline`",
        ("jaxkan", "jax", "flax", "numpy"),
        f"{HOME}.jaxkan:JaxkanSpline",
        "As `base`, with a knot row for each input, not for each edge.",
    ),
)

# looked at on the package index, and why there is no card
LEFT_OUT = (
    ("torchkan", "its wheel holds no module"),
    ("kanconv", "its wheel holds no module"),
    (
        "kolmarn",
        "its B-splines are max(0, 1 - |x - t|^3) around each knot t, whatever the step: other functions",
    ),
    ("unikan", "one function with one parameter an edge, no splines"),
    (
        "kanx, tfkan, tf-kan-latest",
        "need or are made for TensorFlow, which is not in the extra; not looked into",
    ),
    (
        "efficient-kan, fast-kan, torch-conv-kan",
        "on no package index; ikan, convkan and ConvKAN3D hold efficient-kan's layer",
    ),
    (
        "fkan, rkan, cvkan, qkan, torch-wavelet-kan, single-kan, mlp-kan",
        "by their summaries no real B-splines; not looked into",
    ),
    ("mlx-kan", "needs Apple's MLX; not looked into"),
)
