"""Rounding errors, and NumPy's floating-point warnings.

Warnings are off in the package's own arithmetic, and as set in a caller's code. A step that is too
long may overflow, and the code that tried it rejects the result by its value. A warning of NumPy
would say nothing new there. In a function that the caller passed it may be the only trace of a
mistake, so there the setting of `numpy.errstate` is the caller's own.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

ROUNDING = 8.0 * float(np.finfo(float).eps)  # relative: numbers of a smaller range are constant

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class CallersFunction:
    """A caller's function with the `errors` setting of the caller, as from `numpy.geterr`."""

    function: Callable[..., Any]
    errors: dict[str, Any]

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function with the caller's setting."""
        with np.errstate(**self.errors):
            return self.function(*arguments, **options)


def keep_warnings(function: Any) -> Any:
    """Return a function that runs with the present setting; anything else is returned itself.

    So is a function where all warnings are off: one part of the package passed it to another.
    """
    errors = dict(np.geterr())
    if not callable(function) or set(errors.values()) == {"ignore"}:
        return function
    return CallersFunction(function, errors)


def quiet_except(*names: str) -> Callable[[Function], Function]:
    """Return a decorator: no warnings in a function, but the caller's setting in some arguments.

    `names` are the parameters that may hold functions of the caller.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def quiet(*arguments: Any, **options: Any) -> Any:
            try:
                bound = signature.bind(*arguments, **options)
            except TypeError:
                return function(*arguments, **options)  # which raises the usual error
            for name in names:
                if name in bound.arguments:
                    bound.arguments[name] = keep_warnings(bound.arguments[name])
            with np.errstate(all="ignore"):
                return function(*bound.args, **bound.kwargs)

        return quiet  # type: ignore[return-value]  # it takes and returns the same

    return decorate
