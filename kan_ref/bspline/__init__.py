"""B-splines: knot vectors, the Cox-de Boor recursion, weighted sums, knot insertion, curve fits.

Public, with checks of every argument, are basis, basis_integral, blended_knots, check_knots,
data_bounds, extended_knots, fit_curve, greville, hidden_bounds, insert_knots, jump_weights,
percentile_bounds, refined_breakpoints and uniform_knots. The other names are for the packages of
kan_ref: they take checked arguments, check nothing and may change at any time.
"""

from kan_ref.bspline.bases import basis as basis
from kan_ref.bspline.bases import basis_integral as basis_integral
from kan_ref.bspline.bases import difference_weights as difference_weights
from kan_ref.bspline.bases import edge_matrix_gradient as edge_matrix_gradient
from kan_ref.bspline.bases import edge_sums as edge_sums
from kan_ref.bspline.bases import greville as greville
from kan_ref.bspline.bases import jump_weights as jump_weights
from kan_ref.bspline.bases import scatter as scatter
from kan_ref.bspline.bases import squared as squared
from kan_ref.bspline.blossom import coef_with_knots as coef_with_knots
from kan_ref.bspline.blossom import insert_knots as insert_knots
from kan_ref.bspline.curve_fit import fit_curve as fit_curve
from kan_ref.bspline.curve_fit import move_coefficients as move_coefficients
from kan_ref.bspline.evaluation import ActiveBasis as ActiveBasis
from kan_ref.bspline.evaluation import Bases as Bases
from kan_ref.bspline.evaluation import Workspace as Workspace
from kan_ref.bspline.evaluation import evaluate_bases as evaluate_bases
from kan_ref.bspline.evaluation import gathers as gathers
from kan_ref.bspline.evaluation import matrix_gradient as matrix_gradient
from kan_ref.bspline.evaluation import slope_sums as slope_sums
from kan_ref.bspline.evaluation import spline_sums as spline_sums
from kan_ref.bspline.knots import KnotVectors as KnotVectors
from kan_ref.bspline.knots import add_outer_knots as add_outer_knots
from kan_ref.bspline.knots import check_knots as check_knots
from kan_ref.bspline.knots import extended_knots as extended_knots
from kan_ref.bspline.knots import prepare_knots as prepare_knots
from kan_ref.bspline.knots import uniform_knots as uniform_knots
from kan_ref.bspline.placement import blended_knots as blended_knots
from kan_ref.bspline.placement import data_bounds as data_bounds
from kan_ref.bspline.placement import hidden_bounds as hidden_bounds
from kan_ref.bspline.placement import percentile_bounds as percentile_bounds
from kan_ref.bspline.refined_grids import interpolate_in_rank as interpolate_in_rank
from kan_ref.bspline.refined_grids import keep_outer_knots as keep_outer_knots
from kan_ref.bspline.refined_grids import refined_breakpoints as refined_breakpoints
