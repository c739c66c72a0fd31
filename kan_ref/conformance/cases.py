"""The vectors in Python: topics and cases, with arrays decoded from their bits.

A file is JSON, and `schemas/vectors.schema.json` defines its form. An array is {"shape",
"decimal", "hex"}; its `hex` is read: 16 digits for each number, the big-endian bits of float64. No
decimal is parsed. A large input is {"shape", "recurrence"}: with s_0 = start and
s_{n+1} = (multiplier s_n + increment) mod modulus, its numbers are low + (2 s_n + 1) step, exactly.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

HOME = Path(__file__).parent
SCHEMA_VERSION = 2  # of the form of the files
PROTOCOL_VERSION = 1  # of the lines that are exchanged with a program
BSPLINE = "bspline"  # the basis functions of the paper
DTYPES = ("float64", "float32")  # precisions of the arrays that a subject is given

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
    "adam_steps": ("theta", "gradients", "learning_rate", "beta1", "beta2", "epsilon"),
    "gradient_steps": ("theta", "gradients", "learning_rate"),
    "family_basis": ("family", "x", "order"),
    "family_forward": ("family", "coef", "x"),
    "family_vjp": ("family", "coef", "x", "dy"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a method, and its right answer.

    `inputs` by argument name, arrays as float64; `expected` and `tolerance` (largest absolute
    error) by output; `kind` is the class: "required", "acceptable" or "implementation-defined".
    `probe` (n, n_in) holds the points at which a returned layer is evaluated. `since` is the first
    version of the contract that has the case. `call` names how the method is called, if not simply
    once (`calls`).
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
    probe: FloatArray | None
    since: int
    call: str = ""

    def __repr__(self) -> str:
        return f"Case({self.id!r}, {self.kind}, flags {', '.join(self.flags)})"


@dataclass(frozen=True, eq=False)
class Topic:
    """A vector file: its header and its cases.

    `notes`: flag -> {"defect", "page"}. `basis_family` is "bspline", or a family that is not the
    paper's.
    """

    name: str
    level: int
    needs: tuple[str, ...]
    equation: str
    notes: Mapping[str, Mapping[str, str]]
    cases: tuple[Case, ...]
    basis_family: str

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
        if "recurrence" in value:
            return _recurrent(value["shape"], **value["recurrence"])
        if "hex" not in value:
            return {name: decode(item) for name, item in value.items()}
        numbers = (
            np.frombuffer(bytes.fromhex(value["hex"]), dtype=">f8")
            .astype(np.float64)
            .reshape(value["shape"])
        )
        return numbers if numbers.ndim else float(numbers)
    return [decode(item) for item in value] if isinstance(value, list) else value


def _recurrent(
    shape: Sequence[int],
    start: int,
    multiplier: int,
    increment: int,
    modulus: int,
    low: float,
    step: float,
) -> FloatArray:
    states = [start]
    for _ in range(math.prod(shape) - 1):
        states.append((multiplier * states[-1] + increment) % modulus)
    return (low + (2.0 * np.array(states) + 1.0) * step).reshape(shape)


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


def families() -> tuple[str, ...]:
    """Return the families of basis functions, the paper's first."""
    return tuple(dict.fromkeys((BSPLINE, *(topic.basis_family for topic in load_topics()))))


def topics_of(family: str) -> list[Topic]:
    """Return the topics of one family of basis functions, basic ones first."""
    return [topic for topic in load_topics() if topic.basis_family == family]


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
        document["basis_family"],
    )


def _case(topic: str, entry: Mapping[str, Any]) -> Case:
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
        probe,
        entry["since"],
        entry.get("call", ""),
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
