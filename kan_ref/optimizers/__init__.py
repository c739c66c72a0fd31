"""Optimizers on flat vectors: Adam, L-BFGS, Levenberg-Marquardt; they import no
network.
"""

from kan_ref.optimizers.lbfgs import lbfgs
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
from kan_ref.optimizers.points import Function, Point, Points, Steps, adam, steps_done
