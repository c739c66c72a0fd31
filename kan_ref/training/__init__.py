"""Training: losses, the objective and its gradient, fit, several initializations."""

from kan_ref.training.data_goal import check_batch as check_batch
from kan_ref.training.data_goal import value_and_grad as value_and_grad
from kan_ref.training.fit_arguments import check_start as check_start
from kan_ref.training.fitting import fit as fit
from kan_ref.training.held_out import best_constant as best_constant
from kan_ref.training.held_out import compare as compare
from kan_ref.training.held_out import hold_out as hold_out
from kan_ref.training.held_out import hold_out_classes as hold_out_classes
from kan_ref.training.held_out import sample_losses as sample_losses
from kan_ref.training.held_out import spread_order as spread_order
from kan_ref.training.history import History as History
from kan_ref.training.history import Run as Run
from kan_ref.training.history import Step as Step
from kan_ref.training.predictions import predict_labels as predict_labels
from kan_ref.training.predictions import predict_proba as predict_proba
from kan_ref.training.standardization import Scaler as Scaler
from kan_ref.training.standardization import scaled as scaled
from kan_ref.training.starts import best_start as best_start
from kan_ref.training.starts import run_starts as run_starts
from kan_ref.training.validated_fit import Candidate as Candidate
from kan_ref.training.validated_fit import ValidatedRun as ValidatedRun
from kan_ref.training.validated_fit import fit_validated as fit_validated
