"""Optimizers on flat vectors: Adam, L-BFGS, Levenberg-Marquardt; they import no network."""

from kan_ref.optimizers.adam import adam as adam
from kan_ref.optimizers.lbfgs import lbfgs as lbfgs
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt as levenberg_marquardt
from kan_ref.optimizers.result import Callback as Callback
from kan_ref.optimizers.result import Iterate as Iterate
from kan_ref.optimizers.result import OptimizeResult as OptimizeResult
from kan_ref.optimizers.result import ValueAndGrad as ValueAndGrad
from kan_ref.optimizers.result import steps_are_done as steps_are_done
from kan_ref.optimizers.result import stop_reason as stop_reason
