"""Measurements of kan_ref against plain NumPy in the same run; each module is a program."""

import sys

from kan_ref.program import report_interrupts

if sys.argv[:1] == ["-m"]:  # `python -m benchmarks.NAME` loads this package before its module
    report_interrupts()
