"""Fig. B.3: an image as a function of two coordinates, by a SIREN and by LANs, on a small scale.

Liu et al. 2024, appendix B: a SIREN is an MLP with sines, and a LAN adds a spline to the sine of each node. The paper trains [2,128,128,128,128,128,1]
by Adam, 10000 steps in batches of 4096, on an image that it does not name. Here it is [2,32,32,32,1] with G = 5, on a photograph that Matplotlib ships
(Grace Hopper, public domain), its face as 40 x 40 means of blocks. Adam takes 400 steps with all pixels at a learning rate of 1e-2, then 200 at 1e-3.
The SIREN's weights contain their factor 30, so its rate is larger than the paper's. The error is the peak signal-to-noise ratio

    PSNR = 20 log10(2 / RMSE)    in decibels, for grey values from -1 to 1, on the pixels of the training.

Four ways: SIREN and LAN from random weights; the trained SIREN as a LAN whose splines are zero, trained as long again; and the SIREN trained as
long again, which the paper does not compare.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, median, seed_count, spread
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE
from kan_ref.checks import FloatArray

NAME = "b.3"
TITLE = "an image by SIREN and LANs"
SEEDS, SEEDS_QUICK = 3, 1
SIREN, LAN, CONVERTED, LONGER = "SIREN", "LAN", "LAN from the SIREN", "SIREN, trained on"
COLORS = {SIREN: BLUE, LAN: ORANGE, CONVERTED: GREEN, LONGER: GREY}
FACE, BLOCK = (40, 96, 320), 8  # first row, first column, side; side of a block, in pixels
FULL_STEPS, QUICK_STEPS = [[400, 1e-2], [200, 1e-3]], [[30, 1e-2], [10, 1e-3]]
EVERY = 5  # steps between points of a stored curve
BETTER = 1.0  # decibels


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each seed."""
    settings = {
        "image": "grace_hopper.jpg",
        "face": list(FACE),
        "block": BLOCK,
        "widths": [2, 32, 32, 32, 1] if full else [2, 16, 16, 1],
        "n_intervals": 5,
        "degree": 3,
        "steps": FULL_STEPS if full else QUICK_STEPS,
    }
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    return [{**settings, "seed": seed} for seed in range(count)]


def image_of(config: Config) -> FloatArray:
    """Return the grey values (n, n) of the image in [-1, 1], first row on top; each is the mean of a block of pixels."""
    from matplotlib.cbook import get_sample_data
    from matplotlib.image import imread

    pixels = np.asarray(imread(get_sample_data(config["image"], asfileobj=False)), dtype=np.float64)
    row, column, side = config["face"]
    grey = pixels[row : row + side, column : column + side] @ np.array([0.299, 0.587, 0.114])
    n, block = side // config["block"], config["block"]
    means = grey.reshape(n, block, n, block).mean(axis=(1, 3))
    return np.asarray(means / 127.5 - 1.0)


def data_of(image: FloatArray) -> kr.Data:
    """Return the coordinates of the pixels in [-1, 1]^2 with their values; a single test point, which costs nothing."""
    n = len(image)
    line = (np.arange(n) + 0.5) / n * 2.0 - 1.0
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    y = image.reshape(-1, 1)
    return kr.Data(x, y, x[:1], y[:1])


def decibels(rmse: FloatArray | float) -> FloatArray:
    """Return the PSNR of a root mean square error of values in [-1, 1]."""
    return np.asarray(20.0 * np.log10(2.0 / np.asarray(rmse)))


def run(config: Config) -> dict[str, Any]:
    """Train in the four ways; return curves of the PSNR, and images of the first seed."""
    rng = np.random.default_rng(config["seed"])
    image = image_of(config)
    data = data_of(image)
    settings = {"n_intervals": config["n_intervals"], "degree": config["degree"]}
    siren = kr.init_mlp(config["widths"], activation="sine", rng=rng)
    lan = kr.init_lan(config["widths"], **settings, domain=(-1.0, 1.0), x=data.x_train, base="sine", rng=rng)
    found = {SIREN: _trained(siren, data, config), LAN: _trained(lan, data, config)}
    trained = found[SIREN][0]
    converted = kr.lan_from_mlp(trained, data.x_train, **settings)
    found[CONVERTED] = _trained(converted, data, config)
    found[LONGER] = _trained(trained, data, config)
    results: dict[str, Any] = {"image": np.round(image, 3).tolist(), "ways": {}}
    for name, (network, curve, seconds) in found.items():
        values = np.asarray(network(data.x_train)).reshape(image.shape)
        results["ways"][name] = {
            "n_params": int(network.n_params),
            "psnr": [round(float(value), 3) for value in curve],
            "seconds": round(seconds, 2),
            "image": np.round(values, 3).tolist() if config["seed"] == 0 else None,
        }
    return results


def _trained(network: Any, data: kr.Data, config: Config) -> tuple[Any, list[float], float]:
    """Return the trained network, the PSNR at every `EVERY`-th step and at the end, and the CPU seconds."""
    errors: list[float] = []
    began = time.process_time()
    for n_steps, rate in config["steps"]:
        ended = kr.fit(network, data, optimizer=kr.Adam(learning_rate=rate), n_steps=n_steps)
        network = ended.network
        errors += [float(error) for error in ended.history.train_rmse[1 if errors else 0 :]]
    curve = decibels(np.array([*errors[:-1:EVERY], errors[-1]]))
    return network, curve.tolist(), time.process_time() - began


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the curves of all seeds, and the images of the first seed."""
    picture = Figure(figsize=(6.6, 5.5))
    halves: Any = picture.subfigures(2, 1, height_ratios=(1.6, 1.0))
    above, below = halves
    ax = above.subplots()
    for record in records:
        for name, way in record["results"]["ways"].items():
            steps = EVERY * np.arange(len(way["psnr"]))
            label = name if record is records[0] else None
            ax.plot(steps, way["psnr"], color=COLORS[name], lw=1.3, label=label)
    ax.set(xlabel="steps of Adam", ylabel="PSNR in dB, training pixels")
    ax.legend(loc="lower right")
    shown = [record for record in records if record["results"]["ways"][SIREN]["image"] is not None]
    panels: dict[str, Any] = {"image": shown[0]["results"]["image"]} if shown else {}
    if shown:
        ways = shown[0]["results"]["ways"]
        panels |= {f"{name}\n{way['psnr'][-1]:.1f} dB": way["image"] for name, way in ways.items()}
    for panel, (name, values) in zip(
        below.subplots(1, 5).flat, (panels or {"no image is stored": None}).items(), strict=False
    ):
        panel.set_title(name.replace("LAN from the", "LAN from\nthe").replace("SIREN, ", "SIREN,\n"))
        if values is not None:
            panel.imshow(np.array(values), cmap="gray", vmin=-1.0, vmax=1.0)
    for panel in below.axes:
        panel.set_axis_off()
    return picture


# --- claims


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on LANs against the SIREN, from random weights and from the trained SIREN."""
    config = records[0]["config"]
    steps = " and ".join(f"{n_steps} at {rate:g}" for n_steps, rate in config["steps"])
    n = config["face"][2] // config["block"]
    evidence = f"{seed_count(records)}; {n} x {n} pixels, all of them in each step; Adam, {steps}; medians of the differences in dB, "
    return [
        _ahead("a LAN represents an image better than a SIREN", LAN, SIREN, "LAN above MLP", records, evidence),
        _ahead(
            "a LAN that begins as the trained SIREN is better than a LAN from random weights",
            CONVERTED,
            LAN,
            "best of the three",
            records,
            evidence,
        ),
        _ahead(
            "a LAN that begins as the trained SIREN is better than the SIREN trained on for as long",
            CONVERTED,
            LONGER,
            "not tried",
            records,
            evidence,
        ),
    ]


def _ahead(text: str, name: str, other: str, paper: str, records: Sequence[Record], evidence: str) -> Claim:
    ours, theirs = (
        np.array([record["results"]["ways"][which]["psnr"][-1] for record in records]) for which in (name, other)
    )
    bar = Bar(median(ours - theirs), BETTER, 0.0, form=".2f")
    ways = records[0]["results"]["ways"]
    return Claim(
        text,
        paper,
        f"{spread(ours.tolist(), '.1f')} against {spread(theirs.tolist(), '.1f')} dB",
        bar,
        f"{evidence}{bar.text}; {ways[name]['n_params']} and {ways[other]['n_params']} parameters, "
        f"{ways[name]['seconds']:.0f} and {ways[other]['seconds']:.0f} CPU s in seed {records[0]['seed']}",
    )
