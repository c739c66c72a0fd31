"""The explorer's scripts under node, beside kan_ref: bases bit for bit, insertion, networks, formulas, files, its example; training.

Gradients and Adam against kan_ref, refinement, pruning, names, formulas as text.
"""

import json
import re
import runpy
import subprocess
from types import SimpleNamespace

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
from kan_ref.optimizers import Steps

# --- the explorer's scripts under node, beside kan_ref: bases bit for bit, insertion, networks, formulas, files; and its example made anew

EXPLORER = ROOT / "docs" / "explorer"
RNG = np.random.default_rng


def ask(*requests):
    """The answers of the explorer's scripts, one a request (name, *arguments)."""
    command = ["node", ROOT / "tests" / "explorer" / "explorer_program.js", EXPLORER]
    text = json.dumps(requests, default=lambda array: array.tolist())
    return json.loads(subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout)


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
def test_bases_knots_and_inserted_knots_are_those_of_kan_ref_bit_for_bit(degree):
    rng, cases = RNG(degree), list(rows(degree))
    inserted = [
        (row, degree, rng.normal(size=len(row) - degree - 1), t)
        for row, x in cases
        for t in np.clip(x, row[0], row[-1])
    ]
    places = [(-1.0, 1.0, 1), (0.1, 0.7, 7), (-3.0, 11.3, 12)]

    found = ask(*(("basis", row, degree, x, order) for row, x in cases for order in (0, 1)))
    points = ask(*(("greville", row, degree) for row, _ in cases))
    moved = ask(*(("insertKnot", *case) for case in inserted))
    uniform = ask(*(("uniformKnots", *place, degree) for place in places))

    answers = zip(found[::2], found[1::2], points, cases, strict=True)
    for values, slopes, middles, (row, x) in answers:
        close(values, basis(x[:, None], row[None], degree)[:, 0])
        expected = basis(x[:, None], row[None], degree, 1)[:, 0]
        close(slopes, expected, atol=1e-13 * np.abs(expected).max())
        close(middles, greville(row[None], degree)[0], atol=1e-15 * np.abs(row).max())
    for one, (row, _, coef, t) in zip(moved, inserted, strict=True):
        knots, wanted = insert_knot(row, degree, coef[None], t)
        close(one["knots"], knots)
        close(one["coef"], wanted[0])
    for row, place in zip(uniform, places, strict=True):
        close(row, kr.uniform_knots(*place, degree)[0])


LOCKED = with_formulas(RNG(5), random_network(RNG(6), widths=(3, 4, 2)), share=0.9, locked=0.9)
NETWORKS = [LOCKED, *(random_network(RNG(seed)) for seed in range(12))]
NETWORKS += [with_formulas(RNG(s), random_network(RNG(100 + s), dead=0.4)) for s in range(12)]


@for_all("net", NETWORKS)
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

    complexities, silu = ask(("complexities",), ("base", "silu", x))

    assert complexities == {name: LIBRARY[name].complexity for name in BUILT_IN}
    close(silu, base_function("silu", x)[0], rtol=1e-15)


def test_scores_are_those_of_kan_ref_on_samples_that_fill_the_grids_evenly():
    domain = np.array([[-1.0, 1.0], [0.0, 5.0], [2.0, 2.5]])
    net = kr.init_network((3, 4, 1), n_intervals=4, degree=2, domain=domain, rng=RNG(0))

    (columns,) = ask(("samples", document(net), 400))
    x = np.array(columns).T
    (found,) = ask(("scores", document(net), x))

    share = (x - domain[:, 0]) / (domain[:, 1] - domain[:, 0])
    counts, _ = np.histogramdd(share, bins=4, range=3 * [(0.0, 1.0)])
    assert 3 <= counts.min() <= counts.max() <= 10  # 400 / 64 = 6.25 a cell
    assert counts.sum() == 400
    for scores, expected in zip(found, kr.edge_scores(net, x), strict=True):
        close(scores, expected, rtol=1e-11)


PLANTED = {"x^2": (1.0, -0.2, 3.0, 1.0), "sin": (2.4, 0.3, 0.7, 1.0), "tanh": (2.0, 0.5, -1.0, 0.0)}


@for_all("name", PLANTED)
def test_a_planted_formula_is_found_in_any_unit_and_told_rightly(name):
    a, b, c, d = PLANTED[name]
    x = RNG(1).uniform(-1.7, 1.9, 120)
    y = c * LIBRARY[name].f(a * x + b) + d

    fits, scaled = ask(("suggest", x, y), ("suggest", 1e-10 * x, 1e12 * y))

    assert fits[0]["name"] == scaled[0]["name"] == name
    assert max(fits[0]["miss"], scaled[0]["miss"]) < 1e-9
    for fit in fits:  # whatever is offered misses by what it says
        a, b, c, d = fit["affine"]
        left = y - c * LIBRARY[fit["name"]].f(a * x + b) - d
        close((left**2).sum() / ((y - y.mean()) ** 2).sum(), fit["miss"], atol=1e-9, rtol=1e-3)


def test_noise_has_no_good_formula_a_level_edge_is_a_constant_and_one_point_is_nothing():
    x, noise = RNG(1).uniform(-1.0, 1.0, 50), RNG(2).normal(size=50)
    pairs = [(x, noise), (x, 0 * x + 0.7), (0 * x, x)]

    bad, level, point = ask(*(("suggest", *pair) for pair in pairs))

    assert min(fit["miss"] for fit in bad) > 0.5
    assert [(fit["name"], fit["affine"]) for fit in level] == [("0", [1, 0, 0, pytest.approx(0.7)])]
    assert point == []


# --- files

GOOD = document(LOCKED)
LAYER = network_to_plain(LOCKED)["layers"][0]


def changed(**values):
    """A file whose first layer has other values."""
    plain = json.loads(GOOD)
    plain["layers"][0] |= values
    return json.dumps(plain, default=lambda array: array.tolist())


DAMAGED = {
    GOOD[:-9]: "not JSON",
    "PK\x03\x04": "npz archive",
    GOOD.replace('"version": 2', '"version": 9'): "version 9",
    changed(degree=2.5): "no degree",
    changed(coef=LAYER["coef"][:-1]): "coef needs finite numbers of shape",
    changed(w_spline=np.ones_like(LAYER["w_spline"]).astype(str)): "w_spline needs",
    changed(knots=-np.array(LAYER["knots"])): "decrease",
    changed(mask=np.ones_like(LAYER["mask"])): "is a spline edge too",
    changed(affine=[[1.0, 2.0]]): "without their a, b, c and d",
    GOOD.replace('"function": "', '"function": "no such '): "does not know",
    GOOD.replace('"layers": [', f'"layers": [{json.dumps(LAYER, default=list)}, '): "layer 1 has",
}


@for_all("text", DAMAGED)
def test_a_damaged_or_foreign_file_is_refused_with_a_sentence(text):
    (answer,) = ask(("forward", text, [[0.0]]))

    assert answer["error"].startswith("network.json holds no network that can be read: ")
    assert DAMAGED[text] in answer["error"]


# --- the example, and the page


def fits_of(entry):
    return [fit for edge in entry.pop("suggestions") for fit in edge["fits"]]


def test_the_example_is_what_its_script_writes_and_tells_its_own_errors():
    example = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "explorer_example.py")))
    committed = example.parse(example.FILE.read_text(encoding="utf-8"))
    documents = [json.dumps(one["document"]).encode() for one in committed]
    nets = [network_from_plain(json_document(text)) for text in documents]
    samples = example.data()
    kept = [(one["title"], one["about"], net) for one, net in zip(committed, nets, strict=True)]
    again = example.parse(example.text(kept, samples.x_train))

    stages = zip(kept, example.networks(samples), example.SAME, strict=True)
    for (title, about, net), (wanted, _, trained), same in stages:
        assert (title, net.widths) == (wanted, trained.widths)
        assert kr.distance(net, trained, samples.x_test).rms < same, title
        told = float(re.search(r"Test RMSE (\S+)\.$", about)[1])
        found = np.sqrt(np.mean((net(samples.x_test) - samples.y_test) ** 2))
        assert found == pytest.approx(told, rel=0.1, abs=3e-15)
    for entry, fresh in zip(committed, again, strict=True):
        for fit, other in zip(fits_of(entry), fits_of(fresh), strict=True):
            assert fit["name"] == other["name"]
            assert fit["miss"] == pytest.approx(other["miss"], rel=1e-4, abs=1e-9)
        assert entry == fresh


def test_the_page_needs_nothing_but_its_folder_and_every_name_is_there_once():
    texts = {path.name: path.read_text(encoding="utf-8") for path in EXPLORER.iterdir()}
    page, ids = texts["index.html"], re.findall(r'\bid="([^"]+)"', texts["index.html"])
    allowed = {"https://arxiv.org/abs/2404.19756", "http://www.w3.org/2000/svg"}
    scripts = {name for name in texts if name.endswith(".js")}
    code = "".join(texts[name] for name in scripts - {"example.js"})

    assert {f"{name}.js" for name in re.findall(r'"(\w+)\.js"></script>', page)} == scripts
    for name, text in texts.items():
        assert set(re.findall(r"https?://[^\s\"')<]+", text)) <= allowed, name
        assert not re.search(r"@import|\bimport\s*\(|\bfetch\(|\beval\(|innerHTML", text), name
    assert len(ids) == len(set(ids))
    named = re.findall(r'\b(?:for|aria-labelledby)="([^"]+)"', page)
    assert {*named, *re.findall(r'\b(?:byId|say)\("([\w-]+)"[,)]', code)} <= set(ids)


# --- training in the explorer, under node: gradients and Adam against kan_ref, refinement, pruning, names, formulas as text


def cases():
    """Networks of splines and of splines and formulas, with samples inside and outside their grids, where all is defined."""
    for seed in range(12):
        net = random_network(RNG(seed), degrees=range(1, 6), widths=(2, 4, 3, 2)[: 2 + seed % 3])
        net = with_formulas(RNG(seed), net, share=0.4) if seed % 2 else net
        drawn = RNG(50 + seed).uniform(-1.5, 1.5, (40, 2))
        x = np.array([row for row in drawn if defined(net, row)])
        if len(x) >= 5:
            yield net, x, RNG(90 + seed).normal(size=(len(x), net.widths[-1]))


def defined(net, row):
    try:
        return np.isfinite(net(row[None])).all()
    except ValueError:  # a formula has no value there
        return False


CASES = list(cases())


@for_all("penalty", [0.0, 0.03])
def test_value_and_gradient_are_those_of_kan_ref(penalty):
    answers = ask(*(("gradient", document(net), x, y, penalty) for net, x, y in CASES))

    assert len(CASES) >= 9
    for found, (net, x, y) in zip(answers, CASES, strict=True):
        value, gradient = kr.value_and_grad(net, x, y, penalty=penalty)
        close(found["value"], value, rtol=1e-12)
        close(found["gradient"], gradient, atol=1e-11 * np.abs(gradient).max())


def test_fifty_steps_of_adam_are_those_of_kan_ref():
    net = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    x = RNG(1).uniform(-1.0, 1.0, (80, 2))
    y = np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)

    (found,) = ask(("adam", document(net), x, y, 50, 0.02, 0.001))

    def loss(theta):
        return kr.value_and_grad(net.with_theta(theta), x, y, penalty=0.001)

    theta = Steps(kr.adam(loss, net.theta, learning_rate=0.02), 50).last().theta
    close(found, theta, atol=1e-9)
    assert np.abs(theta - net.theta).max() > 0.1


def test_halved_intervals_are_those_of_kan_ref_and_keep_the_function():
    net = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=RNG(4))

    (layers,) = ask(("halve", document(net)))

    for found, layer in zip(layers, kr.extend_grid(net, n_intervals=10).layers, strict=True):
        assert found["nIntervals"] == 10
        close(found["knots"], layer.knots, atol=1e-14)
        close(found["coef"], layer.coef, atol=1e-14)


def test_weak_edges_go_and_with_them_edges_that_lead_nowhere():
    net = kr.init_network((2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(5))
    scores = [[[0.5, 0.01], [0.02, 0.01], [0.3, 0.4]], [[0.6, 0.7, 0.001]]]

    (masks,) = ask(("pruned", document(net), scores, 0.1))

    # node 1 has no edge in, so its edge out goes; node 2 has no edge out, so its edges in go
    assert masks == [[[1, 0], [0, 0], [0, 0]], [[1, 0, 0]]]


def test_named_edges_compute_the_same_function():
    net = kr.init_network((2, 1), n_intervals=10, degree=3, domain=(-1.0, 1.0), rng=RNG(6))
    x = RNG(7).uniform(-1.0, 1.0, (300, 2))
    y = np.sin(3.0 * x[:, :1]) + np.exp(x[:, 1:])
    net = kr.fit(net, kr.Data(x, y, x, y), n_steps=30).network

    (found,) = ask(("named", document(net), x))

    assert found["names"] == ["sin", "exp"]
    assert np.sqrt(np.mean((np.array(found["outputs"]) - y) ** 2)) < 2e-3


def test_a_new_network_starts_as_the_paper_says_and_its_seed_decides_it():
    one, again, other = ask(*(("fresh", [30, 20], 5, 3, seed) for seed in (1, 1, 2)))

    coef, w_base = np.array(one[0]["coef"]), np.array(one[0]["w_base"])
    assert one == again != other
    close([coef.mean(), coef.std()], [0.0, 0.1], atol=5e-3)
    close([w_base.min(), w_base.max()], [-(0.12**0.5), 0.12**0.5], atol=0.01)  # 6 / (30 + 20)


EXPRESSIONS = {
    "exp(sin(pi x) + y^2)": lambda x, y: np.exp(np.sin(np.pi * x) + y**2),
    "-x**2 * y**-1": lambda x, y: -(x**2) / y,
    "2^3^x": lambda x, y: 2.0 ** (3.0**x),
    "x * -y + 2": lambda x, y: 2.0 - x * y,
    "1/(1+25x\N{SUPERSCRIPT TWO})": lambda x, y: 1.0 / (1.0 + 25.0 * x**2),
    "3e-1 (x + 1)(y + 2)": lambda x, y: 0.3 * (x + 1.0) * (y + 2.0),
    "abs(x) + gaussian(2 y)": lambda x, y: np.abs(x) + np.exp(-4.0 * y**2),
}
FAULTS = {"sin(x": '")" is missing at the end', "steal(x)": '"steal" is not known', "x; y": 'cannot read "; y"'}


@for_all("text", EXPRESSIONS)
def test_a_formula_as_text_has_the_values_that_are_meant(text):
    points = RNG(8).uniform(0.1, 1.0, (20, 2))

    (found,) = ask(("expression", text, points))

    close(found, EXPRESSIONS[text](*points.T), rtol=1e-14)


def test_a_text_that_is_no_formula_is_told_why():
    answers = ask(*(("expression", text, []) for text in FAULTS))

    for answer, said in zip(answers, FAULTS.values(), strict=True):
        assert said in answer["error"]
