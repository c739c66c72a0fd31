"""The formula of a network: SymPy expression, its values, exact constants."""

from kan_ref.formulas.expression import formula as formula
from kan_ref.formulas.expression import formula_latex as formula_latex
from kan_ref.formulas.recognition import Recognition as Recognition
from kan_ref.formulas.recognition import recognise_constants as recognise_constants
from kan_ref.formulas.values import check_names as check_names
