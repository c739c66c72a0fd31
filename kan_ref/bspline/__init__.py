"""B-splines: knot vectors, Cox-de Boor, weighted sums, knot insertion, curve fits.

Public, with checks of every argument, are basis, basis_integral, blended_knots,
check_knots, data_bounds, extended_knots, fit_curve, greville, hidden_bounds,
insert_knots, jump_weights, refined_breakpoints and uniform_knots. The other names are
for the packages of kan_ref: they take checked arguments, check nothing and may change
at any time.
"""

from kan_ref.bspline.bases import (
    basis, basis_integral, difference_weights, edge_matrix_gradient, edge_sums,
    greville, jump_weights, scatter,
)
from kan_ref.bspline.blossom import coef_with_knots, insert_knots
from kan_ref.bspline.curve_fit import fit_curve, move_coefficients
from kan_ref.bspline.evaluation import (
    ActiveBasis, Bases, Workspace, evaluate_bases, gathers, matrix_gradient, slope_sums,
    spline_sums,
)
from kan_ref.bspline.knots import (
    KnotVectors, add_outer_knots, check_knots, extended_knots, interpolate_in_rank,
    keep_outer_knots, prepare_knots, refined_breakpoints, uniform_knots,
)
from kan_ref.bspline.placement import blended_knots, data_bounds, hidden_bounds
