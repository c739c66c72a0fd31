"""B-splines: knot vectors, the recursion of Cox and de Boor, weighted sums, knot insertion, least-squares fits of curves."""

from kan_ref.bspline.bases import basis as basis
from kan_ref.bspline.bases import basis_integral as basis_integral
from kan_ref.bspline.bases import greville as greville
from kan_ref.bspline.cox_de_boor import ActiveBasis as ActiveBasis
from kan_ref.bspline.cox_de_boor import KnotVectors as KnotVectors
from kan_ref.bspline.cox_de_boor import active_basis as active_basis
from kan_ref.bspline.cox_de_boor import prepare_knots as prepare_knots
from kan_ref.bspline.cox_de_boor import scatter as scatter
from kan_ref.bspline.curve_fit import fit_curve as fit_curve
from kan_ref.bspline.curve_fit import move_coefficients as move_coefficients
from kan_ref.bspline.knots import blended_knots as blended_knots
from kan_ref.bspline.knots import check_knots as check_knots
from kan_ref.bspline.knots import data_bounds as data_bounds
from kan_ref.bspline.knots import extended_knots as extended_knots
from kan_ref.bspline.knots import hidden_bounds as hidden_bounds
from kan_ref.bspline.knots import refined_breakpoints as refined_breakpoints
from kan_ref.bspline.knots import uniform_knots as uniform_knots
from kan_ref.bspline.sums import Bases as Bases
from kan_ref.bspline.sums import edge_matrix_gradient as edge_matrix_gradient
from kan_ref.bspline.sums import edge_sums as edge_sums
from kan_ref.bspline.sums import evaluate_bases as evaluate_bases
from kan_ref.bspline.sums import gathers as gathers
from kan_ref.bspline.sums import matrix_gradient as matrix_gradient
from kan_ref.bspline.sums import slope_sums as slope_sums
from kan_ref.bspline.sums import spline_sums as spline_sums
