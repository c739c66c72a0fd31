"""A network as one C99 function without dependencies: source text to compile into anything that has a C compiler.

Theorem (B4)-(B5) of `evaluation`, (F1) and (F5) of `base_function`, (F1) of `symbolic_edge` and (N1) of `network`, one sample at a time:

    (K1)  mu = the interval that owns x,  B_{mu-d..mu}(x) by the triangle (B5),  0 where x lies outside the row
    (K2)  y_j = sum_i W_ji b(x_i) + sum_i sum_{m=mu-d..mu} C_jim B_m(x_i)  (+ c f(a x_i + b) + d)

Numbers stand in the text as hexadecimal floating constants (C99, 6.4.4.2), which lose no bit. Masks and w_spline are multiplied in.
What a network refuses in words, C answers with nan: x that is not finite, a formula without a finite value.
"""

import re
from collections.abc import Iterable

from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.network import Layer, Network, SymbolicEdge, check_network

# function of the library -> C of u; "@" is the name of the network's function
_FORMULAS = {
    "0": "@_constant(u)",
    "x": "u",
    "x^2": "u * u",
    "x^3": "pow(u, 3.0)",
    "x^4": "pow(u, 4.0)",
    "x^5": "pow(u, 5.0)",
    "1/x": "1.0 / u",
    "1/x^2": "pow(u, -2.0)",
    "1/x^3": "pow(u, -3.0)",
    "1/x^4": "pow(u, -4.0)",
    "1/x^5": "pow(u, -5.0)",
    "sqrt": "sqrt(u)",
    "1/sqrt": "1.0 / sqrt(u)",
    "x^1.5": "pow(u, 1.5)",
    "exp": "exp(u)",
    "log": "log(u)",
    "abs": "fabs(u)",
    "sin": "sin(u)",
    "cos": "cos(u)",
    "tan": "tan(u)",
    "tanh": "tanh(u)",
    "cosh": "cosh(u)",
    "sgn": "@_sign(u)",
    "arcsin": "asin(u)",
    "arccos": "acos(u)",
    "arctan": "atan(u)",
    "arctanh": "atanh(u)",
    "sigmoid": "@_sigmoid(u)",
    "gaussian": "exp(-u * u)",
}
_BASES = {"silu": "@_silu", "identity": "@_identity", "zero": "@_constant"}
_SIGMOID = """static double @_sigmoid(double u) {
    const double small = exp(-fabs(u));
    return (u < 0.0 ? small : 1.0) / (1.0 + small);
}
"""
# helper -> its text; one is written where the text calls it
_HELPERS = {
    "@_silu": "static double @_silu(double x) {\n    return x * @_sigmoid(x);\n}\n",
    "@_sigmoid": _SIGMOID,
    "@_identity": "static double @_identity(double x) {\n    return x;\n}\n",
    "@_constant": "static double @_constant(double u) {\n    return u != u ? u : 0.0;\n}\n",
    "@_sign": "static double @_sign(double u) {\n    return u > 0.0 ? 1.0 : u < 0.0 ? -1.0 : u;\n}\n",
}
_LAYER = """/* The B-splines of the row t that live at x, m = first, ..., first + degree; returns first. Intervals are closed on the left,
   the last non-empty one on both sides; outside the row all are 0. Knots beyond the row are copies of its ends. */
static int @_live(const double *t, int n_knots, int degree, double x, double *live) {
    int low = 0, high = n_knots - 1, d, r;
    if (!(x >= t[0] && x <= t[n_knots - 1])) {
        for (r = 0; r <= degree; r++) live[r] = 0.0;
        return 0;
    }
    while (high > 0 && t[high - 1] == t[n_knots - 1]) high--;
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (t[middle] <= x) low = middle; else high = middle;
    }
    live[0] = 1.0;
    for (d = 1; d <= degree; d++) {
        double saved = 0.0;
        for (r = 0; r < d; r++) {
            const int left = low - d + 1 + r, right = low + 1 + r;
            const double below = t[left < 0 ? 0 : left], above = t[right < n_knots ? right : n_knots - 1];
            const double quotient = live[r] / ((above - x) + (x - below));
            live[r] = saved + (above - x) * quotient;
            saved = (x - below) * quotient;
        }
        live[d] = saved;
    }
    return low - degree;
}

/* y_j = sum_i base_weights_ji base(x_i) + sum_i sum_m spline_jim B_m(x_i) */
static void @_layer(const double *x, double *y, int n_in, int n_out, int n_knots, int degree, double (*base)(double),
                    const double *knots, const double *base_weights, const double *spline) {
    const int n_basis = n_knots - degree - 1;
    int i, j, r;
    for (j = 0; j < n_out; j++) y[j] = 0.0;
    for (i = 0; i < n_in; i++) {
        double live[@DEGREE + 1];
        const int first = @_live(knots + i * n_knots, n_knots, degree, x[i], live);
        const int from = first < 0 ? -first : 0, to = first + degree < n_basis ? degree : n_basis - 1 - first;
        const double value = base(x[i]);
        for (j = 0; j < n_out; j++) {
            const double *c = spline + (j * n_in + i) * n_basis;
            double sum = base_weights[j * n_in + i] * value;
            for (r = from; r <= to; r++) sum += c[first + r] * live[r];
            y[j] += sum;
        }
    }
}
"""
_HEAD = """/* Kolmogorov-Arnold network {widths}: x has {n_in} numbers, y {n_out}, and they may not overlap.
   C99; link with -lm. No memory is allocated, no state kept. y is nan where the network has no value: x that is not
   finite, a formula outside its domain (do not compile with -ffast-math). */
#include <math.h>

"""
_KEYWORDS = """auto bool break case char const continue default do double else enum extern false float for goto if inline int long main
register restrict return short signed sizeof static struct switch true typedef union unsigned void volatile while"""
_MATH = """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh double_t erf erfc exp exp2 expm1 fabs fdim float_t
floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb lrint
lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round scalb scalbln scalbn significand sin sinh
sqrt tan tanh tgamma trunc y0 y1 yn fpclassify isfinite isgreater isgreaterequal isinf isless islessequal islessgreater
isnan isnormal isunordered signbit"""
_TAKEN = frozenset(_KEYWORDS.split()) | {
    word + end for word in _MATH.split() for end in ("", "f", "l")
}


def to_c(network: Network, name: str = "kan") -> str:
    """The network as the text of a C99 function `void name(const double *x, double *y)`, one sample a call.

    Parameters
    ----------
    network : Network
    name : str
        1 to 31 letters, digits and underscores, the first a letter; no keyword of C and nothing of <math.h>. All else in the text is
        static and begins with `name` and an underscore, so that several networks may stand in one file.

    Returns
    -------
    source : str
        ASCII, with a line break at its end. Some 25 characters a number.

    Raises
    ------
    ValueError
        "network has 'cube' on the edge from input 0 to output 1 of layer 0, but C has only the functions that the library was born
        with"; a name that C cannot take.
    TypeError
        Something else than a Network; a name that is no text.

    Notes
    -----
    Implements (K1) and (K2). Equal to the network up to the order of sums and the last digits of the compiler's <math.h>. It costs
    degree (degree + 1) / 2 divisions an input and degree + 1 products an edge, dead edges too: prune first. Nothing is written to
    a file: `pathlib.Path("kan.c").write_text(kr.to_c(net))` does.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    >>> kr.to_c(net, name="predict").splitlines()[-2]
    '    predict_layer(x, y, 2, 1, 12, 3, predict_silu, predict_knots_0, predict_base_0, predict_spline_0);'
    """
    check_network("network", network)
    _check_name(name)
    body = [*_tables(network), "", *_function(network)]
    text = (
        _LAYER.replace("@DEGREE", str(max(layer.degree for layer in network.layers)))
        + "\n"
        + "\n".join(body)
        + "\n"
    )
    for helper, definition in _HELPERS.items():
        if re.search(rf"{helper}\b", text):
            text = f"{definition}\n{text}"
    head = _HEAD.format(
        widths=" -> ".join(map(str, network.widths)),
        n_in=network.widths[0],
        n_out=network.widths[-1],
    )
    return head + text.replace("@", name)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, but must be text")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", name) or name in _TAKEN:
        raise ValueError(
            f"name is {name!r}, but must be 1 to 31 letters, digits and underscores, begin with a letter, "
            "and be no keyword of C and no name of <math.h>"
        )


def _tables(network: Network) -> Iterable[str]:
    """Knots, base weights and spline coefficients of every layer."""
    for number, layer in enumerate(network.layers):
        arrays = {"knots": layer.knots, "base": layer.base_matrix, "spline": layer.spline_matrix}
        for kind, array in arrays.items():
            yield from _table(f"@_{kind}_{number}", array)


def _table(name: str, array: FloatArray) -> Iterable[str]:
    numbers = _hexadecimal(array.reshape(-1))
    yield f"static const double {name}[{len(numbers)}] = {{"
    for start in range(0, len(numbers), 4):
        yield f"    {', '.join(numbers[start : start + 4])},"
    yield "};"


def _function(network: Network) -> Iterable[str]:
    """The function itself: one call a layer, one line a formula."""
    last = len(network.layers) - 1
    yield "void @(const double *x, double *y) {"
    for number, layer in enumerate(network.layers[:-1], start=1):
        yield f"    double x{number}[{layer.n_out}];"
    yield "    int n;"
    yield f"    for (n = 0; n < {network.widths[0]}; n++) {{"
    yield "        if (!isfinite(x[n])) {"
    yield f"            for (n = 0; n < {network.widths[-1]}; n++) y[n] = NAN;"
    yield "            return;"
    yield "        }"
    yield "    }"
    for number, layer in enumerate(network.layers):
        source, target = f"x{number or ''}", "y" if number == last else f"x{number + 1}"
        sizes = f"{layer.n_in}, {layer.n_out}, {layer.knots.shape[1]}, {layer.degree}, {_BASES[layer.base]}"
        yield f"    @_layer({source}, {target}, {sizes}, @_knots_{number}, @_base_{number}, @_spline_{number});"
        yield from _formulas(number, layer, source, target)
    yield "}"


def _formulas(number: int, layer: Layer, source: str, target: str) -> Iterable[str]:
    for edge in layer.symbolic:
        a, b, c, d = _hexadecimal(layer.affine[edge.row])
        yield f"    {{   /* {edge.name} */"
        yield f"        const double u = {a} * {source}[{edge.input}] + {b};"
        yield f"        {target}[{edge.output}] += {c} * ({_formula(number, edge)}) + {d};"
        yield "    }"
    if layer.symbolic:
        yield f"    for (n = 0; n < {layer.n_out}; n++) {{"
        yield f"        if (!isfinite({target}[n])) {target}[n] = NAN;"
        yield "    }"


def _formula(number: int, edge: SymbolicEdge) -> str:
    if edge.name not in _FORMULAS or edge.function != LIBRARY[edge.name]:
        raise ValueError(
            f"network has {edge.name!r} on the edge from input {edge.input} to output {edge.output} of layer {number}, "
            "but C has only the functions that the library was born with"
        )
    return _FORMULAS[edge.name]


def _hexadecimal(values: FloatArray) -> list[str]:
    return [value.hex() for value in values.tolist()]
