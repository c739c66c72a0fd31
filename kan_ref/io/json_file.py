"""Convert the document of a network to JSON text and back.

RFC 8259, in UTF-8: float64 as the shortest decimals that read back the same bits; no NaN, no
infinity, no repeated key.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import short
from kan_ref.files import parse_json
from kan_ref.io.document import holds_numbers, layer_entries


def json_text(value: Any, line: str) -> str:
    """Return JSON with one row of numbers on a line.

    `line` is the line break with its indentation.
    """
    deeper = line + " "
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(
                f"{deeper}{json.dumps(key)}: {json_text(inner, deeper)}"
                for key, inner in value.items()
            )
            + line
            + "}"
        )
    if isinstance(value, list) and isinstance(value[0], list | dict):
        return "[" + ",".join(deeper + json_text(inner, deeper) for inner in value) + line + "]"
    return json.dumps(value)


def json_document(data: bytes) -> Any:
    """Return the document in a file's bytes, with float64 arrays; ValueError if there is none."""
    document = parse_document(data)
    for number, plain in enumerate(layer_entries(document)):
        plain.update(
            {
                name: _array(f"layer {number}: {short(name)}", value)
                for name, value in plain.items()
                if holds_numbers(name, value)
            }
        )
    return document


def parse_document(text: str | bytes) -> Any:
    """Return the value of a JSON text; ValueError if it is not strict JSON."""

    def whole(digits: str) -> float:  # an int would lose the sign of -0, and may be very long
        return float(digits) if len(digits) > 15 or digits == "-0" else int(digits)

    return parse_json(text, whole, constant=float)  # the check of the arrays names the place


def _array(name: str, value: list[Any]) -> NDArray[np.float64]:
    items = np.array(value, dtype=object)  # rows of different length become lists as items
    wrong = [item for item in items.ravel().tolist() if type(item) not in (float, int)]
    if wrong:
        raise ValueError(
            f"{name} contains {short(wrong[0])}, but needs numbers in rows of one length"
        )
    return items.astype(np.float64)
