"""The origin of numbers: versions of all libraries and the processor; no names of machines or folders."""

import os
import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from figures.machine.computing import record_versions

PEER_PACKAGES = ("pykan", "torch", "jaxkan", "jax", "jaxlib", "flax", "optax", "inkan", "flashkan")


def cpu_name() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas_name() -> str:
    """Return NumPy's BLAS with its version, and its kernel if threadpoolctl or a variable tells it."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    kernel = (
        f", OPENBLAS_CORETYPE={os.environ['OPENBLAS_CORETYPE']}"
        if "OPENBLAS_CORETYPE" in os.environ
        else ""
    )
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError:
        return f"{blas['name']} {blas['version']}{kernel}"
    kernels = sorted(
        {
            str(pool["architecture"])
            for pool in threadpoolctl.threadpool_info()
            if "architecture" in pool
        }
    )
    return f"{blas['name']} {blas['version']}, kernel {' '.join(kernels)}{kernel}"


def origin(*, peers: bool) -> dict[str, Any]:
    """Return versions, processor and number of threads, as plain data."""
    found = record_versions("benchmarks.__main__") | {"blas": blas_name()}
    if peers:
        for package in PEER_PACKAGES:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "not installed"
    return {"versions": found, "cpu": cpu_name(), "threads": 1}


def sentence(record: dict[str, Any]) -> str:
    """Return an `origin` as one line."""
    names = ", ".join(
        f"{name} {value}" for name, value in record["versions"].items() if name != "source"
    )
    return f"{record['cpu']}, one thread; {names}"
