"""Mutants that were judged to change nothing that a test could notice, each with its reason."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mutation.drawing import Mutant, all_mutants

FILE = Path(__file__).parents[1] / "equivalent_mutants.toml"


@dataclass(frozen=True)
class Equivalent:
    """A judged mutant: module, the changed lines before and after, and the reason."""

    module: str
    line: str
    mutation: str
    reason: str

    def matches(self, mutant: Mutant) -> bool:
        """Return whether a mutant is this one, wherever its line is now."""
        return (self.module, self.line, self.mutation) == (
            mutant.module,
            mutant.original,
            mutant.mutated,
        )


def read_equivalents(path: Path = FILE) -> list[Equivalent]:
    """Return the entries of a file.

    Raises
    ------
    ValueError
        An entry has other keys than module, line, mutation and reason, or an empty one.
    """
    if not path.exists():
        return []
    found = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
        keys = {"module", "line", "mutation", "reason"}
        if set(entry) != keys or not all(isinstance(v, str) and v for v in entry.values()):
            raise ValueError(f"{path.name} has the entry {entry}, but needs texts {sorted(keys)}")
        found.append(Equivalent(**entry))
    return found


def outdated(entries: list[Equivalent], modules: dict[str, Path]) -> list[Equivalent]:
    """Return the entries of these modules that match none of their mutants any more."""
    found = []
    for module, path in modules.items():
        own = [entry for entry in entries if entry.module == module]
        mutants = all_mutants(module, path.read_text(encoding="utf-8")) if own else []
        found += [entry for entry in own if not any(entry.matches(m) for m in mutants)]
    return found
