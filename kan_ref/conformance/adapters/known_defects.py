"""Defects that were known of published libraries before they were measured here, and the case that shows each.

`status` is what the library's float64 card says of the case: "failed" (also after another failure: blocked), "differs" where the contract
leaves the answer open, "passed" where the defect is gone. Defects beyond the protocol stand in `BEYOND`, with the reason.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A defect of the implementation with the card `name`, in words, and what `case` makes of it."""

    name: str
    defect: str
    case: str
    status: str = "failed"


_LSTSQ = "least squares with bases that no sample supports gives zeros or worse, without an error"
_EFFICIENT = ("ikan", "convkan", "convkan3d")
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
    Known("pykan", "an input that never varies collapses its grid", "grid_update/constant"),
    Known("pykan", "so does a single sample", "grid_update/one-sample"),
    Known("pykan", "an input of two values spoils the fit", "grid_update/two-values-quantiles"),
    Known(
        "pykan", "a grid that becomes wider changes the function", "grid_update/widened", "differs"
    ),
    Known(
        "pykan",
        "l1 is made of standard deviations, so that constants cost nothing",
        "penalties/constants",
    ),
    Known("pykan", "penalties of one sample are nan", "zero_edges/one-sample"),
    Known(
        "pykan",
        "r2 has an absolute offset: a perfect fit of a small curve gets a small r2",
        "fit_affine/small-sine",
    ),
    Known("pykan", "a is looked for in [-10, 10] alone", "fit_affine/fast-sine"),
    Known(
        "pykan",
        "the size of initial coefficients goes with 1 / G",
        "initial_layer/initcoef-40-to-50-seed-0",
    ),
    Known("pykan", "a layer of degree 0 cannot be built", "knots/degree-0"),
    *(Known(name, _LSTSQ, "grid_update/with-margin") for name in _LAYOUT),
    *(
        Known(name, "update_grid lets w_spline act twice", "grid_update/weighted")
        for name in _LAYOUT
    ),
    *(
        Known(
            name,
            "initial weights are Kaiming's, by n_in alone",
            "initial_layer/initwbase-40-to-50-seed-0",
        )
        for name in _EFFICIENT
    ),
    *(
        Known(name, "the entropy of edges that are 0 is nan", "zero_edges/no-coefficients")
        for name in _EFFICIENT
    ),
    *(Known(name, "0/0 at repeated knots is nan", "bases/double-knot-cubic") for name in _LAYOUT),
    *(Known(name, "degree 0 is refused", "bases/degree-0-inside") for name in _LAYOUT),
    *(
        Known(name, "knots are made in float32", "knots/five-cubic")
        for name in ("jaxkan-base", "jaxkan-spline", "keras-efficient-kan")
    ),
    *(
        Known(name, "0/0 at repeated knots is nan", "bases/double-knot-cubic")
        for name in ("jaxkan-base", "jaxkan-spline")
    ),
    Known("flashkan", "knots are kept in float32", "bases/degree-3-inside"),
    Known("flashkan", "every degree is computed as the cubic", "bases/degree-2-inside"),
    Known(
        "keras-efficient-kan-default",
        "a layer norm mixes the inputs of a layer",
        "separability/corners",
    ),
    Known("deep-kan", "penalties call a method that there is not", "zero_edges/no-coefficients"),
    Known("deep-kan", "knots are no part of the saved state", "save_load/awkward-numbers"),
)

# (implementation, defect, why no case can ask for it)
BEYOND = (
    (
        "ikan",
        "a bigger scale_base makes smaller initial weights, as in convkan and ConvKAN3D",
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
        "a constructor seeds three global generators and rewrites the caller's `width`",
        "side effects are no answers",
    ),
    ("pykan", "a refined model shares arrays with the old one", "side effects are no answers"),
    (
        "pykan",
        "formulas that are lambdas, and base functions of one's own, do not come back from a file",
        "the protocol's layers have neither",
    ),
)
