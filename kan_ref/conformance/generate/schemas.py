"""The JSON schema of the vector files (draft 2020-12): header, arguments and answers.

All topics are definitions of one schema: `topic` decides which of them a file must satisfy. Arrays,
layers, families and notes are definitions that the topics share. The export writes one schema for
each topic.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.encode import (
    CALLS,
    CLASSES,
    CONTRACT_VERSION,
    INCREMENT,
    MODULUS,
    MULTIPLIER,
    SCHEMA_VERSION,
)

Schema = dict[str, Any]


def _object(properties: Schema, required: Sequence[str] | None = None, **more: Any) -> Schema:
    """Return the schema of an object; all properties are required if none are named."""
    names = list(properties) if required is None else list(required)
    found: Schema = {"type": "object", **more, "properties": properties, "required": names}
    return {**found, "additionalProperties": False}


# parts that all topics share
INTEGER: Schema = {"type": "integer", "minimum": 0}
ARRAY: Schema = _object(
    {
        "shape": {"type": "array", "items": INTEGER},
        "decimal": {"type": "array", "items": {"type": "number"}},
        "hex": {"type": "string", "pattern": "^([0-9a-f]{16})*$"},
    },
    description="numbers in C order: shortest decimals, and 16 hex digits each, "
    "the big-endian IEEE-754 bits of float64",
)
RECURRENCE: Schema = _object(
    {
        "shape": {"type": "array", "items": INTEGER},
        "recurrence": _object(
            {
                "start": INTEGER,
                "multiplier": {"const": MULTIPLIER},
                "increment": {"const": INCREMENT},
                "modulus": {"const": MODULUS},
                "low": {"type": "number"},
                "step": {"type": "number", "exclusiveMinimum": 0},
            }
        ),
    },
    description="numbers in C order: low + (2 s + 1) step, where s begins with start and is "
    "followed by (multiplier s + increment) mod modulus; every number is exact in float64",
)
INPUT: Schema = {"anyOf": [{"$ref": "#/$defs/array"}, {"$ref": "#/$defs/recurrence"}]}
LAYER: Schema = _object(
    {
        **{
            name: {"$ref": "#/$defs/input"}
            for name in ("knots", "coef", "w_base", "w_spline", "mask")
        },
        "degree": INTEGER,
        "base": {"enum": ["silu", "identity", "zero"]},
    }
)
FAMILY: Schema = _object(
    {
        "family": {"enum": ["gaussian", "chebyshev", "fourier", "relu"]},
        "centres": {"$ref": "#/$defs/input"},
        "width": {"$ref": "#/$defs/input"},
        "degree": INTEGER,
        "argument": {"enum": ["x", "tanh"]},
        "n_frequencies": INTEGER,
        "starts": {"$ref": "#/$defs/input"},
        "ends": {"$ref": "#/$defs/input"},
    },
    ["family"],
)
NOTE: Schema = _object({"defect": {"type": "string"}, "page": {"type": "string"}})


def schema_of_all(documents: Sequence[Mapping[str, Any]]) -> Schema:
    """Return the schema of all generated files, with one definition for each topic."""
    topics = {document["topic"]: topic_schema(document) for document in documents}
    chosen = [
        {
            "if": {"properties": {"topic": {"const": name}}},
            "then": {"$ref": f"#/$defs/topic_{name}"},
        }
        for name in topics
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "conformance vectors",
        "type": "object",
        "properties": {"topic": {"enum": sorted(topics)}},
        "required": ["topic"],
        "allOf": chosen,
        "$defs": {
            "array": ARRAY,
            "recurrence": RECURRENCE,
            "input": INPUT,
            "layer": LAYER,
            "family": FAMILY,
            "note": NOTE,
            **{f"topic_{name}": schema for name, schema in topics.items()},
        },
    }


def topic_schema(document: Mapping[str, Any]) -> Schema:
    """Return the definition of a topic; properties that all its cases have are required."""
    cases = document["cases"]
    inputs: Schema = {}
    for entry in cases:
        inputs |= {name: _kind(value) for name, value in entry["inputs"].items()}
    everywhere = sorted(set.intersection(*({*entry["inputs"]} for entry in cases)))
    called = any("call" in entry for entry in cases)
    probed = any("probe" in entry for entry in cases)
    flags = sorted(document["notes"])
    number: Schema = {"index": INTEGER, "value": {"$ref": "#/$defs/array"}}
    mark = _object(
        {
            "flag": {"enum": flags},
            "output": {"type": "string"},
            **number,
            "also": _object(number, description="another number of the same output in that answer"),
        },
        ["flag", "output", "index", "value"],
        description="the answer of a known defect at one index of one output",
    )
    fields: Schema = {
        "id": {"type": "string", "pattern": f"^{document['topic']}/[A-Za-z0-9-]+$"},
        "method": {"enum": sorted({entry["method"] for entry in cases})},
        "flags": {"type": "array", "items": {"enum": flags}, "minItems": 1, "uniqueItems": True},
        "class": {"enum": list(CLASSES)},
        "since": {"type": "integer", "minimum": 1, "maximum": CONTRACT_VERSION},
        "float32": {
            "type": "boolean",
            "description": "whether the case is run in float32 too; then every number in inputs "
            "and probe is exact in float32",
        },
        "inputs": {**_object(inputs, everywhere), "minProperties": 1},
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
        "betrays": {"type": "array", "items": mark},
    }
    some: Schema = {"call": {"enum": list(CALLS)}} if called else {}
    some |= {"probe": {"$ref": "#/$defs/array"}} if probed else {}
    return _object(
        {
            "topic": {"const": document["topic"]},
            "schema": {"const": SCHEMA_VERSION},
            "contract": {"const": CONTRACT_VERSION},
            "basis_family": {"const": document["basis_family"]},
            "level": {"type": "integer", "minimum": 1},
            "needs": {
                "type": "array",
                "items": {"type": "string"},
                "description": "topics on which this one depends",
            },
            "equation": {"type": "string"},
            "notes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/note"}},
            "n_cases": {"type": "integer", "minimum": 1},
            "cases": {"type": "array", "items": _object({**fields, **some}, list(fields))},
        }
    )


def _kind(value: Any) -> Schema:
    if isinstance(value, Mapping):
        if "shape" in value:
            return {"$ref": "#/$defs/input"}
        return {"$ref": "#/$defs/family" if "family" in value else "#/$defs/layer"}
    if isinstance(value, list):
        return {"type": "array", "items": _kind(value[0])}
    return {"type": "string" if isinstance(value, str) else "integer"}
