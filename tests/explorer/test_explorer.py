"""The explorer's scripts under node, beside kan_ref: bases bit for bit, curves, insertion, networks, files; and its example made anew."""

import base64
import importlib.util
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from checkout import ROOT
from damaged_json import damaged
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
N_DAMAGED = 200  # files with a fault, for each of three networks


def ask(*requests, folder=EXPLORER):
    """The answers of the explorer's scripts, one a request (name, *arguments)."""
    text = json.dumps(requests, default=lambda array: array.tolist())
    assert NODE, "these tests need the program node"
    command = [NODE, ROOT / "tests" / "explorer" / "explorer_program.js", folder]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def numbers(answer):
    """An answer as an array; words for what JSON cannot say become numbers."""
    assert not isinstance(answer, dict), answer
    return np.array(answer, dtype=np.float64)


def same_bits(found, expected):
    """Equal float64 numbers; of zeros the sign is left open."""
    np.testing.assert_array_equal(numbers(found), expected, strict=True)


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


# --- bases, curves, insertion


def basis_cases(degree):
    orders = [0, *range(1, degree + 2)]
    cases = [(row, x, order) for row, x in rows(degree) for order in orders]
    return [("basis", row, degree, x, order) for row, x, order in cases], [
        basis(x[:, None], row[None], degree, order)[:, 0] for row, x, order in cases
    ]


@pytest.mark.parametrize("degree", range(8))
def test_bases_and_all_their_derivatives_are_those_of_kan_ref_bit_for_bit(degree):
    requests, expected = basis_cases(degree)

    for found, right in zip(ask(*requests), expected, strict=True):
        same_bits(found, right)


def test_uniform_rows_are_those_of_kan_ref_bit_for_bit():
    cases = [
        (low, high, n, degree)
        for low, high in ((-1.0, 1.0), (0.1, 0.7), (-3.0, 11.3))
        for n in (1, 3, 7, 12)
        for degree in range(8)
    ]

    for found, (low, high, n, degree) in zip(
        ask(*(("uniformKnots", *case) for case in cases)), cases, strict=True
    ):
        same_bits(found, kr.uniform_knots(low, high, n, degree)[0])


@pytest.mark.parametrize("degree", range(8))
def test_greville_points_are_those_of_kan_ref(degree):
    cases = [row for row, _ in rows(degree)]

    for found, row in zip(ask(*(("greville", row, degree) for row in cases)), cases, strict=True):
        np.testing.assert_allclose(
            numbers(found), greville(row[None], degree)[0], rtol=0.0, atol=1e-15 * np.abs(row).max()
        )


@pytest.mark.parametrize("degree", range(8))
def test_inserted_knots_give_the_coefficients_of_kan_ref_bit_for_bit(degree):
    rng, cases = RNG(degree), []
    for row, x in rows(degree):
        coef = rng.normal(size=len(row) - degree - 1)
        cases += [(row, coef, t) for t in x if row[0] <= t <= row[-1]]

    answers = ask(*(("insertKnot", row, degree, coef, t) for row, coef, t in cases))

    for found, (row, coef, t) in zip(answers, cases, strict=True):
        knots, moved = insert_knot(row, degree, coef[None], t)
        same_bits(found["knots"], knots)
        same_bits(found["coef"], moved[0])


@pytest.mark.parametrize("degree", range(8))
def test_a_curve_and_its_derivative_are_those_of_kan_ref(degree):
    rng = RNG(degree)
    cases = [
        (row, rng.normal(size=len(row) - degree - 1), x, order)
        for row, x in rows(degree)
        for order in (0, 1)
    ]

    answers = ask(*(("curve", row, degree, coef, x, order) for row, coef, x, order in cases))

    for found, (row, coef, x, order) in zip(answers, cases, strict=True):
        terms = coef * basis(x[:, None], row[None], degree, order)[:, 0]
        np.testing.assert_allclose(
            numbers(found),
            terms.sum(axis=1),
            rtol=0.0,
            atol=1e-14 * max(np.abs(terms).sum(axis=1).max(), 1e-300),
        )


# --- networks


def close(found, expected, size):
    np.testing.assert_allclose(numbers(found), expected, rtol=0.0, atol=1e-14 * size)


NETWORKS = {f"splines {seed}": random_network(RNG(seed)) for seed in range(12)}
NETWORKS |= {
    f"formulas {seed}": with_formulas(RNG(seed), random_network(RNG(100 + seed), dead=0.4))
    for seed in range(12)
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_network_gives_the_nodes_and_edges_of_kan_ref(name, tmp_path):
    net = NETWORKS[name]
    kr.save(net, tmp_path / "network.json")
    x = random_batch(RNG(7), net.layers[0], 40, at_knots=True)
    flow = [x]
    for layer in net.layers:
        flow.append(kr.Network((layer,))(flow[-1]))

    (runs,) = ask(("forward", (tmp_path / "network.json").read_text(encoding="ascii"), x))

    edges = kr.edge_outputs(net, x)
    for number, (inputs, outputs) in enumerate(zip(flow, edges, strict=False)):
        # a layer's own inputs may be off by rounding already, which its slopes magnify: it is judged from them
        own = np.array([run["nodes"][number] for run in runs])
        layer = kr.Network((net.layers[number],))
        exact = kr.edge_outputs(layer, own)[0]
        size = max(1.0, np.abs(exact).sum(axis=2).max())
        close([run["edges"][number] for run in runs], exact, size)
        close([run["nodes"][number + 1] for run in runs], layer(own), size)
        np.testing.assert_allclose(
            own, inputs, rtol=0.0, atol=1e-11 * max(1.0, np.abs(inputs).max())
        )
        np.testing.assert_allclose(
            numbers([run["edges"][number] for run in runs]), outputs, rtol=0.0, atol=1e-11 * size
        )


def test_one_edge_by_itself_is_that_edge_of_the_network():
    net = with_formulas(RNG(3), random_network(RNG(2), widths=(3, 4, 2), dead=0.5), share=0.4)
    places = [
        (number, *place)
        for number, layer in enumerate(net.layers)
        for place in np.ndindex(layer.mask.shape)
    ]
    x = np.linspace(-2.5, 2.5, 31)

    answers = ask(*(("edgeValues", document(net), number, j, i, x) for number, j, i in places))

    kinds = set()
    for found, (number, j, i) in zip(answers, places, strict=True):
        layer = net.layers[number]
        kinds.add(
            "spline"
            if layer.mask[j, i]
            else "symbolic"
            if any((e.output, e.input) == (j, i) for e in layer.symbolic)
            else "dead"
        )
        close(
            found,
            kr.edge_curve(net, number, output=j, input=i, x=x),
            max(1.0, np.abs(layer.coef).max() * 10),
        )
    assert kinds == {"spline", "symbolic", "dead"}


NAMES = sorted(BUILT_IN)


@pytest.mark.parametrize("number", range(len(NAMES)))  # "1/x" is not a name of a test
def test_every_function_of_the_library_has_its_values_and_its_domain(number):
    name = NAMES[number]
    u = np.concatenate([np.linspace(-3.0, 3.0, 121), [0.7, -1.0, 0.0, 1.0, 1e-8, 30.0, -30.0]])

    (found,) = ask(("formula", name, u))

    expected = LIBRARY[name].f(u)
    np.testing.assert_allclose(numbers(found), expected, rtol=4e-15, atol=1e-15)


def test_the_library_is_complete_and_as_complex_as_kan_ref_says():
    (found,) = ask(("complexities",))

    assert found == {name: LIBRARY[name].complexity for name in BUILT_IN}


@pytest.mark.parametrize("name", ["silu", "identity", "zero"])
def test_the_base_functions_are_those_of_kan_ref(name):
    x = np.concatenate([np.linspace(-40.0, 40.0, 161), [-800.0, 800.0, 1e300, -1e300]])

    (found,) = ask(("base", name, x))

    np.testing.assert_allclose(numbers(found), base_function(name, x)[0], rtol=1e-15, atol=0.0)


def test_scores_are_those_of_kan_ref_on_the_same_samples():
    for net in (NETWORKS["splines 4"], NETWORKS["formulas 2"]):
        (samples,) = ask(("samples", document(net), 200))
        (found,) = ask(("scores", document(net), samples))

        for scores, expected in zip(found, kr.edge_scores(net, samples), strict=True):
            np.testing.assert_allclose(numbers(scores), expected, rtol=1e-11, atol=1e-13)


def test_samples_fill_the_grids_evenly():
    net = kr.init_network(
        (3, 1),
        n_intervals=4,
        degree=2,
        domain=np.array([[-1.0, 1.0], [0.0, 5.0], [2.0, 2.5]]),
        rng=RNG(0),
    )

    (samples,) = ask(("samples", document(net), 400))

    share = (np.array(samples) - [-1.0, 0.0, 2.0]) / [2.0, 5.0, 0.5]
    assert share.min() >= 0.0
    assert share.max() <= 1.0
    cells = np.floor(4.0 * share).astype(int) @ [16, 4, 1]
    counts = np.bincount(cells, minlength=64)
    assert counts.min() >= 3  # 400 / 64 = 6.25 a cell
    assert counts.max() <= 10


# --- formulas sought in the page

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


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_formula_is_found_and_told_rightly(name):
    a, b, c, d = PLANTED[name]
    x = RNG(1).uniform(-1.7, 1.9, 120)
    y = c * LIBRARY[name].f(a * x + b) + d

    (fits,) = ask(("suggest", x, y))

    assert fits[0]["name"] == name
    assert fits[0]["miss"] < 1e-9
    for fit in fits:  # whatever is offered misses by what it says
        a, b, c, d = fit["affine"]
        left = y - c * LIBRARY[fit["name"]].f(a * x + b) - d
        np.testing.assert_allclose(
            (left**2).sum() / ((y - y.mean()) ** 2).sum(), fit["miss"], rtol=1e-3, atol=1e-9
        )


def test_noise_is_given_no_good_formula():
    x = RNG(1).uniform(-1.0, 1.0, 120)

    (fits,) = ask(("suggest", x, RNG(2).normal(size=120)))

    assert min(fit["miss"] for fit in fits) > 0.5


def test_a_level_edge_is_a_constant_and_one_point_is_nothing():
    x = RNG(1).uniform(-1.0, 1.0, 50)

    level, point = ask(("suggest", x, np.full(50, 0.7)), ("suggest", np.full(50, 0.2), x))

    assert [(fit["name"], fit["affine"], fit["miss"]) for fit in level] == [
        ("0", [1, 0, 0, pytest.approx(0.7)], 0)
    ]
    assert point == []


# --- numbers of any unit


def test_units_have_no_effect_on_the_formulas_that_are_found():
    x = RNG(3).uniform(-1.0, 1.0, 60)
    units = [(1.0, 1.0), (1e-10, 1.0), (1.0, 1e-160), (3e-19, 7e150), (2e140, 4e-12)]
    curves = {"sin": np.sin(2.0 * x + 0.3) + 0.2, "0": np.full(60, 0.7)}

    answers = ask(*(("suggest", u * x, v * y) for y in curves.values() for u, v in units))

    for n, (name, y) in enumerate(curves.items()):
        for (u, v), fits in zip(units, answers[5 * n : 5 * n + 5], strict=True):
            assert fits[0]["name"] == name
            assert fits[0]["miss"] < 1e-9
            a, b, c, d = fits[0]["affine"]
            found = c * LIBRARY[name].f(a * u * x + b) + d
            np.testing.assert_allclose(found / v, y, rtol=0.0, atol=1e-5)


def test_inputs_far_from_0_are_told_apart_and_one_input_is_not():
    x = 1.7e9 + RNG(4).uniform(0.0, 1.0, 60)

    far, same = ask(("suggest", x, (x - 1.7e9) ** 2), ("suggest", np.full(60, 1.7e9), x))

    assert far[0]["name"] == "x^2"
    assert same == []


TEXTS = {
    ("format", 1.6e-19): "1.60e-19",
    ("format", -3e-310, 3): "-3.0e-310",
    ("format", 0.0): "0",
    ("format", 3e-17, 4, 1.0): "0",
    ("format", 3e-17, 4, 1e-17): "3.00e-17",
    ("formulaText", "sin", (3, 0, 1.6e-19, 0)): "1.60e-19 sin(3 x)",
    ("formulaText", "sin", (1e-13, 0, 1e13, 3e-13)): "1.00e+13 sin(1.00e-13 x) + 3.00e-13",
    ("formulaText", "x", (1, -2e-20, 1, 0)): "(x - 2.00e-20)",
}


def test_small_numbers_are_written_and_only_0_and_rounding_errors_of_sums_are_0():
    assert [text.replace("\N{MINUS SIGN}", "-") for text in ask(*TEXTS)] == list(TEXTS.values())


# --- files

GOOD = json.loads(
    document(kr.init_network((2, 3, 1), n_intervals=3, degree=2, domain=(-1.0, 1.0), rng=RNG(0)))
)
NAMED = kr.fix_symbolic(
    network_from_plain(json_document(json.dumps(GOOD).encode())), 0, output=1, input=0, name="sin"
)
NAMED = json.loads(document(NAMED))


def test_what_kan_ref_has_saved_is_read():
    answers = ask(*(("widths", document(net), "name.json") for net in NETWORKS.values()))

    assert answers == [list(net.widths) for net in NETWORKS.values()]


def test_a_file_nested_without_end_is_refused_with_a_sentence():
    deep = json.dumps(GOOD).replace('"mask": [[', '"mask": ' + "[" * 5000, 1)

    (answer,) = ask(("widths", deep, "deep.json"))

    assert "deep.json holds no network that can be read: " in answer["error"]


def verdict(path):
    """What kan_ref makes of a file: widths and degrees, or None."""
    try:
        net = kr.load(path)
    except ValueError:
        return None
    return {"widths": list(net.widths), "degrees": [layer.degree for layer in net.layers]}


LENIENT = {
    "a key twice": lambda text: text.replace('"degree"', '"degree": 3, "degree"', 1),
    "an integer with a point": lambda text: re.sub(r'"degree": (\d)', r'"degree": \1.0', text),
    "an integer with an exponent": lambda text: re.sub(
        r'"version": (\d)', r'"version": \1e0', text
    ),
}


@pytest.mark.parametrize("change", LENIENT)
def test_json_that_kan_ref_alone_refuses_has_the_meaning_that_it_says(change):
    text = LENIENT[change](json.dumps(GOOD))

    answer, good = ask(("widths", text, "name.json"), ("widths", json.dumps(GOOD), "name.json"))

    assert answer == good


def test_the_page_reads_what_kan_ref_reads_and_of_damaged_files_no_others(tmp_path):
    path = tmp_path / "network.json"
    square = document(random_network(RNG(8), widths=(2, 2, 2)))
    texts = [json.dumps(GOOD), json.dumps(NAMED), square]
    contents = [damaged(json.loads(text), seed) for text in texts for seed in range(N_DAMAGED)]
    contents += [("\ufeff" + text).encode() for text in texts]
    contents += [(text + end).encode() for text in texts for end in ("", " \t\r\n", "\xa0", text)]
    expected = []
    for content in contents:
        path.write_bytes(content)
        expected.append(verdict(path))

    answers = ask(*(("read", base64.b64encode(content).decode()) for content in contents))

    n_lenient = 0
    for content, right, found in zip(contents, expected, answers, strict=True):
        assert right in (None, found), content
        n_lenient += right is None and "error" not in found
    n_read = sum(right is not None for right in expected)
    assert len(expected) / 20 < n_read < len(expected) / 2  # both verdicts are compared
    assert n_lenient <= len(expected) / 20  # a key twice, 3.0 for 3


# --- the example, and the page


@pytest.fixture(scope="module")
def example():
    """The script that makes the example, as a module."""
    spec = importlib.util.spec_from_file_location(
        "explorer_example", ROOT / "docs" / "explorer_example.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_is_what_its_script_writes(example):
    committed = example.parse(example.FILE.read_text(encoding="utf-8"))
    samples = example.data()
    stages = example.networks(samples)

    assert [entry["title"] for entry in committed] == [title for title, _, _ in stages]
    for entry, (title, _, trained), same in zip(committed, stages, example.SAME, strict=True):
        net = network_from_plain(json_document(json.dumps(entry["document"]).encode()))
        assert net.widths == trained.widths, title
        assert kr.distance(net, trained, samples.x_test).rms < same, title
    saved = [
        (
            entry["title"],
            entry["about"],
            network_from_plain(json_document(json.dumps(entry["document"]).encode())),
        )
        for entry in committed
    ]
    again = example.parse(example.text(saved, samples.x_train))
    for entry, fresh in zip(committed, again, strict=True):
        reported, anew = entry.pop("suggestions"), fresh.pop("suggestions")
        assert entry == fresh
        for one, other in zip(reported, anew, strict=True):
            assert {**one, "fits": [fit["name"] for fit in one["fits"]]} == {
                **other,
                "fits": [fit["name"] for fit in other["fits"]],
            }
            for fit, fit_anew in zip(one["fits"], other["fits"], strict=True):
                assert fit["miss"] == pytest.approx(fit_anew["miss"], rel=1e-4, abs=1e-9)


def test_the_errors_that_the_example_tells_are_those_of_its_networks(example):
    samples = example.data()
    for entry in example.parse(example.FILE.read_text(encoding="utf-8")):
        net = network_from_plain(json_document(json.dumps(entry["document"]).encode()))
        reported = float(re.search(r"Test RMSE (\S+)\.$", entry["about"])[1])
        found = float(np.sqrt(np.mean((net(samples.x_test) - samples.y_test) ** 2)))
        assert found == pytest.approx(reported, rel=0.1, abs=3e-15)


def test_the_last_example_is_the_formula_that_the_samples_came_from(example):
    entry = example.parse(example.FILE.read_text(encoding="utf-8"))[-1]

    (runs,) = ask(("forward", json.dumps(entry["document"]), [[0.3, -0.7], [-0.9, 0.2]]))

    expected = [np.exp(np.sin(np.pi * x) + y**2) for x, y in ((0.3, -0.7), (-0.9, 0.2))]
    np.testing.assert_allclose([run["nodes"][-1][0] for run in runs], expected, rtol=1e-13)


def test_the_page_needs_nothing_but_its_folder():
    page = (EXPLORER / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script src="(\w+\.js)"></script>', page)

    assert page.count("<script") == len(scripts)
    assert sorted(scripts) == sorted(path.name for path in EXPLORER.glob("*.js"))
    assert "module" not in "".join(
        re.findall(r"<script[^>]*>", page)
    )  # a browser refuses modules from file://
    for path in EXPLORER.iterdir():
        text = path.read_text(encoding="utf-8")
        links = set(re.findall(r"https?://[^\s\"')<]+", text)) - {
            "https://arxiv.org/abs/2404.19756",
            "http://www.w3.org/2000/svg",
        }
        assert not links, path.name
        assert not re.search(
            r"@import|\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|\beval\s*\(|innerHTML", text
        ), path.name


def test_every_label_names_a_control_and_every_id_is_there_once():
    page = (EXPLORER / "index.html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', page)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\b(?:for|aria-labelledby)="([^"]+)"', page)) <= set(ids)
    scripts = "".join(
        path.read_text(encoding="utf-8")
        for path in EXPLORER.glob("*.js")
        if path.name != "example.js"
    )
    assert set(re.findall(r'byId\("([\w-]+)"\)', scripts)) <= set(ids)


def test_locked_formulas_share_their_parameters_here_too():
    net = with_formulas(RNG(5), random_network(RNG(6), widths=(3, 4, 2)), share=0.9, locked=0.9)
    layer = net.layers[0]
    assert len({edge.row for edge in layer.symbolic}) < len(layer.symbolic)
    x = random_batch(RNG(7), layer, 10)

    (runs,) = ask(("forward", document(kr.Network((layer,))), x))

    close([run["edges"][0] for run in runs], kr.edge_outputs(kr.Network((layer,)), x)[0], 10.0)
