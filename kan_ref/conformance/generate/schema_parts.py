"""The parts that the JSON schemas of all topics share: arrays, layers, families and notes."""

from typing import Any

from kan_ref.conformance.generate.encode import INCREMENT, MODULUS, MULTIPLIER

Schema = dict[str, Any]

ARRAY: Schema = {
    "type": "object",
    "description": "numbers in C order: shortest decimals, and 16 hex digits each, "
    "the big-endian IEEE-754 bits of float64",
    "properties": {
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "decimal": {"type": "array", "items": {"type": "number"}},
        "hex": {"type": "string", "pattern": "^([0-9a-f]{16})*$"},
    },
    "required": ["shape", "decimal", "hex"],
    "additionalProperties": False,
}
INTEGER: Schema = {"type": "integer", "minimum": 0}
RECURRENCE: Schema = {
    "type": "object",
    "description": "numbers in C order: low + (2 s + 1) step, where s begins with start and is "
    "followed by (multiplier s + increment) mod modulus; every number is exact in float64",
    "properties": {
        "shape": {"type": "array", "items": INTEGER},
        "recurrence": {
            "type": "object",
            "properties": {
                "start": INTEGER,
                "multiplier": {"const": MULTIPLIER},
                "increment": {"const": INCREMENT},
                "modulus": {"const": MODULUS},
                "low": {"type": "number"},
                "step": {"type": "number", "exclusiveMinimum": 0},
            },
            "required": ["start", "multiplier", "increment", "modulus", "low", "step"],
            "additionalProperties": False,
        },
    },
    "required": ["shape", "recurrence"],
    "additionalProperties": False,
}
INPUT: Schema = {"anyOf": [{"$ref": "#/$defs/array"}, {"$ref": "#/$defs/recurrence"}]}
LAYER: Schema = {
    "type": "object",
    "properties": {
        **{
            name: {"$ref": "#/$defs/input"}
            for name in ("knots", "coef", "w_base", "w_spline", "mask")
        },
        "degree": {"type": "integer", "minimum": 0},
        "base": {"enum": ["silu", "identity", "zero"]},
    },
    "required": ["knots", "coef", "w_base", "w_spline", "mask", "degree", "base"],
    "additionalProperties": False,
}
FAMILY: Schema = {
    "type": "object",
    "properties": {
        "family": {"enum": ["gaussian", "chebyshev", "fourier", "relu"]},
        "centres": {"$ref": "#/$defs/input"},
        "width": {"$ref": "#/$defs/input"},
        "degree": INTEGER,
        "argument": {"enum": ["x", "tanh"]},
        "n_frequencies": INTEGER,
        "starts": {"$ref": "#/$defs/input"},
        "ends": {"$ref": "#/$defs/input"},
    },
    "required": ["family"],
    "additionalProperties": False,
}
NOTE: Schema = {
    "type": "object",
    "properties": {"defect": {"type": "string"}, "page": {"type": "string"}},
    "required": ["defect", "page"],
    "additionalProperties": False,
}
