"""Records: attributes that a record does not have raise a message that names the remedy.

A name of `ATTRIBUTES` is a descriptor of the class that raises AttributeError. So `hasattr` is
False, and existing attributes are found as fast as without it, which `__getattr__` would slow down.

Notebooks show a record as HTML: `kan_ref.drawing` is loaded when the first one is shown.
"""

import importlib
from collections.abc import Iterable
from typing import NoReturn

from kan_ref.checks.other_names import ATTRIBUTES

_AN = ("MLP", "Elimination")  # a vowel sounds first


class Missing:
    """A descriptor that raises AttributeError: "a Network has no attribute fit: write ..."."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name, self.remedy = name, remedy

    def __get__(self, record: object, kind: type) -> NoReturn:
        article = "an" if kind.__name__ in _AN else "a"
        raise AttributeError(
            f"{article} {kind.__name__} has no attribute {self.name}: write {self.remedy}",
            name=self.name,
            obj=kind if record is None else record,
        )


class Record:
    """A base class whose subclasses explain the attributes that `ATTRIBUTES` lists for them."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {*vars(cls), *vars(cls).get("__annotations__", ())}
        for classes, name, remedy in ATTRIBUTES:
            if cls.__name__ in classes.split() and name not in own:
                setattr(cls, name, Missing(name, remedy))

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows, None for the text alone."""
        found: str | None = importlib.import_module("kan_ref.drawing").html_of(self)
        return found

    def _repr_latex_(self) -> str | None:
        """Return the formula of a record as LaTeX, None if it has none."""
        found: str | None = importlib.import_module("kan_ref.drawing").latex_of(self)
        return found

    def __dir__(self) -> Iterable[str]:
        """Return the attributes that exist."""
        return [name for name in super().__dir__() if not _is_missing(type(self), name)]


def _is_missing(kind: type, name: str) -> bool:
    """Return whether the first definition of a name in a class or its parents is a `Missing`."""
    found = (vars(base)[name] for base in kind.__mro__ if name in vars(base))
    return isinstance(next(found, None), Missing)


def what(value: object) -> str:
    """Return how a message names a value: a record by its kind alone, since its text is long."""
    if not isinstance(value, Record):
        return repr(value)
    kind = type(value).__name__
    return f"{'an' if kind in _AN else 'a'} {kind}"


def network_remedy(value: object) -> str:
    """Return the end of a message where a network is wanted and a record that has one came."""
    if isinstance(value, type) or not hasattr(value, "network"):
        return ""
    kind = type(value).__name__
    if value.network is None:
        return f": the network of this {kind} is None, and its verdict says why"
    return f": a {kind} has it as .network"
