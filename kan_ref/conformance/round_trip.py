"""Files that lose nothing: a value that is written and read again is the same, bit for bit.

Equality is not enough: 0 = -0, and nan is not equal to nan. Here numbers are compared by their
bits. A format that writes 17 digits passes; one that writes 16, or converts to float32, does not.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def check_round_trip(round_trip: Callable[[Any], Any], value: object) -> None:
    """Check that a value that is written and read again is the same, bit for bit.

    nan, the sign of 0, dtypes and shapes are compared too.

    Parameters
    ----------
    round_trip : callable
        value -> value: writes and reads.
    value : object
        Arrays, numbers, text, bools and None in dicts, lists and tuples, nested to any depth: a
        layer of the adapter protocol, for example.

    Raises
    ------
    ValueError
        "round_trip changed value['coef'][0, 1, 2] from 0.1 to 0.10000000149011612"
    TypeError
        The value holds something that cannot be compared.
    """
    if not callable(round_trip):
        raise TypeError(f"round_trip is a {type(round_trip).__name__}, but must be a function")
    before = copy.deepcopy(value)
    _same("value", before, round_trip(value))


def _same(name: str, before: object, after: object) -> None:
    if isinstance(before, Mapping):
        if not isinstance(after, Mapping) or set(before) != set(after):
            got = (
                f"the keys {sorted(map(str, after))}"
                if isinstance(after, Mapping)
                else f"a {type(after).__name__}"
            )
            raise ValueError(
                f"round_trip changed {name} from the keys {sorted(map(str, before))} to {got}"
            )
        for key, item in before.items():
            _same(f"{name}[{key!r}]", item, after[key])
    elif isinstance(before, list | tuple):
        if type(before) is not type(after) or len(before) != len(after):
            raise ValueError(
                f"round_trip changed {name} from {type(before).__name__} "
                f"to {type(after).__name__}, or its length"
            )
        for place, (item, other) in enumerate(zip(before, after, strict=True)):
            _same(f"{name}[{place}]", item, other)
    elif isinstance(before, np.ndarray | np.generic | float):
        _same_bits(name, before, after)
    elif before is None or isinstance(before, str | bytes | bool | int):
        if type(before) is not type(after) or before != after:
            raise ValueError(f"round_trip changed {name} from {before!r} to {after!r}")
    else:
        raise TypeError(
            f"{name} is a {type(before).__name__}, but must be made of arrays, numbers, text, "
            "bools, None, dicts, lists and tuples"
        )


def _same_bits(name: str, before: Any, after: Any) -> None:
    kinds = [
        f"{type(item).__name__} of {getattr(item, 'dtype', 'float64')} {np.shape(item)}"
        for item in (before, after)
    ]
    if kinds[0] != kinds[1] or type(before) is not type(after):
        raise ValueError(f"round_trip changed {name} from {kinds[0]} to {kinds[1]}")
    one, other = np.asarray(before), np.asarray(after)
    if one.dtype.hasobject:
        raise TypeError(f"{name} has dtype object, but must hold numbers or text")
    for place in np.ndindex(one.shape):
        if one[place].tobytes() != other[place].tobytes():
            where = f"[{', '.join(map(str, place))}]" if place else ""
            raise ValueError(
                f"round_trip changed {name}{where} from {one[place]!s} to {other[place]!s}"
            )
