"""The outcome of a case, and the statuses that count as right, open and wrong."""

from dataclasses import dataclass, field

from kan_ref.conformance.cases import Case
from kan_ref.conformance.judge import Verdict

RIGHT = ("passed", "xpassed")
GOOD = (*RIGHT, "differs")  # no fault of the subject
BAD = ("failed", "blocked")


@dataclass(frozen=True, eq=False)
class Outcome:
    """One case and its result.

    `status`: "passed"; "failed"; "skipped" (not supported, or not in this precision); "differs"
    (where the contract leaves the answer open); "xfailed", "xpassed" (listed as failing); "blocked"
    (failed after a topic on which it depends). `reason`: the status in words.
    """

    case: Case
    status: str
    reason: str = ""
    verdict: Verdict = field(default_factory=lambda: Verdict(True))
