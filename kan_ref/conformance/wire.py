"""JSON lines: how questions go to a subject in a process of its own, and how answers come back.

Plain form, for any language: arrays are nested lists, numbers that are not finite are "NaN", "Infinity", "-Infinity". The plain form of an
array without numbers has lost its shape. Shaped form, between two Python processes of this kit: {"shape", "hex"} as in the vectors.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_plain(value: Any) -> Any:
    """Arguments or results as JSON of the plain form."""
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def from_plain(value: Any) -> Any:
    """The words for numbers that are not finite become numbers; the rest stays."""
    if isinstance(value, Mapping):
        return {name: from_plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    return _WORDS.get(value, value) if isinstance(value, str) else value


def to_shaped(value: Any) -> Any:
    """Arguments or results as JSON of the shaped form; what is neither number, word, list nor dict is taken for an array."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return {"hex": np.array(value, dtype=">f8").tobytes().hex()}
    if isinstance(value, Mapping):
        return {str(name): to_shaped(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_shaped(item) for item in value]
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise TypeError(
            f"a {type(value).__name__} of kind {array.dtype} was answered, but real numbers are needed"
        )
    return {"shape": list(array.shape), "hex": array.astype(">f8").tobytes().hex()}


def from_shaped(value: Any) -> Any:
    """Arrays, and floats, from the shaped form."""
    if isinstance(value, Mapping):
        if "hex" not in value:
            return {name: from_shaped(item) for name, item in value.items()}
        numbers = np.frombuffer(bytes.fromhex(value["hex"]), dtype=">f8").astype(np.float64)
        return numbers.reshape(value["shape"]) if "shape" in value else float(numbers[0])
    return [from_shaped(item) for item in value] if isinstance(value, list) else value


def dump(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def load(line: bytes) -> Mapping[str, Any] | None:
    """The JSON object of a line, or None if it holds none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, Mapping) else None
