"""What notebooks show of a record: HTML by `kan_ref.drawing`, which is loaded for the first."""

import importlib


class Record:
    """A base class of records that notebooks show as HTML, and formulas as LaTeX."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows, None for the text alone."""
        found: str | None = importlib.import_module("kan_ref.drawing").html_of(self)
        return found

    def _repr_latex_(self) -> str | None:
        """Return the formula of a record as LaTeX, None if it has none."""
        found: str | None = importlib.import_module("kan_ref.drawing").latex_of(self)
        return found
