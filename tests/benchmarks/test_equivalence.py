"""The page that compares libraries: tables from its record, kan_ref's column as kan_ref computes it, prose as it was measured."""

import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tree
from checkout import ROOT

import kan_ref as kr
from benchmarks.equivalence import __main__ as program
from benchmarks.equivalence import subject
from benchmarks.equivalence.array_columns import KanRef
from benchmarks.equivalence.library import watch
from benchmarks.equivalence.measures import measure, offered, outcome, plain
from benchmarks.equivalence.page import PLACE, TABLES, rendered
from benchmarks.equivalence.verdict import MINUS, number, verdict

PAGE = program.PAGE.read_text(encoding="utf-8")
RECORD = json.loads(program.RECORD.read_text(encoding="utf-8"))
COLUMNS = RECORD["columns"]
PEERS = ("pykan", "efficient-kan", "jaxKAN base", "jaxKAN spline")


def leaves(value, path=()):
    """Path -> value of everything that is not a container."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            key: leaf for name, part in items for key, leaf in leaves(part, (*path, name)).items()
        }
    return {path: value}


@pytest.fixture(scope="module")
def ours():
    return measure(KanRef())


# --- page and record


def test_the_page_is_what_its_record_renders():
    assert rendered(PAGE, RECORD) == PAGE


def test_the_record_is_written_as_the_program_writes_it():
    assert program.content(RECORD) == program.RECORD.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        ("date",),
        ("columns", "pykan", "r2", "sin(12x)"),
        ("columns", "jaxKAN base", "update", "wider", "change"),
    ],
)
def test_a_number_that_changes_changes_the_page(path):
    changed = json.loads(program.RECORD.read_text(encoding="utf-8"))
    *way, last = path
    place = changed
    for key in way:
        place = place[key]
    place[last] = 0.123

    assert rendered(PAGE, changed) != PAGE


def test_kan_refs_column_is_what_kan_ref_computes(ours):
    found, written = leaves(ours), leaves(COLUMNS["kan_ref"])

    assert found.keys() == written.keys()
    assert len(found) > 150
    for path, value in found.items():
        if isinstance(value, float):
            assert value == pytest.approx(written[path], rel=1e-9, abs=1e-12), path
        else:
            assert value == written[path], path


def test_all_libraries_were_asked_all_questions():
    assert list(COLUMNS) == ["kan_ref", *PEERS]
    assert [name for name in PEERS if COLUMNS[name].keys() != COLUMNS["kan_ref"].keys()] == []
    assert [library.name for library in program.libraries()] == list(COLUMNS)


# --- prose and record


def test_the_same_layer_has_the_same_outputs_everywhere():
    assert (
        max(apart for name in PEERS for apart in COLUMNS[name]["forward"]["apart"].values()) < 1e-14
    )


def test_what_is_said_of_bases_knots_masks_and_counts():
    twice = {name: COLUMNS[name]["sum of bases"]["double knot"] for name in COLUMNS}
    assert twice["kan_ref"] == pytest.approx(1.0)
    assert twice["pykan"] == pytest.approx(0.125)
    assert [twice[name] for name in PEERS[1:]] == ["nan"] * 3
    assert [isinstance(COLUMNS[name]["degrees"]["0"], str) for name in COLUMNS] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert all(COLUMNS[name]["knots"]["float64"] > 1e-9 for name in PEERS[2:])
    assert [COLUMNS[name]["masked edge"] == 0.0 for name in COLUMNS] == [
        True,
        True,
        False,
        False,
        False,
    ]
    counts = [COLUMNS[name]["parameters"]["[2, 5, 1]"]["trainable"] for name in COLUMNS]
    assert counts == [150, 150 + 4 * 15, 150, 156, 156]


def test_what_is_said_of_the_first_numbers():
    spread = {
        name: [COLUMNS[name]["first numbers"][g]["coef"]["std"] for g in ("5", "50")]
        for name in COLUMNS
    }
    for name in ("kan_ref", *PEERS[2:]):
        assert spread[name] == pytest.approx([0.1, 0.1], rel=0.01)
    for name in PEERS[:2]:
        assert 8.0 < spread[name][0] / spread[name][1] < 14.0
    weight = {name: COLUMNS[name]["first numbers"]["5"]["w_spline"] for name in COLUMNS}
    assert weight["pykan"]["mean"] == pytest.approx(32**-0.5)
    assert abs(weight["efficient-kan"]["mean"]) < 0.01 < weight["efficient-kan"]["std"]
    scales = COLUMNS["efficient-kan"]["base scales"]
    for name, value in scales.items():
        assert value == pytest.approx(
            (6.0 / ((1.0 + 5.0 * float(name) ** 2) * 256)) ** 0.5 / 3**0.5, rel=0.02
        )
    assert list(scales.values()) == sorted(scales.values(), reverse=True)


def test_what_is_said_of_grids():
    for name in ("pykan", *PEERS[2:]):
        for case in ("narrower", "wider"):
            found = COLUMNS[name]["update"][case]
            assert found["change"] == pytest.approx(found["kan_ref"], rel=1e-6)
        assert COLUMNS[name]["update"]["narrower, cubic curves"]["change"] < 1e-13
    assert COLUMNS["efficient-kan"]["update"]["narrower, cubic curves"]["change"] > 0.5
    assert COLUMNS["pykan"]["update"]["constant input"]["change"] > 0.1
    assert len(set(COLUMNS["pykan"]["update"]["constant input"]["grid"])) == 1
    assert COLUMNS["jaxKAN base"]["update"]["constant input"]["change"] == "nan"
    extended = {name: COLUMNS[name]["extend"] for name in ("kan_ref", "pykan", "jaxKAN spline")}
    nested = {name: found["5 to 10"]["at the samples"] for name, found in extended.items()}
    assert max(nested["kan_ref"], nested["pykan"]) < 1e-14 < 1e-6 < nested["jaxKAN spline"]
    assert extended["pykan"]["5 to 10, right half"]["at the samples"] > 0.5
    assert COLUMNS["pykan"]["least squares"]["torch.linalg.lstsq"] == pytest.approx(1.0)
    assert COLUMNS["pykan"]["least squares"]["torch.linalg.lstsq, driver gelsd"] < 1e-12


def test_what_is_said_of_penalties():
    theirs = COLUMNS["pykan"]["penalties"]
    assert theirs["layer"]["edge_forward_spline_n"] == theirs["layer"]["edge_forward_sum"]
    assert theirs["one constant edge"]["edge_forward_spline_n"] == pytest.approx(
        [0.0, 0.0], abs=1e-9
    )
    assert theirs["one edge"]["edge_forward_spline_n"][1] > 0.5
    assert set(theirs["one sample"]["edge_forward_spline_n"]) == {"nan"}
    coef = np.array(subject.COEF)
    assert theirs["layer"]["lamb_coef, lamb_coefdiff"] == pytest.approx(
        [np.abs(coef).sum() / 3, np.abs(np.diff(coef)).sum() / 3]
    )
    of_coefficients = COLUMNS["efficient-kan"]["penalties"]
    assert of_coefficients["layer"]["regularization_loss"] == ["nan", "nan"]
    assert of_coefficients["without zeros"]["regularization_loss"] == pytest.approx(
        COLUMNS["kan_ref"]["penalties"]["without zeros"]["mean |coef|"], rel=1e-12
    )


def test_calls_of_kan_ref_that_are_said_to_give_their_numbers_do():
    text = TABLES["same"](RECORD).replace(MINUS, "-")
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()[2:]
    ]

    assert len(rows) == 7
    for row in rows:
        assert float(row[1]) == pytest.approx(
            float(row[3]), rel=1e-3 if "edge_scores" in row[0] else 1e-10
        ), row


def test_what_is_said_of_pruning_and_formulas():
    pruned = COLUMNS["pykan"]["prune"]["prune"]
    assert (pruned["kept"], pruned["change"]) == ([0, 1], pytest.approx(0.8))
    assert COLUMNS["kan_ref"]["prune"]["attribution"]["change"] < 1e-12
    assert COLUMNS["kan_ref"]["prune"]["mean"]["kept"] == [0, 2]
    assert COLUMNS["pykan"]["r2"]["0.0001 sin(3x)"] < 0.9
    assert COLUMNS["pykan"]["r2"]["0.0001 sin(3x), 41 samples"] < 0.1
    assert COLUMNS["pykan"]["r2"]["sin(12x)"] < 0.5


def test_the_call_that_is_said_to_choose_pykans_grid_does():
    layer, x = subject.layer(), subject.samples(0.8, 1.5)
    moved = kr.update_grid(kr.Network((layer,)), x, uniform_share=0.02, margin=0.0)

    found = COLUMNS["pykan"]["update"]["narrower"]
    np.testing.assert_allclose(moved.layers[0].breakpoints[0], found["grid"], rtol=0, atol=1e-14)
    before = kr.Network((layer,))(x)
    assert np.abs(moved(x) - before).max() / np.abs(before).max() == pytest.approx(
        found["change"], rel=1e-10
    )


def test_what_is_said_of_chance():
    assert set(COLUMNS["pykan"]["beside"]["generators"].values()) == {"reset"}
    assert COLUMNS["pykan"]["beside"]["files"]
    assert COLUMNS["pykan"]["beside"]["widths"] == [[2, 0], [5, 0], [1, 0]]
    assert COLUMNS["efficient-kan"]["beside"]["generators"]["torch"] == "drawn from"
    assert [name for name in COLUMNS if COLUMNS[name]["beside"]["twins"]] == [
        "jaxKAN base",
        "jaxKAN spline",
    ]


# --- what the page names exists


def test_equations_boxes_and_flags_that_the_page_names_exist():
    tags = set(re.findall(r"\{eq\}`([\w-]+)`", PAGE))
    boxes = set(re.findall(r"\{ref\}`[^<`]*<([\w-]+)>`", PAGE))
    flags = set(re.findall(r"conformance\.md#([\w-]+)", PAGE))
    headings = {
        heading.lower()
        for heading in re.findall(
            r"^### (\w+)$", (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8"), re.M
        )
    }

    assert len(tags) > 8
    assert tags - tree.tagged_lines().keys() == set()
    assert len(boxes) > 4
    assert boxes - {box.label for box in tree.boxes()} == set()
    assert len(flags) > 8
    assert flags - headings == set()


def test_equations_of_the_paper_that_the_page_names_are_carried_out_by_the_tags_beside_them():
    registry = tree.registry()
    named = [
        (numbers, tags)
        for line in PAGE.splitlines()
        if line.startswith("| [")
        for numbers, tags in [numbers_and_tags(line)]
        if tags
    ]
    known = {
        number.strip()
        for entry in registry.values()
        for number in entry.get("paper", "").split(",")
    }

    assert len(named) > 5
    assert [number for numbers, _ in named for number in numbers if number not in known] == []


def numbers_and_tags(line):
    return re.findall(r"\((2\.\d+)\)", line), re.findall(r"\{eq\}`([\w-]+)`", line)


def test_names_of_kan_ref_on_the_page_exist():
    names = set(re.findall(r"\bkr\.(\w+)", PAGE))

    assert len(names) > 5
    assert [name for name in names if not hasattr(kr, name)] == []


# --- the program


def test_no_library_is_imported_before_it_is_asked():
    code = "import benchmarks.equivalence.__main__, sys; print(sorted({'torch', 'kan', 'ikan', 'jax', 'jaxkan', 'flax'} & sys.modules.keys()))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"


def test_the_program_renders_checks_and_refuses_to_measure_half(tmp_path, monkeypatch, capsys):
    class Absent(KanRef):
        name, modules = "absent", ("no_such_module_anywhere",)

    page = tmp_path / "equivalence.md"
    page.write_text(
        re.sub(
            r"<!-- table: values -->.*?<!-- end -->",
            "<!-- table: values -->\n\n<!-- end -->",
            PAGE,
            flags=re.S,
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(program, "PAGE", page)
    monkeypatch.setattr(program, "libraries", lambda: [Absent()])

    assert program.main(["--check"]) == 1
    assert program.main(["--render"]) == 0
    assert program.main(["--check"]) == 0
    assert page.read_text(encoding="utf-8") == PAGE
    assert program.main([]) == 2
    assert "absent needs no_such_module_anywhere" in capsys.readouterr().out


def test_a_library_that_is_wrong_is_told_so(ours):
    class Wrong(KanRef):
        def versions(self):
            return {"wrong": "1"}

        def update(self, model, x):
            """The defect of efficient-kan: w_spline acts twice."""
            moved = kr.update_grid(model, x)
            return kr.Network(
                tuple(
                    replace(layer, coef=layer.coef * layer.w_spline[..., None])
                    for layer in moved.layers
                )
            )

        def penalties(self, model, x):
            raise NotImplementedError

    wrong = measure(Wrong())
    table = verdict({"columns": {"kan_ref": ours, "wrong": wrong}})
    rows = {row[1].strip(): row[2:4] for row in (line.split("|") for line in table.splitlines())}

    assert wrong["penalties"] is None
    assert rows["a grid update keeps cubic curves"][0].strip().startswith("yes")
    assert rows["a grid update keeps cubic curves"][1].strip().startswith("**no**")
    assert rows["same outputs on the grid"][1].strip().startswith("yes")
    assert [cell.strip() for title, row in rows.items() if title.startswith("L1") for cell in row][
        1
    ] == "not offered"


def test_answers_become_plain_data_and_errors_their_kind():
    assert plain({1: (np.float64("nan"), np.int64(2), np.True_, None)}) == {
        "1": ["nan", 2, True, None]
    }
    assert offered(lambda: 3) == 3
    assert outcome(lambda: 1 / 0) == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (1.6736528, "1.674"),
        (2.2e-16, "2e\u221216"),
        (0.00048527, "0.00049"),
        (3.74e-5, "3.7e\u22125"),
        ("nan", "NaN"),
        (150, "150"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_as_the_page_shows_them(value, text):
    assert number(value) == text


# --- what building does beside it


def test_traces_are_found(tmp_path):
    def careless(widths):
        random.seed(0)
        np.random.random()  # noqa: NPY002  what is to be found
        widths[0] = None
        Path("left.txt").write_text("", encoding="utf-8")

    found = watch(careless)

    assert found["generators"]["random"] == "reset"
    assert found["generators"]["numpy.random"] == "drawn from"
    assert (found["files"], found["widths"]) == (["left.txt"], [None, 5, 1])


# --- the layer


def test_the_layer_is_what_its_page_says():
    layer = subject.layer()

    assert (layer.n_in, layer.n_out, layer.n_intervals, layer.degree) == (2, 3, 5, 3)
    assert not (layer.w_spline == 1.0).any()
    assert layer.mask[subject.MASKED] == 0.0 != layer.w_base[subject.MASKED]
    assert layer.mask[subject.ZERO] == 1.0
    assert not layer.coef[subject.ZERO].any()
    assert layer.w_base[subject.ZERO] == 0.0
    assert (subject.N_SAMPLES - 1) % subject.N_INTERVALS == 0


def test_cubic_layer_and_pruning_network_are_the_polynomials_that_they_are_said_to_be():
    x = np.linspace(-1.0, 1.0, 41)[:, None]
    layer = subject.cubic_layer()
    for (j, powers), i in ((pair, i) for pair in enumerate(subject.CUBICS) for i in range(2)):
        alone = kr.Layer(
            layer.knots[:1],
            layer.coef[j : j + 1, i : i + 1],
            np.zeros((1, 1)),
            np.ones((1, 1)),
            np.ones((1, 1)),
            3,
        )
        np.testing.assert_allclose(
            kr.Network((alone,))(x), np.polynomial.Polynomial(powers)(x), rtol=0, atol=1e-14
        )

    np.testing.assert_allclose(subject.pruning_network()(x), x + x**3 + 0.8, rtol=0, atol=1e-13)


def test_every_table_has_its_place_in_the_order_of_the_page():
    places = [match[2] for match in PLACE.finditer(PAGE)]

    assert sorted(places) == sorted(TABLES)
    assert all(one != other for one, other in pairwise(places))
