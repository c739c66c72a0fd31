"""The conformance kit: vectors that any implementation of KANs can be measured against, and a runner that names the likely defect.

The vectors (`vectors/*.json`, one schema each in `schemas`) come from exact arithmetic (`generate`), not from this package, which is a
subject like others. Three ways to use them:

    python -m kan_ref.conformance --adapter module:Class      Python, in a process of its own
    python -m kan_ref.conformance --program "command"         any language, JSON lines
    @pytest.mark.parametrize("case", pytest_cases(MyAdapter)) in one's own tests

`docs/conformance.md` says how to write an adapter, what the protocol is, and what each flag means.
"""

from kan_ref.conformance.in_pytest import Check as Check
from kan_ref.conformance.in_pytest import pytest_cases as pytest_cases
