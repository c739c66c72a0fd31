"""One property over a table of cases, in one test: a test of its own costs pytest more than most cases take."""

import functools
import inspect

import pytest


def for_all(names, cases, ids=None):
    """Decorate a test as `pytest.mark.parametrize` does, but make one test that runs all cases.

    All cases run. If any fails, the error of the first one is raised, with a note that lists the cases that failed. Decorators can be
    stacked, also on `pytest.mark.parametrize`. A test with a fixture that a case changes, such as `monkeypatch`, needs the latter.
    """
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    cases = list(cases)
    table = [_values(case, len(names)) for case in cases]
    given = [None] * len(cases) if ids is None or callable(ids) else list(ids)
    label = ids if callable(ids) else _label
    labels = [
        name or getattr(case, "id", None) or "-".join(str(label(value)) for value in values)
        for name, case, values in zip(given, cases, table, strict=True)
    ]
    if not table:
        raise ValueError(f"{', '.join(names)}: there are no cases")

    def decorate(test):
        @functools.wraps(test)
        def run(*arguments, **fixtures):
            failed = []
            for label, values in zip(labels, table, strict=True):
                try:
                    test(*arguments, **fixtures, **dict(zip(names, values, strict=True)))
                except (Exception, pytest.fail.Exception) as error:
                    failed.append((label, error))
            if failed:
                error = failed[0][1]
                shown = ", ".join(label for label, _ in failed[:20])
                error.add_note(f"{len(failed)} of {len(table)} cases failed, this is the first: {shown}")
                raise error

        signature = inspect.signature(test)
        left = [p for name, p in signature.parameters.items() if name not in names]
        assert len(left) == len(signature.parameters) - len(names), f"{names} are not arguments of {test}"
        run.__signature__ = signature.replace(parameters=left)
        return run

    return decorate


def _values(case, n_names):
    if isinstance(case, type(pytest.param())):
        if case.marks:
            raise ValueError("a case with marks needs pytest.mark.parametrize")
        return case.values
    return (case,) if n_names == 1 else tuple(case)


def _label(value):
    return value if isinstance(value, str) else getattr(value, "__name__", None) or repr(value)[:60]
