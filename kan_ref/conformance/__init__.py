"""The conformance kit: vectors to test any implementation of KANs, and a runner that names defects.

The vectors (`vectors/*.json`, all with one schema) come from exact arithmetic
(`generate`), not from this package; kan_ref is tested like any other implementation. There are
three ways to use them:

    python -m kan_ref.conformance --adapter module:Class      Python, in a process of its own
    python -m kan_ref.conformance --program "command"         any language, JSON lines
    @pytest.mark.parametrize("case", pytest_cases(MyAdapter)) in one's own tests

`docs/conformance.md` explains how to write an adapter, the protocol, and the meaning of each flag.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kan_ref.conformance.suite import Check as Check
    from kan_ref.conformance.suite import pytest_cases as pytest_cases


def __getattr__(name: str) -> Any:
    """Load the public names when they are used: `plugin` is loaded in every run of pytest."""
    if name in ("Check", "pytest_cases"):
        from kan_ref.conformance.suite import Check, pytest_cases

        return {"Check": Check, "pytest_cases": pytest_cases}[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
