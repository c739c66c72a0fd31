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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kan_ref.conformance.generate.exact import to_float

SCHEMA_VERSION = 2  # of the form of the files
CONTRACT_VERSION = 6  # of the set of cases: each says since which version it exists
MULTIPLIER, INCREMENT, MODULUS = 75, 74, 65537
FLAGS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "flags.toml").read_text(encoding="utf-8")
)
PAGE = "docs/conformance.md"


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
    probe: Any = None,
    float32: bool = True,
    since: int = 1,
) -> dict[str, Any]:
    """Return one case.

    `flags` are names from flags.toml, the most specific first. `expected` holds encoded arrays or
    integers.  `since` is the first version of the
    contract that has the case.
    """
    unknown = set(flags.split()) - set(FLAGS)
    if unknown:
        raise ValueError(f"case {name} has flags {sorted(unknown)}, which flags.toml does not have")
    rounded = {output: float(f"{bound:.2g}") for output, bound in tolerance.items()}
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
    }
    return entry if probe is None else {**entry, "probe": probe}


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
    flags = {flag for entry in cases for flag in entry["flags"]}
    flags |= {flag for flag, row in FLAGS.items() if name in row.get("shows", ())}
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
            flag: {"defect": FLAGS[flag]["defect"], "page": f"{PAGE}#{flag.lower()}"}
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
