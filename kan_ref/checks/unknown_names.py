"""Names that do not exist, of arguments and attributes: one message that names the right ones.

A call with arguments that a function does not have is explained when it fails. A name of
`ATTRIBUTES` is a descriptor of the class of a record, that raises AttributeError. So `hasattr` is
False, and existing attributes are found as fast as without it, which `__getattr__` would slow down.

Notebooks show a record as HTML: `kan_ref.drawing` is loaded when the first one is shown.
"""

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from kan_ref.checks.array_remedies import shown
from kan_ref.checks.other_names import ARGUMENTS, ATTRIBUTES, NEAR, REQUIRED

_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

_AN = ("MLP", "Elimination")  # a vowel sounds first


def failed_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> str | None:
    """Return why a call that failed does not fit the function, or None if it does."""
    name = function.__qualname__
    if function.__name__ == "__init__":  # of the class that is called, which may inherit it
        name = type(args[0]).__name__
    return call_message(name, inspect.signature(function).parameters, len(args), kwargs)


def call_message(
    name: str, parameters: Mapping[str, inspect.Parameter], n_args: int, given: Iterable[str]
) -> str | None:
    """Return why a call does not fit the parameters of a function, or None if names and number do.

    Parameters
    ----------
    name : str
        Name of the function.
    parameters : mapping
        As in `inspect.signature(function).parameters`; a leading self or cls is not counted.
    n_args : int
        Number of arguments by position, with self or cls.
    given : iterable of str
        Names of the arguments by name.
    """
    kinds = [parameter.kind for parameter in parameters.values()]
    own = [other for other in parameters if other not in ("self", "cls")]
    unknown = [other for other in given if other not in parameters]
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds:
        names = ", ".join(map(repr, unknown))
        remedies = "; ".join(dict.fromkeys(_remedy(other, name, own) for other in unknown))
        return f"{name} has no argument{'s' * (len(unknown) > 1)} {names}: {remedies}"
    by_name = [other for other in own if parameters[other].kind == inspect.Parameter.KEYWORD_ONLY]
    placed = [other for other in own if other not in by_name]
    n_placed = n_args - (len(parameters) - len(own))
    if n_placed > len(placed) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        rest = f": give the others by name ({', '.join(f'{n}=' for n in by_name)})"
        samples = "; samples x and y become data by kan_ref.Data.split(x, y, rng=rng)"
        return (
            f"{name} takes {len(placed)} argument{'s' * (len(placed) != 1)} by position"
            f" ({', '.join(placed)}), but {n_placed} came{rest if by_name else ''}"
            f"{samples if 'data' in placed else ''}"
        )
    came = {*given, *placed[: max(n_placed, 0)]}
    missing = [
        other
        for other in own
        if parameters[other].default is inspect.Parameter.empty
        and parameters[other].kind not in _COLLECTING
        and other not in came
    ]
    known = dict.fromkeys(REQUIRED[other] for other in missing if other in REQUIRED)
    if not known:
        return None
    plural = "s" * (len(missing) > 1)
    return f"{name} lacks the argument{plural} {', '.join(missing)}: {'; '.join(known)}"


def _remedy(unknown: str, function: str, own: list[str]) -> str:
    """Return what stands for an unknown argument: its row of `ARGUMENTS`, or the nearest name."""
    rows = [row for row in ARGUMENTS if row.theirs == unknown]
    for row in rows:
        if row.ours in own:
            return row.words
    for row in rows:
        return f"{row.words}, an argument of {row.function}" if row.function else row.words
    near = difflib.get_close_matches(unknown, own, n=1, cutoff=NEAR)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"its arguments are {', '.join(own)}" if own else f"{function} takes no arguments"


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
        return shown(value)
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
