"""The JSON schema of the vector files (draft 2020-12): header, arguments and answers.

All topics are definitions of one schema: `topic` decides which of them a file must satisfy. The
export writes one schema for each topic.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.encode import CALLS, CLASSES, CONTRACT_VERSION, SCHEMA_VERSION
from kan_ref.conformance.generate.schema_parts import (
    ARRAY,
    FAMILY,
    INPUT,
    LAYER,
    NOTE,
    RECURRENCE,
    Schema,
)


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
    mark: Schema = {
        "type": "object",
        "description": "the answer of a known defect at one index of one output",
        "properties": {
            "flag": {"enum": sorted(document["notes"])},
            "output": {"type": "string"},
            "index": {"type": "integer", "minimum": 0},
            "value": {"$ref": "#/$defs/array"},
            "also": {
                "type": "object",
                "description": "another number of the same output in that answer",
                "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "value": {"$ref": "#/$defs/array"},
                },
                "required": ["index", "value"],
                "additionalProperties": False,
            },
        },
        "required": ["flag", "output", "index", "value"],
        "additionalProperties": False,
    }
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
            "since": {"type": "integer", "minimum": 1, "maximum": CONTRACT_VERSION},
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
            "betrays": {"type": "array", "items": mark},
            **({"call": {"enum": list(CALLS)}} if called else {}),
            **({"probe": {"$ref": "#/$defs/array"}} if probed else {}),
        },
        "required": [
            "id",
            "method",
            "flags",
            "class",
            "since",
            "float32",
            "inputs",
            "expected",
            "tolerance",
            "betrays",
        ],
        "additionalProperties": False,
    }
    properties: Schema = {
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
        "cases": {"type": "array", "items": case},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _kind(value: Any) -> Schema:
    if isinstance(value, Mapping):
        if "shape" in value:
            return {"$ref": "#/$defs/input"}
        return {"$ref": "#/$defs/family" if "family" in value else "#/$defs/layer"}
    if isinstance(value, list):
        return {"type": "array", "items": _kind(value[0])}
    return {"type": "string" if isinstance(value, str) else "integer"}
