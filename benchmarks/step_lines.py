"""What a training step calls: every function of kan_ref in a step of `fit`, and their lines.

    python -m benchmarks.step_lines

It watches the second step of Adam with the mean squared error on [2, 5, 1]. The exit status is 1
if the functions have more than 350 lines of code (no docstrings, comments and blank lines), or lie
in more than 7 modules. docs/usage.md, "How a step works", says what each of them does.
"""

import inspect
import sys
from tokenize import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, STRING, generate_tokens
from types import CodeType, FrameType
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.program import run_program

MOST_LINES, MOST_MODULES = 350, 7
BLANK = (COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL)


def code_lines(source: list[str]) -> int:
    """Count the lines that are not empty, not a comment and not in a docstring."""
    found, before = set[int](), NEWLINE
    for token in generate_tokens(iter(source).__next__):
        if token.type not in BLANK and not (token.type == STRING and before in BLANK):
            found.update(range(token.start[0], token.end[0] + 1))
        before = token.type if token.type not in (COMMENT, NL) else before
    return len(found)


def functions_of_a_step() -> dict[tuple[str, str], int]:
    """Return (module, function) -> its number of lines, in the order of the first calls."""
    codes: dict[tuple[str, str], CodeType] = {}

    def watch(frame: FrameType, event: str, _: object) -> None:
        name, code = frame.f_globals.get("__name__", ""), frame.f_code
        if event == "call" and name.startswith("kan_ref.") and not code.co_name.startswith("<"):
            codes.setdefault((name.removeprefix("kan_ref."), code.co_qualname), code)

    def second_step_alone(step: Any) -> None:
        sys.setprofile(watch if step.step == 1 else None)

    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=100, n_test=100, rng=rng)
    net = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=data.x_train, rng=rng)
    kr.fit(net, data, optimizer="adam", n_steps=3, callback=second_step_alone)
    own = {place: code for place, code in codes.items() if code.co_filename.endswith(".py")}
    return {place: code_lines(inspect.getsourcelines(code)[0]) for place, code in own.items()}


def main() -> int:
    """Print functions, modules and lines with their sums, and return the exit status."""
    functions = functions_of_a_step()
    for (module, name), n in functions.items():
        print(f"{n:4}  {module:30} {name}")
    total, modules = sum(functions.values()), {module for module, _ in functions}
    print(f"{total:4}  lines of {len(functions)} functions in {len(modules)} modules", end="; ")
    print(f"at most {MOST_LINES} in {MOST_MODULES}")
    return int(total > MOST_LINES or len(modules) > MOST_MODULES)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
