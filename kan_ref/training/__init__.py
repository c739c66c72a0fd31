"""Training: losses, terms, objective, methods, `fit`, starts, choices, findings."""

from kan_ref.training.cross_validation import ValidatedRun, cross_validate
from kan_ref.training.diagnose import Finding, diagnose, undefined_at
from kan_ref.training.fit import fit
from kan_ref.training.held_out import (
    best_constant,
    compare,
    hold_out,
    sample_losses,
    spread_order,
)
from kan_ref.training.losses import LOSSES, MSE, Loss, predict_proba
from kan_ref.training.methods import LBFGS, LM, Adam
from kan_ref.training.objective import Objective, value_and_grad
from kan_ref.training.runs import History, Run, Step
from kan_ref.training.standardization import Scaler, scaled
from kan_ref.training.starts import best_start
from kan_ref.training.terms import DataTerm, SmoothTerm, values_at
