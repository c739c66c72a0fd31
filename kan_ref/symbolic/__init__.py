"""Symbolic fitting (paper, section 2.5.1): from a curve to c f(a x + b) + d."""

from kan_ref.symbolic.affine_fit import AffineFit as AffineFit
from kan_ref.symbolic.affine_fit import fit_affine as fit_affine
from kan_ref.symbolic.canonical import canonical_form as canonical_form
from kan_ref.symbolic.ranking import Choice as Choice
from kan_ref.symbolic.ranking import Place as Place
from kan_ref.symbolic.ranking import check_candidates as check_candidates
from kan_ref.symbolic.ranking import exchange_functions as exchange_functions
from kan_ref.symbolic.ranking import price as price
from kan_ref.symbolic.ranking import rank_functions as rank_functions
from kan_ref.symbolic.ranking import with_fits as with_fits
from kan_ref.symbolic.symbolification import auto_symbolic as auto_symbolic
from kan_ref.symbolic.symbolification import fix_pattern as fix_pattern
from kan_ref.symbolic.symbolification import fix_symbolic as fix_symbolic
from kan_ref.symbolic.symbolification import suggest_symbolic as suggest_symbolic
from kan_ref.symbolic.symbolification import unfix_symbolic as unfix_symbolic
