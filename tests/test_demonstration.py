"""`python -m kan_ref`: one command, both tables, one picture; and what it answers to wrong arguments."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kan_ref import __main__ as demonstration

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demonstration as a reader runs it, small, in a folder of its own and with warnings as errors."""
    folder = tmp_path_factory.mktemp("demonstration")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-m", "kan_ref", "--seeds", "1", "--samples", "200", "--picture", "ladder.png"]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    return run, folder


def rows(table):
    """The lines of numbers of one method's table: grid, train RMSE, test RMSE, seconds."""
    found = re.findall(r"^ +(\d+) +(\S+) +(\S+) +(\S+)$", table, flags=re.MULTILINE)
    return np.array([[float(number) for number in row] for row in found])


def tables(text):
    """The part of the text that belongs to each of the two methods."""
    marks = [text.index(method.label + "\n") for method in demonstration.METHODS]
    return text[marks[0] : marks[1]], text[marks[1] :]


def test_it_ends_well(shown):
    run, _ = shown

    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


def test_it_prints_a_row_for_every_grid_of_both_methods(shown):
    for table in tables(shown[0].stdout):
        assert rows(table)[:, 0].tolist() == list(demonstration.GRIDS)


def test_errors_fall_from_grid_to_grid_and_seconds_are_positive(shown):
    for table in tables(shown[0].stdout):
        numbers = rows(table)
        assert (np.diff(numbers[:, 1]) < 0).all()
        assert numbers[-1, 2] < 1e-2 * numbers[0, 2]
        assert (numbers[:, 3] > 0).all()


def test_the_printed_slope_is_that_of_the_printed_errors(shown):
    for method, table in zip(demonstration.METHODS, tables(shown[0].stdout), strict=True):
        numbers = rows(table)
        chosen = (numbers[:, 0] >= demonstration.SLOPE_FROM) & (numbers[:, 0] <= method.slope_to)
        expected = np.polyfit(np.log(numbers[chosen, 0]), np.log(numbers[chosen, 2]), 1)[0]
        printed = float(re.search(r"slope of the test error, G = \d+ to \d+: (-?[\d.]+)", table)[1])
        assert printed == pytest.approx(expected, abs=0.05)


def test_it_says_what_it_does_and_where_the_picture_is(shown):
    run, _ = shown

    assert "200 samples" in run.stdout
    assert "exp(sin(pi x) + y^2)" in run.stdout
    assert run.stdout.endswith("picture: ladder.png\n")
    assert "nan" not in run.stdout


def test_it_writes_one_picture_and_nothing_else(shown):
    _, folder = shown

    assert [path.name for path in folder.iterdir()] == ["ladder.png"]
    picture = (folder / "ladder.png").read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) > 10_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seeds", "0"], "--seeds is 0"),
        (["--samples", "9"], "--samples 9"),
        (["--seeds", "many"], "invalid int value: 'many'"),
        (["--grids", "3"], "unrecognized arguments: --grids 3"),
        (["--picture"], "expected one argument"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        demonstration.main(arguments)

    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert sentence in err
    assert out == ""


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as stopped:
        demonstration.main(["--help"])

    text = capsys.readouterr().out
    assert stopped.value.code == 0
    assert all(option in text for option in ("--seeds", "--samples", "--picture"))


def test_the_slope_is_the_exponent_of_a_power():
    grids = (3, 5, 10, 20, 50)
    errors = 7.0 * np.array(grids, dtype=float) ** -4
    errors[0] = 1.0  # outside the range that is asked for

    assert demonstration.slope(grids, errors, 5, 50) == pytest.approx(-4.0, rel=1e-12)


def test_the_report_takes_medians_over_seeds_and_shows_the_range_of_slopes():
    grids = np.array(demonstration.GRIDS, dtype=float)
    ladders = {
        method.label: [demonstration.Ladder(grids**-2, grids**-power, np.full(len(grids), power), 1) for power in (2.0, 3.0, 4.0)]
        for method in demonstration.METHODS
    }

    text = demonstration.report(ladders)

    for table in tables(text):
        np.testing.assert_allclose(rows(table)[:, 2], grids**-3, rtol=0.06)
        assert (rows(table)[:, 3] == 3.0).all()
        assert ": -3.00 (-4.00 to -2.00)" in table
        assert "3 of 24" in table


def test_an_interrupted_demonstration_says_so_and_draws_nothing(tmp_path, capsys, monkeypatch):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstration, "climb", interrupt)

    assert demonstration.main(["--picture", str(tmp_path / "picture.png")]) == 130

    assert "interrupted" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
