"""Decide whether a simpler architecture is acceptable beside a richer one.

With the validation errors e of the trial and r of its reference, (D1) of `trials`, both taken on
the same held-out samples, a trial that was still falling fast on its last grid is limited by the
grid, not by its architecture. Hence the rule for errors without noise,

    (D2)  e <= allowed * r,   or e <= 10 r if e was still falling fast on the last grid

With noise (D2) fails: e and r contain the noise, and where that is large, an input that matters
raises the error by a small factor. The squared errors of the same sample contain the same noise,
which their difference d_b does not. A trial is acceptable, if it is by one of the two conditions

    (D8)  mean_b d_b <= std_b(d_b) / sqrt(n)               n held-out samples, standard error
    (D9)  (D2) with allowed = 1.5 and r at least 1e-7 s,   if r <= tolerance * s, or if e <= 0.1 s
                                                           was still falling fast

where s is the standard deviation of the targets. (D9) is for errors of splines and of training:
these are not noise, so that any difference is significant, even one from 1e-9 s to 1e-7 s.

For classes d_b is the difference of their losses. A trial is acceptable by (D8), or if its mean
loss is at most `tolerance`: 0.001 nats mean that right classes have probabilities near 0.999.
By (D8) alone an input with a weak effect is lost, where few labels are held out. Hence a trial is
acceptable by (D8) only if its residuals y - p at the training samples have no structure
(`class_residuals`), or those of the reference have some, too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kan_ref.discovery.trials import ArchitectureTrial
from kan_ref.network import Network
from kan_ref.training import compare

ALLOWED = 1.5  # times the reference's error
FALLING = 10.0  # the same where the error fell to WORTH^4 or less on the last grid
LEAST = 1e-7  # of the targets' standard deviation: smaller errors count as this one
MOST_FALLING = 0.1  # of it: a network with a larger error is not limited by its grid


@dataclass(frozen=True)
class RatioRule:
    """(D2) alone, for all errors; the first reference stays."""

    allowed: float

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the error is allowed beside that of the reference, by (D2)."""
        return _allowed(trial, reference.error, self.allowed)

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the reference: errors of simpler architectures may not add up."""
        del kept
        return reference


@dataclass(frozen=True)
class PairedRule:
    """(D8) or (D9); the reference is the trial with the smallest error so far."""

    tolerance: float
    std: float  # of the targets

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the trial is as good as the reference, by (D8) or (D9)."""
        assert trial.losses is not None
        assert reference.losses is not None
        # [eq:acceptable-removal]
        as_good = compare(trial.losses, reference.losses).as_good
        exact = reference.error <= self.tolerance * self.std
        limited = trial.falling and trial.error <= MOST_FALLING * self.std
        least = max(reference.error, LEAST * self.std)
        return as_good or ((exact or limited) and _allowed(trial, least, ALLOWED))
        # [/eq:acceptable-removal]

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the better of the two, so that no later trial may lose what a removal gained."""
        return min(reference, kept, key=lambda trial: trial.error)


@dataclass(frozen=True)
class ClassRule:
    """The rule for classes; the reference is the trial with the smallest loss so far."""

    tolerance: float  # nats
    is_suspected: Callable[[Network], bool]  # whether a network's residual has structure

    def accepts(self, trial: ArchitectureTrial, reference: ArchitectureTrial) -> bool:
        """Return whether the trial is as good as the reference, or has next to no loss."""
        assert trial.losses is not None
        assert reference.losses is not None
        if trial.error <= self.tolerance:
            return True
        return compare(trial.losses, reference.losses).as_good and (
            not self.is_suspected(trial.network) or self.is_suspected(reference.network)
        )

    def reference(self, reference: ArchitectureTrial, kept: ArchitectureTrial) -> ArchitectureTrial:
        """Return the better of the two."""
        return min(reference, kept, key=lambda trial: trial.error)


def _allowed(trial: ArchitectureTrial, least: float, allowed: float) -> bool:
    """Return whether an error is allowed beside the smallest one, by (D2)."""
    # [eq:allowed-error]
    return trial.error <= (max(allowed, FALLING) if trial.falling else allowed) * least
    # [/eq:allowed-error]
