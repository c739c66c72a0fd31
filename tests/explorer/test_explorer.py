"""The explorer's scripts under node, beside kan_ref: bases bit for bit, insertion, networks, formulas, files; and its example made anew."""

import importlib.util
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from networks import KINDS, random_batch, random_network, random_row, with_formulas

import kan_ref as kr
from kan_ref.bspline.bases import basis, greville
from kan_ref.bspline.blossom import insert_knot
from kan_ref.functions.base_function import base_function
from kan_ref.functions.library import BUILT_IN, LIBRARY
from kan_ref.io.document import json_document, network_from_plain, network_to_plain

EXPLORER = ROOT / "docs" / "explorer"
RNG = np.random.default_rng
NODE = shutil.which("node")


def ask(*requests):
    """The answers of the explorer's scripts, one a request (name, *arguments)."""
    assert NODE, "these tests need the program node"
    done = subprocess.run(
        [NODE, ROOT / "tests" / "explorer" / "explorer_program.js", EXPLORER],
        input=json.dumps(requests, default=lambda array: array.tolist()),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def close(found, expected, atol=0.0, rtol=0.0):
    """An answer is an array but for rounding; words for what JSON cannot say become numbers."""
    assert not isinstance(found, dict), found
    np.testing.assert_allclose(np.array(found, dtype=float), expected, rtol=rtol, atol=atol)


def document(network):
    return json.dumps(network_to_plain(network), default=lambda array: array.tolist())


def rows(degree):
    """Knot vectors of every kind, each with points inside, fading, outside, at every knot and one ulp beside it."""
    rng = RNG(degree)
    for kind in KINDS:
        for n_intervals in (1, 4, 9):
            row = random_row(rng, n_intervals, degree, kind)
            width = row[-1] - row[0]
            drawn = rng.uniform(row[0] - 0.2 * width, row[-1] + 0.2 * width, 30)
            yield row, np.concatenate([drawn, row, np.nextafter(row, -9), np.nextafter(row, 9)])


@for_all("degree", range(8))
def test_bases_and_inserted_knots_are_those_of_kan_ref_bit_for_bit(degree):
    rng, cases = RNG(degree), list(rows(degree))
    inserted = [
        (row, degree, rng.normal(size=len(row) - degree - 1), t)
        for row, x in cases
        for t in x
        if row[0] <= t <= row[-1]
    ]

    found = ask(*(("basis", row, degree, x, order) for row, x in cases for order in (0, 1)))
    moved = ask(*(("insertKnot", *case) for case in inserted))

    for values, slopes, (row, x) in zip(found[::2], found[1::2], cases, strict=True):
        close(values, basis(x[:, None], row[None], degree)[:, 0])
        expected = basis(x[:, None], row[None], degree, 1)[:, 0]
        close(slopes, expected, atol=1e-13 * np.abs(expected).max())
    for one, (row, _, coef, t) in zip(moved, inserted, strict=True):
        knots, wanted = insert_knot(row, degree, coef[None], t)
        close(one["knots"], knots)
        close(one["coef"], wanted[0])


@for_all("degree", range(8))
def test_uniform_rows_and_greville_points_are_those_of_kan_ref(degree):
    places = [(-1.0, 1.0, 1), (0.1, 0.7, 7), (-3.0, 11.3, 12)]
    drawn = [row for row, _ in rows(degree)]

    uniform = ask(*(("uniformKnots", *place, degree) for place in places))
    points = ask(*(("greville", row, degree) for row in drawn))

    for found, place in zip(uniform, places, strict=True):
        close(found, kr.uniform_knots(*place, degree)[0])
    for found, row in zip(points, drawn, strict=True):
        close(found, greville(row[None], degree)[0], atol=1e-15 * np.abs(row).max())


NETWORKS = {f"splines {seed}": random_network(RNG(seed)) for seed in range(12)} | {
    f"formulas {seed}": with_formulas(RNG(seed), random_network(RNG(100 + seed), dead=0.4))
    for seed in range(12)
}
LOCKED = with_formulas(RNG(5), random_network(RNG(6), widths=(3, 4, 2)), share=0.9, locked=0.9)


@for_all("net", [*NETWORKS.values(), LOCKED])
def test_a_saved_network_gives_the_nodes_and_edges_of_kan_ref(net):
    x = random_batch(RNG(7), net.layers[0], 40, at_knots=True)

    (runs,) = ask(("forward", document(net), x))

    for number, layer in enumerate(net.layers):
        # a layer's own inputs may be off by rounding already, which its slopes magnify: it is judged from them
        own = np.array([run["nodes"][number] for run in runs])
        (exact,) = kr.edge_outputs(kr.Network((layer,)), own)
        size = max(1.0, np.abs(exact).sum(axis=2).max())
        close([run["edges"][number] for run in runs], exact, atol=1e-14 * size)
        close([run["nodes"][number + 1] for run in runs], exact.sum(axis=2), atol=1e-14 * size)
    close([run["nodes"][-1] for run in runs], net(x), atol=1e-11 * max(1.0, np.abs(net(x)).max()))


@for_all("name", sorted(BUILT_IN))
def test_every_function_of_the_library_has_its_values_domain_and_derivative(name):
    u = np.concatenate([np.linspace(-3.03, 3.01, 121), [0.7, -1.0, 0.0, 1.0, 1e-8, 30.0, -30.0]])
    expected = LIBRARY[name].f(u)

    ((values, slopes),) = ask(("library", name, u))

    close(values, expected, rtol=4e-15, atol=1e-15)
    inside = np.isfinite(expected) & np.isfinite(LIBRARY[name].d1(u)) & (np.abs(u) <= 3.03)
    slopes = np.array(slopes, dtype=float)[inside]
    close(slopes, LIBRARY[name].d1(u)[inside], rtol=2e-14, atol=1e-15)


def test_the_library_is_complete_and_the_base_functions_are_those_of_kan_ref():
    x = np.concatenate([np.linspace(-40.0, 40.0, 161), [-800.0, 800.0]])

    complexities, *bases = ask(("complexities",), ("base", "silu", x), ("base", "identity", x))

    assert complexities == {name: LIBRARY[name].complexity for name in BUILT_IN}
    for name, found in zip(("silu", "identity"), bases, strict=True):
        close(found, base_function(name, x)[0], rtol=1e-15)


def test_scores_are_those_of_kan_ref_on_samples_that_fill_the_grids_evenly():
    domain = np.array([[-1.0, 1.0], [0.0, 5.0], [2.0, 2.5]])
    net = kr.init_network((3, 4, 1), n_intervals=4, degree=2, domain=domain, rng=RNG(0))

    (columns,) = ask(("samples", document(net), 400))
    x = np.array(columns).T
    (found,) = ask(("scores", document(net), x))

    share = (x - domain[:, 0]) / (domain[:, 1] - domain[:, 0])
    counts = np.bincount(np.floor(4.0 * share).astype(int) @ [16, 4, 1], minlength=64)
    assert (share.min() >= 0.0, share.max() <= 1.0) == (True, True)
    assert (counts.min() >= 3, counts.max() <= 10) == (True, True)  # 400 / 64 = 6.25 a cell
    for scores, expected in zip(found, kr.edge_scores(net, x), strict=True):
        close(scores, expected, rtol=1e-11)


PLANTED = {
    "x": (1.0, 0.0, -2.0, 0.5),
    "x^2": (1.0, -0.2, 3.0, 1.0),
    "exp": (-1.3, 0.0, 2.0, 0.0),
    "log": (1.0, 2.3, 1.5, -1.0),
    "sin": (2.4, 0.3, 0.7, 1.0),
    "tanh": (2.0, 0.5, -1.0, 0.0),
    "gaussian": (1.5, -0.4, 1.0, 0.2),
    "1/x": (1.0, 2.9, 1.0, 0.0),
    "abs": (1.0, -0.3, 1.0, 0.0),
}


@for_all("name", PLANTED)
def test_a_planted_formula_is_found_in_any_unit_and_told_rightly(name):
    a, b, c, d = PLANTED[name]
    x = RNG(1).uniform(-1.7, 1.9, 120)
    y = c * LIBRARY[name].f(a * x + b) + d

    answers = ask(("suggest", x, y), ("suggest", 1e-10 * x, 1e12 * y))

    for fits, x_unit, y_unit in zip(answers, (1.0, 1e-10), (1.0, 1e12), strict=True):
        assert fits[0]["name"] == name
        assert fits[0]["miss"] < 1e-9
        for fit in fits:  # whatever is offered misses by what it says
            a, b, c, d = fit["affine"]
            left = y - (c * LIBRARY[fit["name"]].f(a * x_unit * x + b) + d) / y_unit
            close((left**2).sum() / ((y - y.mean()) ** 2).sum(), fit["miss"], atol=1e-9, rtol=1e-3)


def test_noise_has_no_good_formula_a_level_edge_is_a_constant_and_one_point_is_nothing():
    x, noise = RNG(1).uniform(-1.0, 1.0, 50), RNG(2).normal(size=50)

    bad, level, point = ask(
        *(("suggest", *pair) for pair in ((x, noise), (x, 0 * x + 0.7), (0 * x, x)))
    )

    assert min(fit["miss"] for fit in bad) > 0.5
    assert [(fit["name"], fit["affine"]) for fit in level] == [("0", [1, 0, 0, pytest.approx(0.7)])]
    assert point == []


TEXTS = {
    ("format", 1.6e-19): "1.60e-19",
    ("format", 0.0): "0",
    ("format", 3e-17, 4, 1.0): "0",
    ("format", 3e-17, 4, 1e-17): "3.00e-17",
    ("formulaText", "sin", (3, 0, 1.6e-19, 0)): "1.60e-19 sin(3 x)",
    ("formulaText", "x", (1, -2e-20, 1, 0)): "(x - 2.00e-20)",
}


def test_small_numbers_are_written_and_only_0_and_rounding_errors_of_sums_are_0():
    assert [text.replace("\N{MINUS SIGN}", "-") for text in ask(*TEXTS)] == list(TEXTS.values())


# --- files

GOOD = document(LOCKED)
LAYER = network_to_plain(LOCKED)["layers"][0]


def changed(**values):
    """A file whose first layer has other values."""
    plain = json.loads(GOOD)
    plain["layers"][0] |= values
    return json.dumps(plain, default=lambda array: array.tolist())


DAMAGED = {
    "": "not JSON",
    GOOD[:-9]: "not JSON",
    "PK\x03\x04": "npz archive",
    "[]": "format",
    GOOD.replace('"version": 2', '"version": 9'): "version 9",
    '{"format": "kan_ref network", "version": 2, "layers": [5]}': "layer 0",
    changed(degree=2.5): "no degree",
    changed(coef=LAYER["coef"][:-1]): "coef needs finite numbers of shape",
    changed(coef=np.array(LAYER["coef"])[..., 0]): "coef needs",
    changed(w_base=[[1.0, 2.0], [3.0]]): "w_base needs",
    changed(w_spline=np.full_like(LAYER["w_spline"], 1.0).astype(str)): "w_spline needs",
    changed(knots=-np.array(LAYER["knots"])): "decrease",
    changed(knots=0 * np.array(LAYER["knots"])): "without width",
    changed(mask=np.full_like(LAYER["mask"], 0.5)): "mask needs 0 or 1",
    changed(mask=np.ones_like(LAYER["mask"])): "is a spline edge too",
    changed(affine=[[1.0, 2.0]]): "without their a, b, c and d",
    GOOD.replace('"function": "', '"function": "no such '): "does not know",
    json.dumps(
        json.loads(GOOD) | {"layers": 2 * json.loads(GOOD)["layers"]}
    ): "outputs, but layer 2",
}


def test_what_kan_ref_has_saved_is_read():
    answers = ask(*(("widths", document(net)) for net in NETWORKS.values()))

    assert answers == [list(net.widths) for net in NETWORKS.values()]


@for_all("text", DAMAGED)
def test_a_damaged_or_foreign_file_is_refused_with_a_sentence(text):
    (answer,) = ask(("widths", text))

    assert answer["error"].startswith("network.json holds no network that can be read: ")
    assert DAMAGED[text] in answer["error"]


# --- the example, and the page


@pytest.fixture(scope="module")
def example():
    """The script that makes the example, as a module."""
    spec = importlib.util.spec_from_file_location("example", ROOT / "docs" / "explorer_example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network_of(entry):
    return network_from_plain(json_document(json.dumps(entry["document"]).encode()))


def test_the_example_is_what_its_script_writes_and_tells_its_own_errors(example):
    committed = example.parse(example.FILE.read_text(encoding="utf-8"))
    samples = example.data()
    stages = example.networks(samples)
    kept = [(entry["title"], entry["about"], network_of(entry)) for entry in committed]
    again = example.parse(example.text(kept, samples.x_train))

    for (title, about, net), (wanted, _, trained), same in zip(
        kept, stages, example.SAME, strict=True
    ):
        assert (title, net.widths) == (wanted, trained.widths)
        assert kr.distance(net, trained, samples.x_test).rms < same, title
        told = float(re.search(r"Test RMSE (\S+)\.$", about)[1])
        found = np.sqrt(np.mean((net(samples.x_test) - samples.y_test) ** 2))
        assert found == pytest.approx(told, rel=0.1, abs=3e-15)
    for entry, fresh in zip(committed, again, strict=True):
        for one, other in zip(entry.pop("suggestions"), fresh.pop("suggestions"), strict=True):
            assert [fit["name"] for fit in one["fits"]] == [fit["name"] for fit in other["fits"]]
            close(
                [fit["miss"] for fit in one["fits"]],
                [fit["miss"] for fit in other["fits"]],
                1e-9,
                1e-4,
            )
        assert entry == fresh


def test_the_page_needs_nothing_but_its_folder_and_every_name_is_there_once():
    page = (EXPLORER / "index.html").read_text(encoding="utf-8")
    texts = {path.name: path.read_text(encoding="utf-8") for path in EXPLORER.iterdir()}
    scripts, ids = (
        re.findall(r'<script src="(\w+\.js)"></script>', page),
        re.findall(r'\bid="([^"]+)"', page),
    )
    allowed = {"https://arxiv.org/abs/2404.19756", "http://www.w3.org/2000/svg"}
    code = "".join(
        text for name, text in texts.items() if name.endswith(".js") and name != "example.js"
    )

    assert page.count("<script") == len(scripts)
    assert sorted(scripts) == sorted(name for name in texts if name.endswith(".js"))
    for name, text in texts.items():
        assert set(re.findall(r"https?://[^\s\"')<]+", text)) <= allowed, name
        assert not re.search(r"@import|\bimport\s*\(|\bfetch\(|\beval\(|innerHTML", text), name
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\b(?:for|aria-labelledby)="([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r'\b(?:byId|say)\("([\w-]+)"[,)]', code)) <= set(ids)
