"""A network as one C99 function without dependencies, for any target that has a C compiler.

One sample at a time:

    (I9)   find mu with t_mu <= x < t_{mu+1}; compute B_{mu-k}(x), ..., B_mu(x) by the triangular
           scheme of the recursion; all are 0 where x lies outside the knot vector
    (I10)  y_j = sum_i W_ji b(x_i) + sum_i sum_{m=mu-k..mu} C_jim B_m(x_i)  (+ c f(a x_i + b) + d)

Numbers are hexadecimal (C99, 6.4.4.2), which keeps every bit. Masks and w_spline are multiplied in.
Where the network raises an error, the outputs without a value are nan.
"""

import re
from collections.abc import Iterable

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY
from kan_ref.network import Layer, Network, check_network


@np.errstate(all="ignore")
def to_c(network: Network, name: str = "kan") -> str:
    """Return the network as a C99 function `void name(const double *x, double *y)` for one sample.

    Parameters
    ----------
    network : Network
    name : str
        Of the function; a word of C or a name of <math.h> does not compile.

    Returns
    -------
    source : str
        A whole file. Other names begin with `name_` and are static.

    Notes
    -----
    The C function is the network, to rounding. Masked edges cost as much as others: prune first.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> kr.to_c(net, name="f").splitlines()[-5]
    '    f_layer(x, y, 2, 1, 12, 3, f_silu, f_knots_0, f_base_0, f_spline_0);'
    """
    check_network("network", network)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", checks.instance("name", name, str)):
        checks.fail("name", name, "must be a new name of C, such as 'kan'")
    degree = max(layer.degree for layer in network.layers)
    lines = [LAYER.replace("@DEGREE", str(degree)), *_tables(network), "", *_function(network)]
    text = "\n".join(lines) + "\n"
    for called, definition in AUXILIARY.items():
        if re.search(rf"{called}\b", text):
            text = f"{definition}\n{text}"
    n_in, n_out = network.widths[0], network.widths[-1]
    head = HEAD.format(widths=" -> ".join(map(str, network.widths)), n_in=n_in, n_out=n_out)
    return head + text.replace("@", name)


def _tables(network: Network) -> Iterable[str]:
    """Yield the knots, base weights and spline coefficients of every layer."""
    for number, layer in enumerate(network.layers):
        arrays = {"knots": layer.knots, "base": layer.base_matrix, "spline": layer.spline_matrix}
        for kind, array in arrays.items():
            numbers = _hexadecimal(array)
            yield f"static const double @_{kind}_{number}[{len(numbers)}] = {{"
            for start in range(0, len(numbers), 4):
                yield f"    {', '.join(numbers[start : start + 4])},"
            yield "};"


def _function(network: Network) -> Iterable[str]:
    """Yield the function itself: one call for each layer, one line for each symbolic edge."""
    last = len(network.layers) - 1
    yield "void @(const double *x, double *y) {"
    for number, layer in enumerate(network.layers[:-1], start=1):
        yield f"    double x{number}[{layer.n_out}];"
    yield CHECK.format(n_in=network.widths[0], n_out=network.widths[-1])
    for number, layer in enumerate(network.layers):
        source, target = f"x{number or ''}", "y" if number == last else f"x{number + 1}"
        sizes = f"{layer.n_in}, {layer.n_out}, {layer.knots.shape[1]}, {layer.degree}"
        arrays = f"@_knots_{number}, @_base_{number}, @_spline_{number}"
        yield f"    @_layer({source}, {target}, {sizes}, {BASES[layer.base]}, {arrays});"
        yield from _formulas(number, layer, source, target)
        if layer.symbolic or number == last:  # the network rejects what is not finite there
            yield f"    for (n = 0; n < {layer.n_out}; n++) {{"
            yield f"        if (!isfinite({target}[n])) {target}[n] = NAN;"
            yield "    }"
    yield "}"


def _formulas(number: int, layer: Layer, source: str, target: str) -> Iterable[str]:
    for edge in layer.symbolic:
        if edge.name not in FORMULAS or edge.function != LIBRARY.get(edge.name):
            where = f"network has {edge.name!r} in layer {number}"
            raise ValueError(f"{where}, but C has only the built-in functions")
        a, b, c, d = _hexadecimal(layer.affine[edge.row])
        yield f"    {{   /* {edge.name} */"
        yield f"        const double u = {a} * {source}[{edge.input}] + {b};"
        yield f"        {target}[{edge.output}] += {c} * ({FORMULAS[edge.name]}) + {d};"
        yield "    }"


def _hexadecimal(values: FloatArray) -> list[str]:
    return [value.hex() for value in values.ravel().tolist()]


# --- texts in C, in which "@" stands for the name of the network's function

# function of the library -> C expression in u; nan at a pole
FORMULAS = {
    **{name: f"{name}(u)" for name in ("sqrt", "exp", "sin", "cos", "tan", "tanh", "cosh")},
    **{f"arc{name}": f"a{name}(u)" for name in ("sin", "cos", "tan")},
    "0": "@_constant(u)",
    "x": "u",
    "x^2": "u * u",
    **{f"x^{n}": f"pow(u, {n}.0)" for n in range(3, 6)},
    "1/x": "u == 0.0 ? NAN : 1.0 / u",
    **{f"1/x^{n}": f"u == 0.0 ? NAN : pow(u, -{n}.0)" for n in range(2, 6)},
    "1/sqrt": "u == 0.0 ? NAN : 1.0 / sqrt(u)",
    "x^1.5": "pow(u, 1.5)",
    "log": "u == 0.0 ? NAN : log(u)",
    "abs": "fabs(u)",
    "sgn": "@_sign(u)",
    "arctanh": "fabs(u) == 1.0 ? NAN : atanh(u)",
    "sigmoid": "@_sigmoid(u)",
    "gaussian": "exp(-u * u)",
    "logcosh": "@_logcosh(u)",
    "1/|x|": "u == 0.0 ? NAN : 1.0 / fabs(u)",
}
BASES = {"silu": "@_silu", "identity": "@_identity", "zero": "@_constant"}
_SIGMOID = """static double @_sigmoid(double u) {
    const double small = exp(-fabs(u));
    return (u < 0.0 ? small : 1.0) / (1.0 + small);
}
"""
_LOG_COSH = """static double @_logcosh(double u) {
    const double size = fabs(u), half = sinh(0.5 * (size < 1.0 ? size : 1.0));
    return size < 1.0 ? log1p(2.0 * half * half) : size + log1p(exp(-2.0 * size)) - log(2.0);
}
"""
# auxiliary function -> its text, which is written if it is called
AUXILIARY = {
    "@_silu": "static double @_silu(double x) {\n    return x * @_sigmoid(x);\n}\n",
    "@_sigmoid": _SIGMOID,
    "@_identity": "static double @_identity(double x) {\n    return x;\n}\n",
    "@_constant": "static double @_constant(double u) {\n    return u != u ? u : 0.0;\n}\n",
    "@_logcosh": _LOG_COSH,
    "@_sign": "static double @_sign(double u) {\n"
    "    return u > 0.0 ? 1.0 : u < 0.0 ? -1.0 : u;\n}\n",
}
LAYER = """/* The B-splines that can be nonzero at x, m = first, ..., first + degree;
   returns first. Intervals are closed on the left, the last non-empty one on both sides; outside
   the knot vector t all are 0. Knots beyond its ends are copies of the end knots. */
static int @_active(const double *t, int n_knots, int degree, double x, double *active) {
    int low = 0, high = n_knots - 1, d, r;
    if (!(x >= t[0] && x <= t[n_knots - 1])) {
        for (r = 0; r <= degree; r++) active[r] = 0.0;
        return 0;
    }
    while (high > 0 && t[high - 1] == t[n_knots - 1]) high--;
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (t[middle] <= x) low = middle; else high = middle;
    }
    active[0] = 1.0;
    for (d = 1; d <= degree; d++) {
        double saved = 0.0;
        for (r = 0; r < d; r++) {
            const int left = low - d + 1 + r, right = low + 1 + r;
            const double below = t[left < 0 ? 0 : left];
            const double above = t[right < n_knots ? right : n_knots - 1];
            const double quotient = active[r] / ((above - x) + (x - below));
            active[r] = saved + (above - x) * quotient;
            saved = (x - below) * quotient;
        }
        active[d] = saved;
    }
    return low - degree;
}

/* y_j = sum_i base_weights_ji @_base(x_i) + sum_i sum_m spline_jim B_m(x_i) */
static void @_layer(const double *x, double *y, int n_in, int n_out, int n_knots, int degree,
                    double (*@_base)(double), const double *knots, const double *base_weights,
                    const double *spline) {
    const int n_basis = n_knots - degree - 1;
    int i, j, r;
    for (j = 0; j < n_out; j++) y[j] = 0.0;
    for (i = 0; i < n_in; i++) {
        double active[@DEGREE + 1];
        const int first = @_active(knots + i * n_knots, n_knots, degree, x[i], active);
        const int from = first < 0 ? -first : 0;
        const int to = first + degree < n_basis ? degree : n_basis - 1 - first;
        const double value = @_base(x[i]);
        for (j = 0; j < n_out; j++) {
            const double *c = spline + (j * n_in + i) * n_basis;
            double sum = base_weights[j * n_in + i] * value;
            for (r = from; r <= to; r++) sum += c[first + r] * active[r];
            y[j] += sum;
        }
    }
}
"""
CHECK = """    int n;
    for (n = 0; n < {n_in}; n++) {{
        if (!isfinite(x[n])) {{
            for (n = 0; n < {n_out}; n++) y[n] = NAN;
            return;
        }}
    }}"""
HEAD = """/* Kolmogorov-Arnold network {widths}: x has {n_in} numbers, y {n_out}, not overlapping.
   C99; link with -lm. No memory is allocated, no state is kept. A number of y is nan where the
   network has no value: x that is not finite, a symbolic function outside its domain, an output
   beyond the largest double (do not compile with -ffast-math). */
#include <math.h>

"""
