"""Where the checkout is: the folder of pyproject.toml."""

import signal
from pathlib import Path

ROOT = Path(__file__).parents[2]


def take_interrupts():
    """Let a new process be interrupted: as `preexec_fn`, since a shell's job in the background ignores SIGINT, and so do its processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
