"""What was read in the sources of libraries for each defect that their cards name.

Files and lines are those of the versions on the cards. A defect without an entry here is not on the
page.
"""

_STEPS = "for degree 0 `(x >= t[:-1]) & (x < t[1:])` is false at nan, so that all values are 0"
_QUOTIENT = "the recursion divides by differences of knots without a guard"
_DEGREE = "the constructor fits noise at `grid[k:-k]`, which is empty for k = 0"
_SCALER = (
    "`update_grid` evaluates with `scaled_spline_weight`, and writes the fitted coefficients into "
    "`spline_weight` without a division by `spline_scaler`"
)
_VIEW = "`view` cannot infer the size `-1` for an array without elements"
# files in public repositories, at the commit that has the lines of the tested version
_PYKAN = "https://github.com/KindXiaoming/pykan/blob/ecde4ec3274d3bef1ad737479cf126aed38ab530"
_LINKS = {
    "kan/spline.py": f"{_PYKAN}/kan/spline.py",
    "kan/KANLayer.py": f"{_PYKAN}/kan/KANLayer.py",
    "src/efficient_kan/kan.py": "https://github.com/Blealtan/efficient-kan/blob/"
    "7b6ce1c87f18c8bc90c208f6b494042344216b11/src/efficient_kan/kan.py",
    "fastkan/fastkan.py": "https://github.com/ZiyaoLi/fast-kan/blob/"
    "17b65401c252334fffb5e63c9852dd8316d29e69/fastkan/fastkan.py",
    "ChebyKANLayer.py": "https://github.com/SynodicMonth/ChebyKAN/blob/"
    "5f7efdd18e749bcc99481bd87dc90bdeafb920d8/ChebyKANLayer.py",
}


def _of(file: str, **lines: str) -> dict[str, str]:
    """Return flag -> text, from "line number: reason"."""
    found = {}
    for flag, text in lines.items():
        number, _, reason = text.partition(": ")
        place = f"`{file}`, {'lines' if ' and ' in number else 'line'} {number}"
        if file in _LINKS:
            place = f"[{place}]({_LINKS[file]}#L{number.split()[0]})"
        found[flag] = f"{place}: {reason}."
    return found


_BY_LIBRARY = {
    "pykan": {
        **_of(
            "kan/spline.py",
            RepeatedKnots="46: `nan_to_num` sets a basis function with 0/0 in its recursion to 0, "
            "its valid term too, and gradients are nan",
        ),
        **_of(
            "kan/KANLayer.py",
            DegreeZero=f"103: {_DEGREE}, and the bare `except` in line 118 of `kan/spline.py` "
            "leaves `coef` without a value",
            ConstantFeature="198: the grid of a constant input has equal ends, and no case of its "
            "own",
        ),
        **_of(
            "kan/MultKAN.py",
            L1Deviation="823 to 829: edges are measured by standard deviations, divided by that of "
            "the input plus 0.1",
        ),
    },
    "efficient-kan": _of(
        "src/efficient_kan/kan.py",
        DegreeZero=f"70: {_DEGREE}",
        RepeatedKnots=f"98: {_QUOTIENT}",
        EmptyBatch=f"160: {_VIEW}",
        ScalerTwice=f"175 and 215: {_SCALER}",
    ),
    "ikan": _of(
        "ikan/KAN.py",
        DegreeZero=f"119: {_DEGREE}",
        RepeatedKnots=f"164: {_QUOTIENT}",
        EmptyBatch=f"275: {_VIEW}",
        ScalerTwice=f"308 and 355: {_SCALER}",
    ),
    "convkan": _of(
        "convkan/kanlinear.py",
        DegreeZero=f"85: {_DEGREE}",
        RepeatedKnots=f"118: {_QUOTIENT}",
        EmptyBatch=f"183: {_VIEW}",
        ScalerTwice=f"197 and 245: {_SCALER}",
    ),
    "convkan3d": _of(
        "ConvKAN3D/efficient_kan.py",
        DegreeZero=f"72: {_DEGREE}",
        RepeatedKnots=f"100: {_QUOTIENT}",
        EmptyBatch=f"162: {_VIEW}",
        ScalerTwice=f"177 and 217: {_SCALER}",
    ),
    "deep-kan": _of(
        "deepkan/deepkan.py",
        DegreeZero=f"52: {_DEGREE}",
        RepeatedKnots=f"58: {_QUOTIENT}",
        EmptyBatch=f"74: {_VIEW}",
        ScalerTwice="82: the curve is evaluated with `_scaled_spline_weights`, and the fitted "
        "coefficients are written into `spline_weights`",
        RoundTrip="26: `knots` is an attribute, not a buffer, so that `state_dict` lacks it",
    ),
    "inkan": _of("inkan/layer.py", EmptyBatch=f"196: {_VIEW.replace('view', 'reshape')}"),
    "keras-efficient-kan": _of(
        "keras_efficient_kan/kan.py",
        RepeatedKnots=f"138: {_QUOTIENT}",
        KnotPrecision="22: `np.linspace(..., dtype=np.float32)`",
        EmptyBatch=f"141: {_VIEW.replace('view', 'reshape')}",
        Float32Inside="119 and 123: `ops.matmul` of Keras' PyTorch backend computes float64 in "
        "float32",
    ),
    "jaxkan-base": {
        **_of(
            "jaxkan/layers/Spline.py",
            RepeatedKnots=f"156: {_QUOTIENT}",
            NaNSwallowed=f"152: {_STEPS}",
        ),
        **_of("jaxkan/grids/BaseGrid.py", KnotPrecision="79: `jnp.arange(..., dtype=jnp.float32)`"),
    },
    "jaxkan-spline": {
        **_of(
            "jaxkan/layers/Spline.py",
            RepeatedKnots=f"723: {_QUOTIENT}",
            NaNSwallowed=f"719: {_STEPS}",
            EmptyBatch=f"1106: {_VIEW.replace('view', 'reshape')}",
        ),
        **_of(
            "jaxkan/grids/SplineGrid.py", KnotPrecision="72: `jnp.arange(..., dtype=jnp.float32)`"
        ),
    },
    "fast-kan": _of("fastkan/fastkan.py", EmptyBatch=f"81: {_VIEW}"),
    "chebykan": _of(
        "ChebyKANLayer.py",
        ChebyshevEnds="26: the derivative of `acos` is not finite where tanh x rounds to 1 or -1",
    ),
}
_BY_LIBRARY["keras-efficient-kan-default"] = {
    flag: text
    for flag, text in _BY_LIBRARY["keras-efficient-kan"].items()
    if flag != "Float32Inside"
} | _of(
    "keras_efficient_kan/kan.py",
    NotSeparable="116: `layer_norm` subtracts the mean over a sample's inputs and divides by their "
    "standard deviation",
)

# (name of the card, flag) -> what was read
EVIDENCE: dict[tuple[str, str], str] = {
    (name, flag): text for name, flags in _BY_LIBRARY.items() for flag, text in flags.items()
}
