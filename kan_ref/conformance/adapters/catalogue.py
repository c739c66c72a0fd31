"""The implementations that are tested, one entry each, and those that were considered and left out.

An entry counts as installed if all its distributions are. Every adapter runs in a process of its
own, once for each precision named here, and gives one report card for each
(`python -m kan_ref.conformance report`).
"""

from dataclasses import dataclass

from kan_ref.conformance.cases import BSPLINE

HOME = "kan_ref.conformance.adapters"
BOTH = ("float64", "float32")


@dataclass(frozen=True)
class Entry:
    """One implementation.

    `name` is that of its cards, `title` its full name. All `distributions` must be installed; the
    first is the library itself, and the card lists the versions of all. `adapter` is
    "module:Class". `remark` says what a reader needs to know to interpret the card. `checkout` is
    the environment variable with the folder of a library that is on no package index. `family` is
    that of its basis functions: a card has the cases of one family.
    """

    name: str
    title: str
    distributions: tuple[str, ...]
    adapter: str
    remark: str
    dtypes: tuple[str, ...] = BOTH
    checkout: str = ""
    family: str = BSPLINE


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
        "The paper's own library. Penalties are those of `fit` with its default metric, scores "
        "those of `attribute`. Both follow rules of later releases, not the paper's formulas (see "
        "the convention `penalties_pykan`). Grids are updated with margin 0 alone. Where basis "
        "functions have no samples, its least squares may give different answers in two runs.",
    ),
    Entry(
        "efficient-kan",
        "efficient-kan",
        ("torch", "numpy"),
        f"{HOME}.efficient_kan:EfficientKanCheckout",
        "On no package index: tested from a checkout that the environment variable EFFICIENT_KAN "
        "names. It has no mask and no finer grids; penalties are of coefficients.",
        checkout="EFFICIENT_KAN",
    ),
    Entry(
        "ikan",
        "ikan (efficient-kan)",
        ("ikan", "torch", "triton", "numpy"),
        f"{HOME}.efficient_kan:Ikan",
        "efficient-kan's layer, which is on no package index under its own name. Importing it "
        "needs triton, which it does not declare. It has no mask and no finer grids; penalties "
        "are of coefficients.",
    ),
    Entry(
        "convkan",
        "convkan (efficient-kan with groups)",
        ("convkan", "torch", "numpy"),
        f"{HOME}.efficient_kan:Convkan",
        "The linear layer under its convolutions, with one group.",
    ),
    Entry(
        "convkan3d",
        "ConvKAN3D (efficient-kan)",
        ("ConvKAN3D", "torch", "numpy"),
        f"{HOME}.efficient_kan:Convkan3d",
        "The linear layer under its convolutions over volumes.",
    ),
    Entry(
        "deep-kan",
        "Deep-KAN",
        ("Deep-KAN", "torch", "numpy"),
        f"{HOME}.efficient_kan:DeepKan",
        "efficient-kan's layout under other names. Its knots are not part of its state; its "
        "penalties call a method that it does not have.",
    ),
    Entry(
        "keras-efficient-kan",
        "keras-efficient-kan",
        ("keras-efficient-kan", "keras", "torch", "numpy"),
        f"{HOME}.torch_unscaled:KerasEfficientKan",
        "On Keras' PyTorch backend, without its options layer norm and bias. It has no w_spline "
        "(coefficients are multiplied by it), no mask, silu as the only one of the three base "
        "functions, and a fixed grid. Keras' matmul on PyTorch computes float64 in float32.",
    ),
    Entry(
        "keras-efficient-kan-default",
        "keras-efficient-kan, as it is by default",
        ("keras-efficient-kan", "keras", "torch", "numpy"),
        f"{HOME}.torch_unscaled:KerasEfficientKanNormed",
        "The same with its layer norm, which it has by default. With it a layer is not a sum of "
        "functions of one input each.",
        ("float64",),
    ),
    Entry(
        "inkan",
        "inkan",
        ("inkan", "torch", "numpy"),
        f"{HOME}.torch_unscaled:Inkan",
        "Cubic splines on one uniform grid for all inputs. It has no w_spline (coefficients are "
        "multiplied by it) and no mask. Run without compilation.",
    ),
    Entry(
        "flashkan",
        "flashkan",
        ("flashkan", "torch", "numpy"),
        f"{HOME}.torch_unscaled:Flashkan",
        "One uniform grid for all inputs, stored in float32. It has no w_spline (coefficients are "
        "multiplied by it) and no mask. Run without compilation.",
    ),
    Entry(
        "jaxkan-base",
        "jaxkan, layer `base`",
        ("jaxkan", "jax", "flax", "numpy"),
        f"{HOME}.jaxkan:JaxkanBase",
        "With 64-bit numbers switched on. Given grids and weights keep their precision, but fresh "
        "ones are float32 (topic `knots`). It has no mask. XLA treats numbers below 2.2e-308 as 0; "
        "one case has such a number beside a knot at 0.",
    ),
    Entry(
        "jaxkan-spline",
        "jaxkan, layer `spline`",
        ("jaxkan", "jax", "flax", "numpy"),
        f"{HOME}.jaxkan:JaxkanSpline",
        "As `base`, with a knot vector for each input instead of each edge.",
    ),
    Entry(
        "fast-kan",
        "fast-kan (FastKAN)",
        ("torch", "numpy"),
        f"{HOME}.kan_families:FastKan",
        "Gaussians. On no package index: tested from a checkout that the environment variable "
        "FAST_KAN names. Without its options layer norm and base function.",
        checkout="FAST_KAN",
        family="gaussian",
    ),
    Entry(
        "chebykan",
        "ChebyKAN",
        ("torch", "numpy"),
        f"{HOME}.kan_families:ChebyKan",
        "Chebyshev polynomials of tanh x. On no package index: tested from a checkout that the "
        "environment variable CHEBY_KAN names.",
        checkout="CHEBY_KAN",
        family="chebyshev",
    ),
    Entry(
        "relu-kan",
        "ReLU-KAN",
        ("torch", "numpy"),
        f"{HOME}.kan_families:ReluKan",
        "Products of rectified linear functions, squared. On no package index: tested from a "
        "checkout that the environment variable RELU_KAN names. One factor serves all functions, "
        "so that the supports must have one width; the bias is 0.",
        checkout="RELU_KAN",
        family="relu",
    ),
)

# distributions of the package index without a card, and the reason
LEFT_OUT = (
    ("torchkan", "its wheel holds no module"),
    ("kanconv", "its wheel holds no module"),
    (
        "kolmarn",
        "its B-splines are max(0, 1 - |x - t|^3) around each knot t, whatever the step: "
        "other functions",
    ),
    ("unikan", "one function with one parameter an edge, no splines"),
    (
        "kanx, tfkan, tf-kan-latest",
        "need or are made for TensorFlow, which is not in the extra; not examined",
    ),
    ("torch-conv-kan", "on no package index"),
    (
        "fkan, rkan, cvkan, qkan, torch-wavelet-kan, single-kan, mlp-kan",
        "by their summaries no real B-splines; not examined",
    ),
    ("mlx-kan", "needs Apple's MLX; not examined"),
)
