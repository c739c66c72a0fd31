"""Defects of published libraries that were known before the tests, and the case that shows each.

`status` is the outcome of the case on the library's float64 card: "failed" (also if blocked),
"differs" where the contract leaves the answer open, "passed" where the defect no longer exists.
Defects that the protocol cannot show are in `BEYOND`, with the reason.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A defect of the implementation with the card `name`, in words, and the outcome of `case`."""

    name: str
    defect: str
    case: str
    status: str = "failed"


_LSTSQ = "least squares with basis functions without samples gives wrong results without an error"
_EFFICIENT = ("efficient-kan", "ikan", "convkan", "convkan3d")
_LAYOUT = (*_EFFICIENT, "deep-kan")

KNOWN = (
    Known("pykan", _LSTSQ, "grid_extension/samples-on-the-right"),
    Known("pykan", "a finer grid on few samples loses the function", "grid_extension/few-samples"),
    Known(
        "pykan",
        "from 5 to 7 intervals a curve changes",
        "grid_extension/five-to-seven-any-curve",
        "differs",
    ),
    Known("pykan", "a constant input collapses its grid", "grid_update/constant"),
    Known("pykan", "a single sample collapses the grid", "grid_update/one-sample"),
    Known("pykan", "an input of two values spoils the fit", "grid_update/two-values-quantiles"),
    Known(
        "pykan", "a grid that becomes wider changes the function", "grid_update/widened", "differs"
    ),
    Known(
        "pykan",
        "l1 is made of standard deviations, so that constants have no penalty",
        "penalties/constants",
    ),
    Known("pykan", "penalties of one sample are nan", "zero_edges/one-sample"),
    Known(
        "pykan",
        "r2 has an absolute offset: a perfect fit of a small curve gets a small r2",
        "fit_affine/small-sine",
    ),
    Known("pykan", "a is searched in [-10, 10] alone", "fit_affine/fast-sine"),
    Known(
        "pykan",
        "the size of initial coefficients is proportional to 1 / G",
        "initial_layer/initcoef-40-to-50-seed-0",
        "differs",
    ),
    Known("pykan", "a layer of degree 0 cannot be built", "knots/degree-0"),
    *(Known(name, _LSTSQ, "grid_update/with-margin") for name in _LAYOUT),
    *(
        Known(name, "update_grid applies w_spline twice", "grid_update/weighted")
        for name in _LAYOUT
    ),
    *(
        Known(
            name,
            "initial weights are Kaiming's, which depend on n_in alone",
            "initial_layer/initwbase-40-to-50-seed-0",
            "differs",
        )
        for name in _EFFICIENT
    ),
    *(
        Known(name, "the entropy of edges that are 0 is nan", "zero_edges/no-coefficients")
        for name in _EFFICIENT
    ),
    *(Known(name, "0/0 at repeated knots is nan", "bases/double-knot-cubic") for name in _LAYOUT),
    *(Known(name, "degree 0 raises an error", "bases/degree-0-inside") for name in _LAYOUT),
    *(
        Known(name, "knots are computed in float32", "knots/five-cubic")
        for name in ("jaxkan-base", "jaxkan-spline", "keras-efficient-kan")
    ),
    *(
        Known(name, "0/0 at repeated knots is nan", "bases/double-knot-cubic")
        for name in ("jaxkan-base", "jaxkan-spline")
    ),
    Known("flashkan", "knots are stored in float32", "bases/degree-3-inside"),
    Known("flashkan", "every degree is computed as the cubic", "bases/degree-2-inside"),
    Known(
        "keras-efficient-kan-default",
        "a layer norm mixes the inputs of a layer",
        "separability/corners",
    ),
    Known("deep-kan", "penalties call a method that does not exist", "zero_edges/no-coefficients"),
    Known("deep-kan", "knots are not part of the saved state", "save_load/awkward-numbers"),
)

# (implementation, defect, why no case can show it)
BEYOND = (
    (
        "ikan",
        "a larger scale_base gives smaller initial weights, as in convkan and ConvKAN3D",
        "the protocol has no scales",
    ),
    (
        "pykan",
        "refining without a forward pass since the last change loses later layers",
        "the protocol extends one layer at its samples",
    ),
    ("pykan", "mode='grid' fits G + k unknowns on G + 1 points", "an option beside the default"),
    (
        "pykan",
        "a bare except turns a failed solve into UnboundLocalError",
        "no case has samples that are not finite",
    ),
    (
        "pykan",
        "targets that are not finite give nan coefficients silently",
        "no case has numbers that are not finite",
    ),
    ("pykan", "`extend` of B_batch is ignored", "an argument of its own"),
    (
        "pykan",
        "a constructor seeds three global generators and changes the caller's `width`",
        "side effects are not answers",
    ),
    ("pykan", "a refined model shares arrays with the old one", "side effects are not answers"),
    (
        "pykan",
        "symbolic functions given as lambdas, and user-defined base functions, cannot be loaded",
        "the protocol's layers have neither",
    ),
)
