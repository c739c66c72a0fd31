"""The statements of section 3.1 of the paper about Fig. 3.1, compared with the records of `fig_3_1_scaling`."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from figures.machine.machine import Bar, Claim, Record, shape_name, slope, spread
from figures.scaling.toy_scaling import TOYS, Toy
from kan_ref.checks import FloatArray

LBFGS, LM, LM_5, ELIMINATED, ELIMINATED_5 = KANS = (
    "L-BFGS",
    "Levenberg-Marquardt",
    "Levenberg-Marquardt, degree 5",
    "Levenberg-Marquardt, eliminated",
    "Levenberg-Marquardt, eliminated, degree 5",
)
TWO_LAYERS = "two layers"
MUCH, WORSE = 10.0, 2.0  # times the error
# target -> range of G over which the slope is taken: from where the curve has left the error of the first grids
SLOPE_RANGES = {
    "bessel": (20, 500),
    "exp_sin": (5, 500),
    "product": (3, 20),
    "exp_two_sines": (10, 100),
    "exp_mean_sin2": (3, 10),
}
BARS = {
    "bessel": -3.85,
    "exp_sin": -3.85,
    "exp_mean_sin2": -3.5,
}  # of the slope, with Levenberg-Marquardt
EXACT, FINE, FINE_GRID = 1e-8, 1e-7, 50  # errors of xy; of the 4-dimensional function at G = 50


def kind_of(record: Record) -> str:
    """Return the kind, of `KANS`, of a record."""
    config = record["config"]
    if config["shape"] == "eliminated":
        return ELIMINATED_5 if config["degree"] == 5 else ELIMINATED
    if config["shape"] == TWO_LAYERS:
        return TWO_LAYERS
    if config["optimizer"] == "lbfgs":
        return LBFGS
    return LM_5 if config["degree"] == 5 else LM


def kan_runs(records: Sequence[Record], toy: Toy, kind: str) -> list[Record]:
    """Return the records of the KANs of one kind on one function, ordered by seed."""
    found = [
        record
        for record in records
        if record["config"]["target"] == toy.target and record["config"]["model"] == "kan"
    ]
    return sorted(
        (record for record in found if kind_of(record) == kind),
        key=lambda record: int(record["seed"]),
    )


def numbers(runs: Sequence[Record], name: str) -> FloatArray:
    """Return one number of every grid of every run, (n_runs, n_grids)."""
    return np.array(
        [[grid[name] for grid in record["results"]["grids"]] for record in runs], dtype=np.float64
    )


def mlp_medians(
    records: Sequence[Record], toy: Toy, optimizer: str
) -> tuple[FloatArray, FloatArray]:
    """Return sizes and median test errors over seeds of all MLPs of one optimizer on one function,
    ordered by size.
    """
    errors: dict[tuple[int, str, tuple[int, ...]], list[float]] = {}
    for record in records:
        config, results = record["config"], record["results"]
        if (config["model"], config["target"], config["optimizer"]) == (
            "mlp",
            toy.target,
            optimizer,
        ):
            key = (int(results["n_params"]), str(config["activation"]), tuple(config["widths"]))
            errors.setdefault(key, []).append(float(results["test_rmse"]))
    keys = sorted(errors)
    return np.array([key[0] for key in keys], dtype=np.float64), np.array(
        [np.median(errors[key]) for key in keys]
    )


def mlp_seeds(records: Sequence[Record]) -> str:
    """Return over how many seeds `mlp_medians` are: "one seed each", or as in "medians over 3 seeds"."""
    seeds = {record["seed"] for record in records if record["config"]["model"] == "mlp"}
    return f"medians over {len(seeds)} seeds" if len(seeds) > 1 else "one seed each"


def frontier(sizes: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return those that no other one beats with at most as many parameters."""
    order = np.lexsort((errors, sizes))
    kept, lowest = [], np.inf
    for place in order:
        if errors[place] < lowest:
            kept.append(place)
            lowest = errors[place]
    return sizes[kept], errors[kept]


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each function the slopes of its KANs, the levels, and the MLPs."""
    rows = []
    for toy in TOYS:
        for kind in KANS:
            runs = kan_runs(records, toy, kind)
            if runs:
                rows += _kan_claims(toy, kind, runs)
        if kan_runs(records, toy, LM):
            rows += _mlp_claims(records, toy) + _depth_claims(records, toy)
    return rows


def _kan_claims(toy: Toy, kind: str, runs: Sequence[Record]) -> list[Claim]:
    grids = [int(grid["n_intervals"]) for grid in runs[0]["results"]["grids"]]
    errors, train, degree = (
        numbers(runs, "test_rmse"),
        numbers(runs, "train_rmse"),
        int(runs[0]["config"]["degree"]),
    )
    low, high = SLOPE_RANGES[toy.target]
    high = min(high, grids[-1])
    slopes = [slope(grids, row, low, high) for row in errors]
    deviation = float(np.median([record["results"]["spread"] for record in runs]))
    shapes = Counter(shape_name(record["results"]["widths"]) for record in runs)
    shape = (
        ", ".join(f"{name} {count} times" for name, count in shapes.items())
        if len(shapes) > 1
        else next(iter(shapes))
    )
    if "eliminated" in kind:
        edges = Counter(sum(len(layer) for layer in record["results"]["edges"]) for record in runs)
        shape += f" with {' or '.join(map(str, sorted(edges)))} edges"
    about = f"{toy.plain}, KAN {shape}, {kind}"
    last = errors[:, -1]
    at_last = (
        spread(last.tolist(), ".1e"),
        spread((last / deviation).tolist(), ".1e"),
        spread(train[:, -1].tolist(), ".1e"),
    )
    seeds = f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"
    evidence = f"{seeds}; G = {low} to {high}; at G = {grids[-1]} test {at_last[0]}, relative to std(y) {at_last[1]}, training {at_last[2]}"
    bar = BARS.get(toy.target, -(degree + 1) + 0.15) if kind != LM_5 else -(degree + 1) + 0.3
    middle = float(np.median(slopes))
    rows = []
    if toy.target != "product":  # exact in cubics at any G: there is no slope to have
        judged = Bar(middle, round(bar, 2), round(0.75 * bar, 2), most=True, form=".2f")
        rows.append(
            Claim(
                f"{about}: the slope is near that of Theorem 2.1",
                f"near {-(degree + 1)}" if degree == 3 else f"{-(degree + 1)} (theorem)",
                spread(slopes),
                judged.word,
                f"{evidence}; median of the slopes {judged.text}",
            )
        )
    if toy.target == "product":
        best = errors.min(axis=1)
        rows.append(
            _bar_claim(
                f"{about}: exact in cubics, whatever G",
                "not asked",
                best,
                EXACT,
                f"{evidence}; the best grid of each seed",
            )
        )
    if "eliminated" in kind and FINE_GRID in grids:
        here = errors[:, grids.index(FINE_GRID)]
        rows.append(
            _bar_claim(
                f"{about}: test RMSE at G = {FINE_GRID}",
                "5.1e-07 (documentation, one run, k = 3)",
                here,
                FINE,
                f"{len(runs)} seeds",
            )
        )
    return rows


def _bar_claim(about: str, paper: str, errors: FloatArray, bar: float, evidence: str) -> Claim:
    judged = Bar(float(np.median(errors)), bar, 10.0 * bar, most=True, form=".1e")
    return Claim(
        about,
        paper,
        spread(errors.tolist(), ".1e"),
        judged.word,
        f"{evidence}; median {judged.text}",
    )


def _depth_claims(records: Sequence[Record], toy: Toy) -> list[Claim]:
    """Return the row on two layers against three, each at its best grid; none without runs of two."""
    two, three = (kan_runs(records, toy, kind) for kind in (TWO_LAYERS, LM))
    if not two:
        return []
    best = [numbers(runs, "test_rmse").min(axis=1) for runs in (two, three)]
    bar = Bar(float(np.median(best[0]) / np.median(best[1])), MUCH, WORSE)
    shapes = [shape_name(runs[0]["results"]["widths"]) for runs in (two, three)]
    return [
        Claim(
            f"{toy.plain}: {shapes[0]} of two layers is much worse than three layers",
            "[4,9,1] much worse than [4,2,2,1]; 2.9e-3 against 5.1e-7 (documentation)",
            f"{spread(best[0].tolist(), '.1e')} against {spread(best[1].tolist(), '.1e')} of {shapes[1]}",
            bar.word,
            f"{len(two)} and {len(three)} seeds; Levenberg-Marquardt, best of G up to {two[0]['config']['grids'][-1]} and "
            f"{three[0]['config']['grids'][-1]}; times the error, {bar.text}",
        )
    ]


def _mlp_claims(records: Sequence[Record], toy: Toy) -> list[Claim]:
    rows = []
    kans = [runs for kind in (LBFGS, LM) if (runs := kan_runs(records, toy, kind))]
    best_kan = min(float(np.median(numbers(runs, "test_rmse"), axis=0).min()) for runs in kans)
    for optimizer, name in (("lbfgs", "L-BFGS"), ("lm", "Levenberg-Marquardt")):
        sizes, errors = mlp_medians(records, toy, optimizer)
        if not len(sizes):
            continue
        few, low = frontier(sizes, errors)
        found = f"best {errors.min():.1e} with {int(sizes[errors.argmin()])} parameters"
        if len(few) > 2:
            found += f", slope of the best ones {np.polyfit(np.log(few), np.log(low), 1)[0]:.2f}"
        bar = Bar(float(errors.min() / best_kan), 1.0)
        rows.append(
            Claim(
                f"{toy.plain}, MLPs, {name}: less accurate than KANs of the paper's shape",
                "slow, plateau",
                f"{found}; KAN {best_kan:.1e}",
                bar.word,
                f"{len(sizes)} networks, {mlp_seeds(records)}; slope against the number of parameters; times less accurate, {bar.text}",
            )
        )
    return rows
