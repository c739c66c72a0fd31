"""SymPy: the formula of a network, its values, exact constants, and equations as terms."""

from kan_ref.formulas.construction import from_formula as from_formula
from kan_ref.formulas.equation import equation_term as equation_term
from kan_ref.formulas.expression import apply_function as apply_function
from kan_ref.formulas.expression import exact_number as exact_number
from kan_ref.formulas.expression import formula as formula
from kan_ref.formulas.expression import formula_latex as formula_latex
from kan_ref.formulas.expression import latex_texts as latex_texts
from kan_ref.formulas.expression import shown_formula as shown_formula
from kan_ref.formulas.recognition import Recognition as Recognition
from kan_ref.formulas.recognition import recognise_constants as recognise_constants
from kan_ref.formulas.values import check_names as check_names
from kan_ref.formulas.values import numeric_function as numeric_function
from kan_ref.formulas.writing import written as written
