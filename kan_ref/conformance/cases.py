"""The vectors in Python: topics and cases, with arrays decoded from their bits.

A file is JSON, of the schema beside it in `schemas`. An array is {"shape", "decimal", "hex"}; its
`hex` is read: 16 digits for each number, the big-endian bits of float64. No decimal is parsed.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

HOME = Path(__file__).parent
SCHEMA_VERSION = 1

# method -> its arguments in the order in which an adapter takes them
METHODS = {
    "uniform_knots": ("low", "high", "n_intervals", "degree"),
    "basis": ("x", "knots", "degree"),
    "basis_derivative": ("x", "knots", "degree", "order"),
    "layer_forward": ("layer", "x"),
    "layer_vjp": ("layer", "x", "dy"),
    "network_forward": ("layers", "x"),
    "network_vjp": ("layers", "x", "dy"),
    "input_jacobian": ("layers", "x"),
    "input_hessian_diag": ("layers", "x"),
    "extend_grid": ("layer", "x", "n_intervals"),
    "update_grid": ("layer", "x", "uniform_share", "margin"),
    "penalties": ("layers", "x"),
    "edge_scores": ("layers", "x"),
    "node_scores": ("layers", "x"),
    "prune": ("layers", "x", "threshold"),
    "fit_affine": ("x", "y", "name"),
    "count_parameters": ("widths", "n_intervals", "degree"),
    "initial_layer": ("n_in", "n_out", "n_intervals", "degree", "seed"),
    "save_load": ("layer",),
}


@dataclass(frozen=True)
class Mark:
    """The answer of a known defect at one index: `value` at flat `index` of `output`."""

    flag: str
    output: str
    index: int
    value: float


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a method, and its right answer.

    `inputs` by argument name, arrays as float64; `expected` and `tolerance` (largest absolute
    error) by output; `kind` is the class: "required", "acceptable" or "implementation-defined";
    `since` is the version of the contract with which the case came.
    `probe` (n, n_in) holds the points at which a returned layer is evaluated. `marks` are the
    answers of known defects.
    """

    id: str
    topic: str
    method: str
    flags: tuple[str, ...]
    kind: str
    float32: bool
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    tolerance: Mapping[str, float]
    marks: tuple[Mark, ...]
    probe: FloatArray | None
    since: int = 1

    def __repr__(self) -> str:
        return f"Case({self.id!r}, {self.kind}, flags {', '.join(self.flags)})"


@dataclass(frozen=True, eq=False)
class Topic:
    """A vector file: its header and its cases. `notes`: flag -> {"defect", "page"}."""

    name: str
    level: int
    needs: tuple[str, ...]
    equation: str
    notes: Mapping[str, Mapping[str, str]]
    cases: tuple[Case, ...]

    @property
    def is_convention(self) -> bool:
        """Whether the topic describes another convention, in which no answer is wrong."""
        return all(case.kind == "implementation-defined" for case in self.cases)

    def __repr__(self) -> str:
        return f"Topic({self.name!r}, level {self.level}, {len(self.cases)} cases)"


def decode(value: Any) -> Any:
    """Return a value of a vector file with arrays read from their bits.

    0-d arrays become floats; layers and lists are decoded recursively; integers and text stay.
    """
    if isinstance(value, Mapping):
        if "hex" not in value:
            return {name: decode(item) for name, item in value.items()}
        numbers = (
            np.frombuffer(bytes.fromhex(value["hex"]), dtype=">f8")
            .astype(np.float64)
            .reshape(value["shape"])
        )
        return numbers if numbers.ndim else float(numbers)
    return [decode(item) for item in value] if isinstance(value, list) else value


@cache
def load_topics() -> tuple[Topic, ...]:
    """Return all topics, basic ones first.

    The arrays are read-only: a subject is given copies.
    """
    topics = [
        _topic(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((HOME / "vectors").glob("*.json"))
    ]
    return tuple(sorted(topics, key=lambda topic: (topic.level, topic.name)))


def _topic(document: Mapping[str, Any]) -> Topic:
    if document["schema"] != SCHEMA_VERSION:
        raise ValueError(
            f"vectors of {document['topic']} have schema {document['schema']}, "
            f"but this version reads schema {SCHEMA_VERSION}"
        )
    cases = tuple(_case(document["topic"], entry) for entry in document["cases"])
    return Topic(
        document["topic"],
        document["level"],
        tuple(document["needs"]),
        document["equation"],
        document["notes"],
        cases,
    )


def _case(topic: str, entry: Mapping[str, Any]) -> Case:
    marks = tuple(
        Mark(mark["flag"], mark["output"], mark["index"], decode(mark["value"]))
        for mark in entry["betrays"]
    )
    inputs = {name: decode(entry["inputs"][name]) for name in METHODS[entry["method"]]}
    expected = {output: decode(value) for output, value in entry["expected"].items()}
    for value in expected.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    probe = decode(entry["probe"]) if "probe" in entry else None
    flags = tuple(entry["flags"])
    return Case(
        entry["id"],
        topic,
        entry["method"],
        flags,
        entry["class"],
        entry["float32"],
        inputs,
        expected,
        entry["tolerance"],
        marks,
        probe,
        entry.get("since", 1),
    )


def contract_version() -> int:
    """Return the version of the contract: the largest `since` of all cases."""
    return max(case.since for topic in load_topics() for case in topic.cases)


def arguments(case: Case, dtype: str = "float64") -> dict[str, Any]:
    """Return the arguments of a case as copies, with arrays in the given precision."""
    return {name: _copy(value, dtype) for name, value in case.inputs.items()}


def _copy(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray):
        return value.astype(dtype)
    if isinstance(value, Mapping):
        return {name: _copy(item, dtype) for name, item in value.items()}
    return [_copy(item, dtype) for item in value] if isinstance(value, list) else value


def matches(case: Case, patterns: Sequence[str]) -> bool:
    """Return whether a glob matches the case's id, such as "bases/degree-0-inside", or its
    topic.
    """
    return any(
        fnmatchcase(case.id, pattern) or fnmatchcase(case.topic, pattern) for pattern in patterns
    )


def export(folder: Path) -> list[Path]:
    """Copy all vectors and schemas into a folder, created if needed; return their paths."""
    written = []
    for name in ("vectors", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        written += [
            Path(shutil.copyfile(path, folder / name / path.name))
            for path in sorted((HOME / name).glob("*.json"))
        ]
    return written
