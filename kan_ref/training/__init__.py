"""Training: losses, the objective and its gradient, fit, several initializations."""

from kan_ref.training.data_goal import check_batch, value_and_grad
from kan_ref.training.fit_arguments import check_start
from kan_ref.training.fitting import fit
from kan_ref.training.held_out import (
    best_constant, compare, hold_out, hold_out_classes, sample_losses, spread_order,
)
from kan_ref.training.history import History, Run, Step
from kan_ref.training.predictions import predict_labels, predict_proba
from kan_ref.training.standardization import Scaler, scaled
from kan_ref.training.starts import best_start, run_starts
from kan_ref.training.validated_fit import Candidate, ValidatedRun, fit_validated
