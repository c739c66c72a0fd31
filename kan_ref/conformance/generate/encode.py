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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from kan_ref.conformance.generate.exact import to_float
from kan_ref.conformance.generate.notes import NOTES, PAGE

SCHEMA_VERSION = 2  # of the form of the files
CONTRACT_VERSION = 6  # of the set of cases: each says since which version it exists
MULTIPLIER, INCREMENT, MODULUS = 75, 74, 65537
CALLS = ("arguments", "twice", "kept", "fortran", "strided", "nan", "threads")  # not simply once
CLASSES = ("required", "acceptable", "implementation-defined")
SEEN = 1e4  # a defect is visible where its answer is this many tolerances from the right one
# (flag, output -> nested lists): the answers of the defect
Wrong = Sequence[tuple[str, Mapping[str, Any]]]


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
    found.recurrence = {
        "start": start,
        "multiplier": MULTIPLIER,
        "increment": INCREMENT,
        "modulus": MODULUS,
        "low": low,
        "step": step,
    }
    return found


def array(nested: Any, shape: Sequence[int] | None = None) -> dict[str, Any]:
    """Return an array as it is written.

    `shape` is given where nested lists cannot show it, as for an empty batch.
    """
    if isinstance(nested, Drawn):
        return {"shape": shape_of(nested), "recurrence": nested.recurrence}
    numbers = [number + 0.0 for number in flatten(nested)]  # turns -0.0 into 0.0
    packed = struct.pack(f">{len(numbers)}d", *numbers).hex()
    size = shape_of(nested) if shape is None else list(shape)
    return {"shape": size, "decimal": numbers, "hex": packed}


def layer_array(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer with its arrays as they are written."""
    return {
        name: value if name in ("degree", "base") else array(value) for name, value in layer.items()
    }


def fits_float32(encoded: Any) -> bool:
    """Return whether every float of an argument is exact in float32."""
    if isinstance(encoded, Mapping) and "recurrence" in encoded:
        return True
    if isinstance(encoded, Mapping) and "hex" in encoded:
        return all(
            abs(n) < 1e38 and struct.unpack(">f", struct.pack(">f", n))[0] == n
            for n in encoded["decimal"]
        )
    if isinstance(encoded, Mapping | list | tuple):
        return all(
            fits_float32(item)
            for item in (encoded.values() if isinstance(encoded, Mapping) else encoded)
        )
    return True


def case(
    name: str,
    method: str,
    flags: str,
    inputs: Mapping[str, Any],
    expected: Mapping[str, Any],
    tolerance: Mapping[str, float],
    *,
    kind: str = "required",
    wrong: Wrong = (),
    probe: Any = None,
    float32: bool = True,
    since: int = 1,
) -> dict[str, Any]:
    """Return one case.

    `flags` are names from `notes`, the most specific first. `expected` holds encoded arrays or
    integers. `wrong` holds the answers of known defects. `since` is the first version of the
    contract that has the case.
    """
    unknown = {*flags.split(), *(flag for flag, _ in wrong)} - set(NOTES)
    if unknown:
        raise ValueError(f"case {name} has flags {sorted(unknown)}, which no note explains")
    rounded = {output: float(f"{bound:.2g}") for output, bound in tolerance.items()}
    at: list[list[float]] = []
    if probe is not None:
        numbers, n_in = probe["decimal"], probe["shape"][1]
        at = [numbers[start : start + n_in] for start in range(0, len(numbers), n_in)]
    marks = [
        mark for flag, answers in wrong if (mark := _mark(flag, answers, expected, rounded, at))
    ]
    entry = {
        "id": name,
        "method": method,
        "flags": list(dict.fromkeys(flags.split())),
        "class": kind,
        "since": since,
        "float32": float32 and fits_float32(inputs) and fits_float32(probe),
        "inputs": dict(inputs),
        "expected": dict(expected),
        "tolerance": rounded,
        "betrays": marks,
    }
    return entry if probe is None else {**entry, "probe": probe}


def _mark(
    flag: str,
    answers: Mapping[str, Any],
    expected: Mapping[str, Any],
    tolerance: Mapping[str, float],
    at: Sequence[Sequence[float]],
) -> dict[str, Any] | None:
    """Return the answer by which a defect is recognised, or None.

    It is the number that is most tolerances from the right one, and the next one of the same output
    (`also`), so that another defect agrees with both by chance less often. Where the answer is a
    layer, evaluated at the points `at`, they are the two numbers whose points are farthest apart in
    every input: an answer that is right on a part of its grid has another defect.
    """
    seen: list[tuple[float, str, int, float]] = []
    for output, nested in answers.items():
        for index, (got, right) in enumerate(
            zip(flatten(nested), expected[output]["decimal"], strict=True)
        ):
            distance = abs(got - right) / (tolerance[output] or 1e-300)
            if distance > SEEN:
                seen.append((distance, output, index, got))
    if not seen:
        return None
    seen.sort(key=lambda place: -place[0])  # stable: of equal distances the first place
    if at and seen[0][1] == "values":
        n_out = len(expected[seen[0][1]]["decimal"]) // len(at)

        def apart(pair: Iterable[tuple[float, str, int, float]]) -> float:
            one, other = (at[place[2] // n_out] for place in pair)
            return min(abs(a - b) for a, b in zip(one, other, strict=True))

        seen = list(max(combinations(seen, 2), key=apart, default=tuple(seen)))
    _, output, index, got = seen[0]
    mark = {"flag": flag, "output": output, "index": index, "value": array(got)}
    shape = expected[output]["shape"]
    others = [place for place in seen[1:] if place[1] == output]
    # not of the same row and column if there are others: a sum over the wrong axis agrees in one
    second = max(others, key=lambda place: _n_apart(shape, index, place[2]), default=None)
    if second is None:
        return mark
    return {**mark, "also": {"index": second[2], "value": array(second[3])}}


def _n_apart(shape: Sequence[int], one: int, other: int) -> int:
    """Return in how many axes two places of an array differ."""
    n = 0
    for length in reversed(shape):
        n += one % length != other % length
        one, other = one // length, other // length
    return n


def topic(
    name: str,
    *,
    level: int,
    needs: Sequence[str],
    equation: str,
    cases: Sequence[Mapping[str, Any]],
    basis_family: str = "bspline",
) -> dict[str, Any]:
    """Return a file: header and cases.

    `basis_family` is "bspline", the paper's, or another one, whose cases are never counted with it.
    """
    flags = {
        flag: None
        for entry in cases
        for flag in (*entry["flags"], *(mark["flag"] for mark in entry["betrays"]))
    }
    names = [entry["id"] for entry in cases]
    if len(set(names)) != len(names):
        twice = sorted(n for n in names if names.count(n) > 1)
        raise ValueError(f"topic {name} has two cases with the same id: {twice}")
    return {
        "topic": name,
        "schema": SCHEMA_VERSION,
        "contract": CONTRACT_VERSION,
        "basis_family": basis_family,
        "level": level,
        "needs": list(needs),
        "equation": equation,
        "notes": {
            flag: {"defect": NOTES[flag], "page": f"{PAGE}#{flag.lower()}"}
            for flag in sorted(flags)
        },
        "n_cases": len(cases),
        "cases": [{**entry, "id": f"{name}/{entry['id']}"} for entry in cases],
    }


def text(document: Mapping[str, Any]) -> str:
    """Return a file as it is written: each entry of the header and each case on its own line."""
    head = [
        f"{json.dumps(key)}: {_dense(value)}" for key, value in document.items() if key != "cases"
    ]
    lines = ",\n  ".join(_dense(entry) for entry in document["cases"])
    return "{" + ",\n ".join([*head, f'"cases": [\n  {lines}\n ]']) + "}\n"


def _dense(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


# --- reproducible numbers


def dice(seed: str, n: int, *, low: float, high: float, steps: int = 1024) -> list[float]:
    """Return `n` reproducible numbers low + (high - low) r / steps with odd r < steps.

    A hash of `seed` draws r. Since r is odd, no number is a knot of a coarse grid.
    """
    draws = [
        int.from_bytes(hashlib.sha256(f"{seed}/{place}".encode()).digest()[:8], "big")
        for place in range(n)
    ]
    return [low + (high - low) * (1 + 2 * (draw % (steps // 2))) / steps for draw in draws]
