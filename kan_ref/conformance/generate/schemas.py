"""The JSON schema of each vector file (draft 2020-12): header, arguments and answers."""

from collections.abc import Mapping
from typing import Any

from kan_ref.conformance.generate.encode import CLASSES, SCHEMA_VERSION

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
LAYER: Schema = {
    "type": "object",
    "properties": {
        **{
            name: {"$ref": "#/$defs/array"}
            for name in ("knots", "coef", "w_base", "w_spline", "mask")
        },
        "degree": {"type": "integer", "minimum": 0},
        "base": {"enum": ["silu", "identity", "zero"]},
    },
    "required": ["knots", "coef", "w_base", "w_spline", "mask", "degree", "base"],
    "additionalProperties": False,
}


def schema_of(document: Mapping[str, Any]) -> Schema:
    """Return the schema of a generated file; properties that all its cases have are required."""
    cases = document["cases"]
    inputs: Schema = {}
    for entry in cases:
        inputs |= {name: _kind(value) for name, value in entry["inputs"].items()}
    everywhere = sorted(set.intersection(*({*entry["inputs"]} for entry in cases)))
    probed = any("probe" in entry for entry in cases)
    case: Schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": f"^{document['topic']}/[A-Za-z0-9-]+$"},
            "method": {"enum": sorted({entry["method"] for entry in cases})},
            "flags": {
                "type": "array",
                "items": {"enum": sorted(document["notes"])},
                "minItems": 1,
                "uniqueItems": True,
            },
            "class": {"enum": list(CLASSES)},
            "float32": {
                "type": "boolean",
                "description": "whether every number in the inputs is exact in float32",
            },
            "inputs": {
                "type": "object",
                "properties": inputs,
                "required": everywhere,
                "additionalProperties": False,
            },
            "expected": {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [{"$ref": "#/$defs/array"}, {"type": ["integer", "string"]}]
                },
            },
            "tolerance": {
                "type": "object",
                "additionalProperties": {"type": "number", "minimum": 0},
                "description": "largest absolute error",
            },
            "betrays": {"type": "array", "items": {"$ref": "#/$defs/mark"}},
            **({"probe": {"$ref": "#/$defs/array"}} if probed else {}),
        },
        "required": [
            "id",
            "method",
            "flags",
            "class",
            "float32",
            "inputs",
            "expected",
            "tolerance",
            "betrays",
        ],
        "additionalProperties": False,
    }
    mark: Schema = {
        "type": "object",
        "description": "the answer of a known defect at one index of one output",
        "properties": {
            "flag": {"enum": sorted(document["notes"])},
            "output": {"type": "string"},
            "index": {"type": "integer", "minimum": 0},
            "value": {"$ref": "#/$defs/array"},
        },
        "required": ["flag", "output", "index", "value"],
        "additionalProperties": False,
    }
    note: Schema = {
        "type": "object",
        "properties": {"defect": {"type": "string"}, "page": {"type": "string"}},
        "required": ["defect", "page"],
        "additionalProperties": False,
    }
    properties: Schema = {
        "topic": {"const": document["topic"]},
        "schema": {"const": SCHEMA_VERSION},
        "level": {"type": "integer", "minimum": 1},
        "needs": {
            "type": "array",
            "items": {"type": "string"},
            "description": "topics on which this one depends",
        },
        "equation": {"type": "string"},
        "notes": {"type": "object", "additionalProperties": note},
        "n_cases": {"type": "integer", "minimum": 1},
        "cases": {"type": "array", "items": case},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"conformance vectors: {document['topic']}",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": {"array": ARRAY, "layer": LAYER, "mark": mark},
    }


def _kind(value: Any) -> Schema:
    if isinstance(value, Mapping):
        return {"$ref": "#/$defs/array" if "hex" in value else "#/$defs/layer"}
    if isinstance(value, list):
        return {"type": "array", "items": _kind(value[0])}
    return {"type": "string" if isinstance(value, str) else "integer"}
