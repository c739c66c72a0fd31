"""Side effects of building a network: global generators, files, the caller's list."""

import contextlib
import io
import random
import sys
import tempfile
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np


def _numpy_seed(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002  the global generator is what is watched


def _numpy_state() -> Hashable:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002  the global generator is what is watched
    return name, np.asarray(keys).tobytes(), *map(str, rest)


def _torch_state() -> Hashable:
    return bytes(sys.modules["torch"].get_rng_state().numpy().tobytes())


def watch(build: Callable[[list[int]], object]) -> dict[str, Any]:
    """Call `build` with the widths [2, 5, 1] twice, each time with other seeds of the global
    generators and in an empty folder.

    Returns
    -------
    found : dict
        "generators": name -> "untouched", "drawn from" or "reset", the last if both calls leave the same state. "files": what lies in
        the folder afterwards. "widths": the list afterwards.
    """
    generators: dict[str, tuple[Callable[[int], object], Callable[[], Hashable]]] = {
        "random": (random.seed, random.getstate),
        "numpy.random": (_numpy_seed, _numpy_state),
    }
    if "torch" in sys.modules:
        generators["torch"] = (sys.modules["torch"].manual_seed, _torch_state)
    before, after = [], []
    for seed in (11, 12):
        for start, _ in generators.values():
            start(seed)
        before.append({name: state() for name, (_, state) in generators.items()})
        widths = [2, 5, 1]
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            build(widths)
            files = sorted(
                path.relative_to(folder).as_posix()
                for path in Path(folder).rglob("*")
                if path.is_file()
            )
        after.append({name: state() for name, (_, state) in generators.items()})
    found = {}
    for name in generators:
        if all(late[name] == early[name] for early, late in zip(before, after, strict=True)):
            found[name] = "untouched"
        else:
            found[name] = "reset" if after[0][name] == after[1][name] else "drawn from"
    return {"generators": found, "files": files, "widths": widths}
