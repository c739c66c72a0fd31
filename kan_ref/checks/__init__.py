"""Input validation: what an argument must be, and messages that name the remedy."""

from kan_ref.checks.array_remedies import as_array as as_array
from kan_ref.checks.array_remedies import label_remedy as label_remedy
from kan_ref.checks.array_remedies import number_classes as number_classes
from kan_ref.checks.array_remedies import shape_remedy as shape_remedy
from kan_ref.checks.calls import explain_call as explain_call
from kan_ref.checks.other_names import CALLS as CALLS
from kan_ref.checks.records import Record as Record
from kan_ref.checks.records import network_remedy as network_remedy
from kan_ref.checks.values import BoolArray as BoolArray
from kan_ref.checks.values import FloatArray as FloatArray
from kan_ref.checks.values import IntArray as IntArray
from kan_ref.checks.values import check_choice as check_choice
from kan_ref.checks.values import check_columns as check_columns
from kan_ref.checks.values import check_finite as check_finite
from kan_ref.checks.values import check_flag as check_flag
from kan_ref.checks.values import check_float_array as check_float_array
from kan_ref.checks.values import check_generator as check_generator
from kan_ref.checks.values import check_integer as check_integer
from kan_ref.checks.values import check_number as check_number
from kan_ref.checks.values import check_overflow as check_overflow
from kan_ref.checks.values import check_rectangular as check_rectangular
