"""The vectors in Python: topics and cases, with arrays decoded from their bits; and their export.

A file is JSON, and `schemas/vectors.schema.json` defines its form. An array is {"shape",
"decimal", "hex"}; its `hex` is read: 16 digits for each number, the big-endian bits of float64. No
decimal is parsed. A large input is {"shape", "recurrence"}: with s_0 = start and
s_{n+1} = (multiplier s_n + increment) mod modulus, its numbers are low + (2 s_n + 1) step, exactly.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import distribution, version
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
    "product_vjp": ("layer", "n_products", "x", "dy"),
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
    inputs: Mapping[str, Any] = field(repr=False)
    expected: Mapping[str, Any] = field(repr=False)
    tolerance: Mapping[str, float] = field(repr=False)
    probe: FloatArray | None = field(repr=False)
    since: int
    call: str


@dataclass(frozen=True, eq=False)
class Topic:
    """A vector file: its header and its cases.

    `needs` names the topics that must be right first. `notes`: flag -> {"defect", "page"}.
    `basis_family` is "bspline", or a family that is not the paper's.
    """

    name: str
    level: int
    needs: tuple[str, ...]
    notes: Mapping[str, Mapping[str, str]] = field(repr=False)
    cases: tuple[Case, ...] = field(repr=False)
    basis_family: str

    @property
    def is_convention(self) -> bool:
        """Whether the topic describes another convention, in which no answer is wrong."""
        return all(case.kind == "implementation-defined" for case in self.cases)


def decode(value: Any) -> Any:
    """Return a value of a vector file with arrays read from their bits.

    0-d arrays become floats; layers and lists are decoded recursively; integers and text stay.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "recurrence" in value:
        return _recurrent(value["shape"], value["recurrence"])
    if "hex" not in value:
        return {name: decode(item) for name, item in value.items()}
    bits = np.frombuffer(bytes.fromhex(value["hex"]), dtype=">f8")
    numbers = bits.astype(np.float64).reshape(value["shape"])
    return numbers if numbers.ndim else float(numbers)


def _recurrent(shape: Sequence[int], law: Mapping[str, Any]) -> FloatArray:
    states = [law["start"]]
    while len(states) < math.prod(shape):
        states.append((law["multiplier"] * states[-1] + law["increment"]) % law["modulus"])
    numbers: FloatArray = law["low"] + (2.0 * np.array(states) + 1.0) * law["step"]
    return numbers.reshape(shape)


@cache
def load_topics() -> tuple[Topic, ...]:
    """Return all topics, basic ones first. Subjects are given copies of the arrays."""
    documents = [json.loads(path.read_text("utf-8")) for path in (HOME / "vectors").glob("*.json")]
    return tuple(
        Topic(
            one["topic"],
            one["level"],
            tuple(one["needs"]),
            one["notes"],
            tuple(_case(one["topic"], entry) for entry in one["cases"]),
            one["basis_family"],
        )
        for one in sorted(documents, key=lambda one: (one["level"], one["topic"]))
    )


def _case(topic: str, entry: Mapping[str, Any]) -> Case:
    return Case(
        entry["id"],
        topic,
        entry["method"],
        tuple(entry["flags"]),
        entry["class"],
        entry["float32"],
        {name: decode(entry["inputs"][name]) for name in METHODS[entry["method"]]},
        decode(entry["expected"]),
        entry["tolerance"],
        decode(entry.get("probe")),
        entry["since"],
        entry.get("call", ""),
    )


def families() -> tuple[str, ...]:
    """Return the families of basis functions, the paper's first."""
    return tuple(dict.fromkeys((BSPLINE, *(topic.basis_family for topic in load_topics()))))


def contract_version() -> int:
    """Return the version of the contract: the largest `since` of all cases."""
    return max(case.since for topic in load_topics() for case in topic.cases)


def arguments(case: Case, dtype: str = "float64") -> dict[str, Any]:
    """Return the arguments of a case as copies, with arrays in the given precision."""

    def copied(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: copied(item) for name, item in value.items()}
        if isinstance(value, list):
            return [copied(item) for item in value]
        return value.astype(dtype) if isinstance(value, np.ndarray) else value

    return {name: copied(value) for name, value in case.inputs.items()}


def matches(case: Case, globs: Sequence[str]) -> bool:
    """Return whether a glob matches the case's id, such as "bases/degree-0-inside", or topic."""
    return any(fnmatchcase(name, glob) for glob in globs for name in (case.id, case.topic))


def printable(text: object) -> str:
    """Return a subject's text as at most 400 characters of one line, "?" for control characters."""
    words = " ".join(str(text)[:2000].split())[:400]
    return "".join(c if c.isprintable() else "?" for c in words)


# --- export: all that a runner in another language needs

PAGE = "https://github.com/kan-ref/kan_ref/blob/main/docs/conformance_contract.md"
LICENCE = HOME.parents[1] / "LICENSE"  # in a checkout


def export(folder: Path) -> list[Path]:
    """Write vectors, schema, generator, hashes, licence and README into a folder.

    The folder is created if needed, and files of the same names are replaced. Returns their paths.
    """
    files = {HOME / "vectors" / "README.md": "README.md", HOME / "flags.toml": "flags.toml"}
    for name in ("vectors/*.json", "schemas/*.json", "generate/*.py"):
        files |= {path: path.relative_to(HOME).as_posix() for path in sorted(HOME.glob(name))}
    written = []
    for path, name in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        written.append(Path(shutil.copyfile(path, folder / name)))
    if LICENCE.is_file():
        licence = LICENCE.read_text(encoding="utf-8")
    else:
        licence = distribution("kan_ref").read_text("licenses/LICENSE") or ""
    (folder / "LICENSE").write_text(licence, encoding="utf-8", newline="\n")
    written.append(folder / "LICENSE")
    contract = {
        "contract": contract_version(),
        "schema": SCHEMA_VERSION,
        "made_by": f"kan_ref {version('kan_ref')}, python -m kan_ref.conformance.generate",
        "documentation": PAGE,
        "cases": {
            case.id: {"class": case.kind, "since": case.since}
            for topic in load_topics()
            for case in topic.cases
        },
        "sha256": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in written
        },
    }
    path = folder / "contract.json"
    path.write_text(json.dumps(contract, indent=1) + "\n", encoding="utf-8", newline="\n")
    return [*written, path]
