"""C texts: the functions of the library, the base functions, the layer (I9)-(I10).

In all texts "@" stands for the name of the network's function.
"""

# function of the library -> C expression in u; nan at a pole
FORMULAS = {
    "0": "@_constant(u)",
    "x": "u",
    "x^2": "u * u",
    "x^3": "pow(u, 3.0)",
    "x^4": "pow(u, 4.0)",
    "x^5": "pow(u, 5.0)",
    "1/x": "u == 0.0 ? NAN : 1.0 / u",
    "1/x^2": "u == 0.0 ? NAN : pow(u, -2.0)",
    "1/x^3": "u == 0.0 ? NAN : pow(u, -3.0)",
    "1/x^4": "u == 0.0 ? NAN : pow(u, -4.0)",
    "1/x^5": "u == 0.0 ? NAN : pow(u, -5.0)",
    "sqrt": "sqrt(u)",
    "1/sqrt": "u == 0.0 ? NAN : 1.0 / sqrt(u)",
    "x^1.5": "pow(u, 1.5)",
    "exp": "exp(u)",
    "log": "u == 0.0 ? NAN : log(u)",
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
HEAD = """/* Kolmogorov-Arnold network {widths}: x has {n_in} numbers, y {n_out}, not overlapping.
   C99; link with -lm. No memory is allocated, no state is kept. A number of y is nan where the
   network has no value: x that is not finite, a symbolic function outside its domain, an output
   beyond the largest double (do not compile with -ffast-math). */
#include <math.h>

"""
