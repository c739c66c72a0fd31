"""Serve an adapter over JSON lines: `python -m kan_ref.conformance.serve module:Class`.

Requests and answers have the shaped form of `wire`. The adapter runs in this process, so that no
side effect of it reaches the runner.
"""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import IO, Any

from kan_ref.conformance import calls, wire
from kan_ref.conformance.cases import METHODS
from kan_ref.conformance.direct_subject import DirectSubject
from kan_ref.program import run_program


def build(target: str) -> object:
    """Return the adapter "module:Class", built without arguments."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f"adapter is {target!r}, but must be module:Class")
    sys.path.insert(0, os.getcwd())
    adapter: object = getattr(importlib.import_module(module), name)()
    return adapter


def answer(adapter: object, request: Any, convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the reply to one request."""
    try:
        method = getattr(adapter, request["method"], None)
        if method is None:
            return {"id": request["id"], "unsupported": True}
        given = wire.from_shaped(request["args"])
        named = {name: convert(given[name]) for name in METHODS[request["method"]]}
        if "call" in request:
            result = calls.observe(method, named, request["call"])
        else:
            result = method(*named.values())
    except NotImplementedError:
        return {"id": request["id"], "unsupported": True}
    except wire.RAISED as error:
        return {"id": request["id"], "error": wire.printable(f"{type(error).__name__}: {error}")}
    try:
        return {"id": request["id"], "result": wire.to_shaped(result)}
    except wire.RAISED as error:  # the answer's own code may raise anything when it is read
        return {"id": request["id"], "unreadable": wire.unreadable(result, error)}


def to_float32(value: Any) -> Any:
    """Return an argument with its arrays in float32."""
    if isinstance(value, dict):
        return {name: to_float32(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_float32(item) for item in value]
    return value.astype("float32") if hasattr(value, "astype") else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer requests until the input ends; return the exit status."""
    line = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance.serve",
        description="Answer the requests of the conformance kit, JSON lines on standard input, "
        "with an adapter. `python -m kan_ref.conformance --adapter` starts this program.",
        epilog="exit status: 0 at the end of the input, 1 if the adapter cannot be built",
    )
    line.add_argument("adapter", metavar="MODULE:CLASS", help="built without arguments")
    target = line.parse_args(arguments).adapter
    # standard output is for answers alone: what the adapter prints goes to standard error
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        return _serve(target, replies)


def _serve(target: str, replies: IO[bytes]) -> int:
    def reply(message: dict[str, Any]) -> None:
        replies.write(wire.dump(message))
        replies.flush()

    warnings.simplefilter("default")  # a subject's warnings are not errors
    hello = wire.load(sys.stdin.buffer.readline()) or {}
    try:
        subject = DirectSubject(build(target), hello.get("dtype", "float64"))
        adapter, name = subject.adapter, subject.name
        version = str(getattr(adapter, "version", ""))
    except wire.RAISED as error:
        reply({"error": wire.printable(f"{type(error).__name__}: {error}")})
        return 1
    reply({"result": {"name": name, "version": version}})
    convert: Callable[[Any], Any] = to_float32 if hello.get("dtype") == "float32" else _same
    for line in sys.stdin.buffer:
        reply(answer(adapter, wire.load(line), convert))
    return 0


def _same(value: Any) -> Any:
    return value


if __name__ == "__main__":
    run_program(main)
