"""Figures without records of their own, and the page of what is reproduced.

Drawings and small figures: an image, the addition of velocities. Verdicts follow from the numbers in their own row, and the page is complete
and true.
"""

import functools
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from checkout import ROOT
from matplotlib.figure import Figure
from toy_runs import compute_all

import kan_ref as kr
from figures.drawings import fig_6_1_decision_tree, overviews
from figures.formulas import velocities
from figures.lans import fig_b_3_images
from figures.machine import machine
from figures.machine.catalog import all_figures, list_figures
from figures.machine.machine import Bar, Claim, sources
from figures.machine.records import find_records, make_plan
from figures.machine.reproduced import KINDS, STATES, counts, page, read_items, summary
from figures.machine.style import style

TREE = fig_6_1_decision_tree


def drawn_from(*homes):
    """A figure that is drawn from the records of others."""
    return SimpleNamespace(
        __name__="derived_figure",
        NAME="derived",
        TITLE="drawn from others",
        RECORDS_OF=homes,
        configs=machine.configs,
        cost=machine.cost,
        run=machine.run,
        draw=lambda records: Figure(),
        claims=lambda records: [],
    )


def test_a_figure_is_drawn_from_its_own_records_unless_it_names_others(toy):
    assert sources(toy) == (toy,)
    assert sources(drawn_from(toy)) == (toy,)
    assert sources(drawn_from()) == ()


def test_records_of_another_figure_are_found_and_those_that_are_missing_are_that_figure_s(
    toy, tmp_path
):
    figure = drawn_from(toy)
    before = make_plan(figure, tmp_path, full=False, seeds=2)
    compute_all(toy, tmp_path, seeds=2)
    after = make_plan(figure, tmp_path, full=False, seeds=2)

    assert [task.module for task in before.missing] == ["toy_figure"] * 2
    assert (before.drawable, after.drawable) == (False, True)
    assert after.missing == []
    assert {record["figure"] for record in after.finished} == {"toy"}


def test_a_drawing_from_code_alone_needs_no_record(tmp_path):
    plan = make_plan(drawn_from(), tmp_path, full=True, seeds=None)

    assert plan.drawable
    assert plan.missing == plan.finished == []
    assert list_figures([plan]).endswith("drawn from code alone")


@pytest.mark.parametrize("name", ["cost", "run"])
def test_a_figure_without_records_refuses_to_compute_one(name):
    with pytest.raises(TypeError, match="a figure with RECORDS_OF computes no records"):
        getattr(machine, name)({"seed": 0})


def test_the_program_draws_derived_figures_and_computes_a_shared_record_once(
    toy, tmp_path, monkeypatch, capsys
):
    from figures import __main__ as program

    both = {"toy": toy, "derived": drawn_from(toy)}
    monkeypatch.setattr(program, "all_figures", lambda: both)
    monkeypatch.setattr(program, "find_figures", lambda names: list(both.values()))

    status = program.main(["--out", str(tmp_path / "out"), "--seeds", "2"])

    assert status == 0
    assert (tmp_path / "log").read_text().split() == ["1", "0"]
    assert (tmp_path / "out" / "derived_figure.svg").exists()
    page = (tmp_path / "out" / "claims.md").read_text()
    assert "- derived: drawn from others. Drawn from the records of toy.\n" in page
    capsys.readouterr()


# --- drawings


def test_the_map_of_the_paper_has_every_numbered_item_and_places_that_exist():
    parts = overviews.parts()

    shown = sorted((kind, number) for entries in parts.values() for kind, number, _ in entries)
    items = read_items()
    assert shown == sorted(
        (kind, number) for kind in ("figure", "table", "equation") for number in items[kind]
    )
    for _, places in overviews.SECTIONS.values():
        assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [(["yes", "yes"], "KAN"), (["no"], "MLP"), (["yes", "no"], "either"), (["partly"], "either")],
)
def test_an_answer_of_the_tree_follows_from_the_verdicts(verdicts, word):
    rows = [Claim("a", "b", "in 3 of 4; more", verdict, "d") for verdict in verdicts]

    assert TREE.answer(TREE.BRANCHES[0], rows) == word
    assert TREE.answer(TREE.BRANCHES[0], []) == ""
    assert "in 3 of 4" in TREE.measured(TREE.BRANCHES[0], rows)


def test_a_branch_whose_rows_differ_quotes_one_of_each_verdict():
    rows = [
        Claim(f"row {place}", "b", f"{place} times; more", verdict, "d")
        for place, verdict in enumerate(["no", "no", "yes", "yes"])
    ]

    text = TREE.measured(TREE.BRANCHES[0], rows)

    assert "“row 0”: 0 times" in text
    assert "“row 2”: 2 times" in text
    assert "row 1" not in text
    assert text.endswith("; 2 of 4 such rows agree")
    assert "“row 2”" not in TREE.measured(TREE.BRANCHES[0], [rows[1], rows[0]])


def test_the_branch_of_differential_equations_counts_every_row_on_errors_of_kans_and_mlps():
    """KANs that begin on one grid, and those that go on from grid to finer grid."""
    if not (ROOT / "figures/results/records").exists():  # a source distribution comes without them
        return
    records = make_plan(TREE, ROOT / "figures/results", full=True, seeds=None).finished
    (branch,) = (one for one in TREE.BRANCHES if "differential equation" in one.question)

    rows = TREE.rows_of(records, branch)

    nested = {"nested" in row.claim: row.agrees for row in rows}
    assert nested == {False: "no", True: "yes"}
    assert TREE.answer(branch, rows) == "either"


def test_every_branch_of_the_tree_has_rows_in_the_committed_records():
    if not (ROOT / "figures/results/records").exists():  # a source distribution comes without them
        return
    records = make_plan(TREE, ROOT / "figures/results", full=True, seeds=None).finished

    assert [branch.words for branch in TREE.BRANCHES if not TREE.rows_of(records, branch)] == []
    (claim,) = TREE.claims(records)
    words = [TREE.answer(branch, TREE.rows_of(records, branch)) for branch in TREE.BRANCHES]
    agree = sum(
        word == branch.answers[0] for word, branch in zip(words, TREE.BRANCHES, strict=True)
    )
    assert f"on {agree} of {len(words)} branches" in claim.ours
    assert TREE.claims(records[:1]) == []


# --- an image


def test_grey_values_are_means_of_blocks_and_the_first_row_is_on_top():
    config = fig_b_3_images.configs(True, 1)[0]
    fine = fig_b_3_images.image_of({**config, "block": 1})
    coarse = fig_b_3_images.image_of(config)

    assert coarse.shape == (40, 40)
    assert coarse[3, 5] == pytest.approx(fine[24:32, 40:48].mean())
    data = fig_b_3_images.data_of(coarse)
    assert data.y_train[:40, 0] == pytest.approx(coarse[0])
    assert data.x_train[0] == pytest.approx([-0.975, -0.975])
    assert data.x_train[39] == pytest.approx([0.975, -0.975])
    assert fig_b_3_images.decibels(0.2) == pytest.approx(20.0)


def test_an_image_is_learnt_in_four_ways_that_repeat_themselves_and_is_drawn():
    config = fig_b_3_images.configs(False, 1)[0] | {
        "block": 40,
        "widths": [2, 4, 1],
        "steps": [[11, 1e-2], [5, 1e-3]],
    }
    results, again = fig_b_3_images.run(config), fig_b_3_images.run(config)

    for some in (results, again):
        for way in some["ways"].values():
            way.pop("seconds")
    assert results == again == json.loads(json.dumps(results))
    ways = results["ways"]
    assert {len(way["psnr"]) for way in ways.values()} == {5}  # steps 0, 5, 10, 15 and 16
    # the converted network begins where the SIREN ended
    assert ways[fig_b_3_images.CONVERTED]["psnr"][0] == ways[fig_b_3_images.SIREN]["psnr"][-1]
    for way in ways.values():
        way["seconds"] = 1.0
    record = {"config": config, "seed": 0, "results": results}
    assert len(fig_b_3_images.claims([record])) == 3
    with style():
        assert len(fig_b_3_images.draw([record]).subfigs[1].axes) == 5


@pytest.mark.parametrize(("gain", "word"), [(1.0, "yes"), (0.5, "partly"), (-0.1, "no")])
def test_a_decibel_more_is_better(gain, word):
    ways = {
        name: {"psnr": [1.0, 20.0], "n_params": 9, "seconds": 1.0} for name in fig_b_3_images.COLORS
    }
    ways[fig_b_3_images.LAN] = {**ways[fig_b_3_images.LAN], "psnr": [1.0, 20.0 + gain]}
    record = {"config": fig_b_3_images.configs(True, 1)[0], "seed": 0, "results": {"ways": ways}}

    assert fig_b_3_images.claims([record])[0].agrees == word


# --- velocities


def test_velocities_are_added_exactly_by_locked_arctanh_and_not_by_another_function():
    config = velocities.configs(False, 1)[0] | {
        "n_train": 200,
        "n_test": 100,
        "n_starts": 1,
        "n_intervals": 5,
        "n_steps": 8,
        "affine_steps": 25,
    }
    results = velocities.run(config)

    assert json.loads(json.dumps(results)) == results
    assert results["arctanh"]["error"] < 1e-10
    assert results["arctanh"]["n_params"] == 8
    assert results["arctanh"]["formula"].count("atanh") == 2
    record = {"config": config, "seed": 0, "results": results}
    assert [claim.agrees for claim in velocities.claims([record])][1:] == ["yes", "yes"]
    results["arctanh"]["error"] = 1e-3
    assert [claim.agrees for claim in velocities.claims([record])][1:] == ["no", "no"]


def test_the_addition_is_that_of_rapidities():
    x = np.random.default_rng(0).uniform(-0.9, 0.9, (50, 2))

    np.testing.assert_allclose(
        velocities.added(x), np.tanh(np.arctanh(x).sum(axis=1)), rtol=1e-13, atol=1e-15
    )


def test_locked_edges_share_their_parameters():
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.9, 0.9, (100, 2))
    data = kr.Data(x, velocities.added(x)[:, None], x, velocities.added(x)[:, None])
    start = kr.init_network((2, 1, 1), n_intervals=5, degree=3, domain=(-0.9, 0.9), rng=rng)

    network = velocities.locked(start, data, "arctanh", 2)

    assert [len(layer.affine) for layer in network.layers] == [1, 1]


# --- verdicts


RESULTS = ROOT / "figures" / "results"
JUDGED = re.compile(
    r"judged: (?P<value>\S+); yes: (?P<side>at most|at least) (?P<yes>[-+.e\d]+)"
    r"(?:, partly: at (?:most|least) (?P<partly>[-+.e\d]+))?(?P<reason>; no more than partly, because )?"
)
PAPER_FIGURES = [
    "0.1",
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "3.1",
    "3.2",
    "3.3",
    "3.4",
    "4.1",
    "4.2",
    "4.3",
    "4.4",
    "4.5",
    "4.6",
    "6.1",
    "B.1",
    "B.2",
    "B.3",
    "C.1",
    "D.1",
    "D.2",
    "D.3",
    "E.1",
    "F.1",
    "F.2",
]
PAPER_EQUATIONS = ["1.1", *(f"2.{n}" for n in range(1, 22)), "3.1", "3.2", "4.1", "4.2", "4.3"]


def recomputed(text):
    """The verdict that the printed number and bars give; None where a row has no judged number."""
    found = JUDGED.search(text)
    if found is None:
        return None
    value, most = float(found["value"]), found["side"] == "at most"

    def holds(bar):
        return value <= float(bar) if most else value >= float(bar)

    if holds(found["yes"]):
        return "partly" if found["reason"] else "yes"
    return "partly" if found["partly"] and holds(found["partly"]) else "no"


@functools.cache
def committed_claims():
    found = []
    for figure in all_figures().values():
        known = make_plan(figure, RESULTS, full=True, seeds=None).finished
        if known:
            found += [(figure.NAME, claim) for claim in figure.claims(known)]
    return found


@pytest.mark.parametrize("most", [False, True])
@pytest.mark.parametrize("reason", ["", "of a cause"])
@pytest.mark.parametrize("partly", [None, 2.0])
@pytest.mark.parametrize("value", [0.5, 0.9996, 1.0, 1.004, 1.006, 1.5, 1.995, 2.0, 2.1, 9.0])
def test_a_bar_prints_all_that_its_word_follows_from(value, partly, reason, most):
    bar = Bar(value, 1.0 if most or partly is None else 9.0, partly, most, reason=reason)

    assert recomputed(f"seeds; {bar.text}") == bar.word


def test_a_bar_gives_each_word():
    assert [Bar(value, 100.0, 10.0).word for value in (100.0, 99.96, 99.9, 10.0, 9.9)] == [
        "yes",
        "yes",
        "partly",
        "partly",
        "no",
    ]
    assert Bar(100.0, 100.0, reason="x").word == "partly"
    assert [Bar(value, 1.0, most=True).word for value in (1.0, 1.1)] == ["yes", "no"]


def test_verdicts_of_committed_records_follow_from_the_judged_numbers_of_their_rows():
    rows = [(name, claim, recomputed(claim.evidence)) for name, claim in committed_claims()]

    assert [claim.claim for _, claim, word in rows if word != claim.agrees] == []
    assert len(rows) >= 250 or not (RESULTS / "records").exists()  # a source distribution has none


def test_the_column_of_the_paper_has_no_aims_of_this_project():
    aims = re.compile(r"\b(asked for|aimed at|our bars?|required)\b")

    assert [claim.paper for _, claim in committed_claims() if aims.search(claim.paper)] == []


def test_one_function_has_one_name():
    texts = [velocities.TITLE]
    texts += [claim.claim + claim.paper + claim.evidence for _, claim in committed_claims()]

    assert [text for text in texts if re.search(r"\bartanh\b", text)] == []


def test_the_committed_page_of_claims_has_these_verdicts():
    text = (RESULTS / "claims.md").read_text(encoding="utf-8")
    for _, claim in committed_claims():
        cells = [claim.claim.replace("|", "\\|"), claim.agrees, claim.evidence.replace("|", "\\|")]
        assert f"| {cells[1]} | {cells[2]} |" in text, claim.claim


# --- what is reproduced


def test_every_figure_table_and_equation_of_the_paper_is_listed_in_order():
    items = read_items()

    assert list(items) == list(KINDS)
    assert list(items["figure"]) == PAPER_FIGURES
    assert list(items["table"]) == list("123456")
    assert list(items["equation"]) == PAPER_EQUATIONS
    assert len(items["claim"]) >= 25


def test_every_item_says_where_it_is_or_why_it_is_not():
    for kind, entries in read_items().items():
        for name, item in entries.items():
            assert item["status"] in STATES, name
            assert bool(item["where"]) == (item["status"] != "no"), name
            assert bool(item.get("why")) == (item["status"] != "yes"), name
            assert set(item) <= {"what", "status", "where", "why"}, name
            assert ("what" in item) == (kind != "claim"), name


def test_every_place_exists():
    tags = (ROOT / "docs" / "equations.toml").read_text(encoding="utf-8")
    for entries in read_items().values():
        for name, item in entries.items():
            for place in item["where"]:
                if place.startswith("eq:"):
                    assert f"\n[{place[3:]}]\n" in tags, (name, place)
                else:
                    assert place in all_figures() or (ROOT / place).is_file(), (name, place)


def test_every_figure_of_the_program_is_in_the_list():
    named = {
        place
        for entries in read_items().values()
        for item in entries.values()
        for place in item["where"]
    }
    assert set(all_figures()) <= named


def test_the_committed_page_and_the_readme_are_those_of_the_list():
    items = read_items()

    assert (RESULTS / "reproduced.md").read_text(encoding="utf-8") == page(items)
    assert summary(items) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert sum(counts(items, "figure", "table").values()) == 32


def test_a_figure_without_records_is_not_called_reproduced():
    named = {
        place
        for entries in read_items().values()
        for item in entries.values()
        for place in item["where"]
    }
    if not (RESULTS / "records").exists():  # a source distribution comes without them
        return
    assert [
        name
        for name in named & set(all_figures())
        if not all(find_records(RESULTS, home).collected for home in sources(all_figures()[name]))
    ] == []
