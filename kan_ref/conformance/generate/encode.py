"""How the vectors are written: arrays as decimals and bits, cases, and files.

An array is {"shape", "decimal", "hex"}. "decimal" holds its numbers in C order, as the shortest
decimals that read back as the same float64. "hex" holds 16 hex digits for each number, the
big-endian IEEE-754 bits. Integers and text are written as they are.

A large input is {"shape", "recurrence"} instead. Its numbers in C order are

    (C23)  low + (2 s_n + 1) step,   s_0 = start,   s_{n+1} = (75 s_n + 74) mod 65537

with a power of two as step, so that every number is exact in float64 (and in float32). The
recurrence runs through 65536 integers before it repeats, and no number is a knot of a coarse grid.
"""

import hashlib
import json
import math
import struct
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kan_ref.conformance.generate.exact import Sums, to_float

SCHEMA_VERSION = 2  # of the form of the files
CONTRACT_VERSION = 6  # of files without newer cases; each case says since which version it exists
MULTIPLIER, INCREMENT, MODULUS = 75, 74, 65537
FLAGS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "flags.toml").read_text(encoding="utf-8")
)
PAGE = "docs/conformance.md"
Case = dict[str, Any]
Document = dict[str, Any]
Cases = Callable[[], Iterable[Case]]
TOPICS: list[Callable[[], Document]] = []


# --- numbers


def dice(seed: str, n: int, *, low: float, high: float, steps: int = 1024) -> list[float]:
    """Return `n` reproducible numbers low + (high - low) r / steps with odd r < steps.

    A hash of `seed` draws r. Since r is odd, no number is a knot of a coarse grid.
    """
    draws = [
        int.from_bytes(hashlib.sha256(f"{seed}/{place}".encode()).digest()[:8], "big")
        for place in range(n)
    ]
    return [low + (high - low) * (1 + 2 * (draw % (steps // 2))) / steps for draw in draws]


class Drawn(list[Any]):
    """Nested lists of the numbers (C23), which are written as their recurrence."""

    recurrence: dict[str, Any]


def drawn(start: int, shape: Sequence[int], low: float, high: float) -> Drawn:
    """Return numbers of (C23) between low and high; high - low must be a power of two."""
    step = (high - low) / 2**17
    if math.frexp(step)[0] != 0.5 or not 0 <= start < MODULUS - 1:
        raise ValueError(
            f"start is {start}, low {low:g}, high {high:g}: high - low must be a power of two, "
            f"start from 0 to {MODULUS - 2}"
        )
    numbers, state = [], start
    for _ in range(math.prod(shape)):
        numbers.append(low + (2 * state + 1) * step)
        state = (MULTIPLIER * state + INCREMENT) % MODULUS
    nested: list[Any] = numbers
    for length in reversed(shape[1:]):
        nested = [nested[n : n + length] for n in range(0, len(nested), length)]
    found = Drawn(nested)
    rule = {"start": start, "multiplier": MULTIPLIER, "increment": INCREMENT, "modulus": MODULUS}
    found.recurrence = {**rule, "low": low, "step": step}
    return found


# --- arrays


def flatten(nested: Any) -> Iterator[float]:
    """Yield the numbers of nested lists in C order, as float64."""
    if isinstance(nested, list | tuple):
        for item in nested:
            yield from flatten(item)
    else:
        yield to_float(nested)


def shape_of(nested: Any) -> list[int]:
    """Return the shape of nested lists."""
    if not isinstance(nested, list | tuple):
        return []
    return [len(nested), *(shape_of(nested[0]) if nested else [])]


def array(nested: Any, shape: Sequence[int] | None = None) -> dict[str, Any]:
    """Return an array as it is written.

    `shape` is given where nested lists cannot show it, as for an empty batch.
    """
    if isinstance(nested, Drawn):
        return {"shape": shape_of(nested), "recurrence": nested.recurrence}
    if isinstance(nested, Sums):
        nested, shape = nested.nested(), nested.shape
    numbers = [number + 0.0 for number in flatten(nested)]  # turns -0.0 into 0.0
    packed = struct.pack(f">{len(numbers)}d", *numbers).hex()
    size = shape_of(nested) if shape is None else list(shape)
    return {"shape": size, "decimal": numbers, "hex": packed}


def encoded(value: Any) -> Any:
    """Return an argument or an answer as it is written, with the arrays inside it.

    Integers, text and arrays that are written already stay.
    """
    if isinstance(value, Mapping):
        return value if "shape" in value else {name: encoded(one) for name, one in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], int | Mapping):
        return [encoded(one) for one in value]
    return value if isinstance(value, int | str) else array(value)


def fits_float32(written: Any) -> bool:
    """Return whether every float of an argument is exact in float32."""
    if isinstance(written, Mapping) and "decimal" in written:
        return all(
            abs(n) < 1e38 and struct.unpack(">f", struct.pack(">f", n))[0] == n
            for n in written["decimal"]
        )
    if isinstance(written, Mapping) and "recurrence" not in written:
        return all(map(fits_float32, written.values()))
    return all(map(fits_float32, written)) if isinstance(written, list) else True


# --- cases and files


def within(found: Mapping[str, Sums], factor: float, prefix: str = "") -> dict[str, Any]:
    """Return the answers of a case: sums, each with its bound on rounding errors.

    It is `factor` times the largest sum of absolute terms, or times 1 where there are no terms.
    """
    return {prefix + name: (sums, factor * (sums.scale or 1.0)) for name, sums in found.items()}


def case(
    name: str,
    method: str,
    flags: str,
    given: Mapping[str, Any],
    answers: Mapping[str, tuple[Any, float | None]],
    *,
    kind: str = "required",
    since: int = 1,
    float32: bool = True,
    **more: Any,
) -> Case:
    """Return one case: `method` called with `given` has the `answers`, (value, tolerance) each.

    `flags` are names from flags.toml, the most specific first. The tolerance of a text, or of an
    integer that is no rounded number, is None. `since` is the first version of the contract that
    has the case. `more` are the points of a probe, or how the method is called.
    """
    unknown = set(flags.split()) - set(FLAGS)
    if unknown:
        raise ValueError(f"case {name} has flags {sorted(unknown)}, which flags.toml does not have")
    inputs, others = encoded(given), encoded(more)
    return {
        "id": name,
        "method": method,
        "flags": list(dict.fromkeys(flags.split())),
        "class": kind,
        "since": since,
        "float32": float32 and fits_float32(inputs) and fits_float32(others),
        "inputs": inputs,
        "expected": {output: encoded(value) for output, (value, _) in answers.items()},
        "tolerance": {
            output: float(f"{bound:.2g}")
            for output, (_, bound) in answers.items()
            if bound is not None
        },
        **others,
    }


def document(
    name: str, cases: list[Case], level: int, needs: str, equation: str, family: str = "bspline"
) -> Document:
    """Return a file: header and cases.

    `needs` are the topics without which this one tells nothing. `family` is "bspline", the
    paper's, or another one, whose cases are never counted with it.
    """
    names = [entry["id"] for entry in cases]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"topic {name} has two cases with the same id: {twice}")
    flags = {flag for entry in cases for flag in entry["flags"]}
    flags |= {flag for flag, row in FLAGS.items() if name in row.get("shows", ())}
    return {
        "topic": name,
        "schema": SCHEMA_VERSION,
        "contract": max(CONTRACT_VERSION, *(entry["since"] for entry in cases)),
        "basis_family": family,
        "level": level,
        "needs": needs.split(),
        "equation": equation,
        "notes": {
            flag: {"defect": FLAGS[flag]["defect"], "page": f"{PAGE}#{flag.lower()}"}
            for flag in sorted(flags)
        },
        "n_cases": len(cases),
        "cases": [{**entry, "id": f"{name}/{entry['id']}"} for entry in cases],
    }


def topic(name: str, *header: Any) -> Callable[[Cases], Callable[[], Document]]:
    """Register a function that yields cases, and turn it into one that returns their file.

    `header` are the level, the needs, the equation and the family of `document`.
    """

    def register(make: Cases) -> Callable[[], Document]:
        def made() -> Document:
            return document(name, list(make()), *header)

        made.__name__, made.__doc__ = name, make.__doc__
        TOPICS.append(made)
        return made

    return register


def text(whole: Document) -> str:
    """Return a file as it is written: each entry of the header and each case on its own line."""
    head = [f"{json.dumps(key)}: {_dense(value)}" for key, value in whole.items() if key != "cases"]
    lines = ",\n  ".join(_dense(entry) for entry in whole["cases"])
    return "{" + ",\n ".join([*head, f'"cases": [\n  {lines}\n ]']) + "}\n"


def _dense(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
