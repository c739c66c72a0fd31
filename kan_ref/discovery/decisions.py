"""What a search decided about a function, in words with numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """What was decided about a function of some inputs, in words with numbers."""

    depth: int
    what: str
    misfit: float
    error: float

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.what}: misfit {self.misfit:.1e}, error {self.error:.1e}"
