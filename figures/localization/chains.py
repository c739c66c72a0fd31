"""Quasiperiodic chains, their eigenstates, whether a state is localized, and the accuracy of a logit g(x) that says so.

Liu et al. 2024, section 4.4, eqs. 4.1 to 4.3. A chain of N sites has the real symmetric Hamiltonian H with open ends, an eigenstate
psi of energy E, and

    (R20)  IPR = sum_n psi_n^4 / (sum_n psi_n^2)^2,    D_N = -log(IPR) / log(N)    (inverse participation ratio and fractal dimension)
    (R21)  D(E) = log(IPR_N(E) / IPR_M(E)) / log(M / N),    M > N                  (growth of the participation with the length)

The IPR of an extended state falls as 1/N, so D is near 1, and that of a localized state does not depend on N, so D is near 0. The paper
labels a state by D_N of (R20) at one length. There a constant factor of the IPR enters with 1/log(N), so that many states of a chain of
several hundred sites lie between 0.3 and 0.7. (R21) cancels the factor. We label a state of the shorter chain "localized" if D(E) < 1/2,
where the IPR of the longer chain is the median over its 7 states nearest in energy. The label of the paper's rule, D_N < 1/2, is recorded
beside it. N and M are Fibonacci numbers, 377 and 987, for the MAAM 233 and 610.
States centred in the outer 5 % of the sites at either end are left out: an open end binds states of its own.

With the golden ratio b = (1 + sqrt 5)/2, hopping t = 1, and phase phi, the potential V_n at site n = 0, 1, ... is

    mosaic   V_n = lambda cos(2 pi n b + phi) where kappa divides n, else 0;                  hopping to neighbours
    GAAM     V_n = 2 lambda cos(2 pi n b + phi) / (1 - alpha cos(2 pi n b + phi));            hopping to neighbours
    MAAM     V_n = lambda cos(2 pi n b + phi);                                                hopping e^{-p (|n - m| - 1)} between n and m

and theory's mobility edges g = 0, with g > 0 for localized states, are

    (R22)  mosaic  g = lambda - 2 / |a_kappa(E)|,   a_1 = 1, a_2 = E, a_3 = E^2 - 1
    (R23)  GAAM    g = alpha E + 2 lambda - 2
    (R24)  MAAM    g = lambda cosh p - E - e^p

Y. Wang et al., Phys. Rev. Lett. 125, 196604 (2020); S. Ganeshan, J. H. Pixley and S. Das Sarma, Phys. Rev. Lett. 114, 146601 (2015);
J. Biddle and S. Das Sarma, Phys. Rev. Lett. 104, 070601 (2010). What the paper leaves open are N, the numbers of chains and states, and the ranges of
the parameters. They are those of `MODELS` below, chosen before the first full run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import BoolArray, FloatArray, IntArray

INVERSE_MODULUS, LOG_COSH = "1/|x|", "logcosh"
GOLDEN = 0.5 * (1.0 + np.sqrt(5.0))
N_NEAR = 7  # states of the shorter chain whose median counts
END = 0.05  # of the sites, at each end
LOCALIZED = 0.5  # the largest fractal dimension of a localized state


@dataclass(frozen=True)
class Model:
    """A family of chains.

    `names` of the inputs in the order of the columns, energy "E" among them; `box`: range of each parameter, in the order of the names without
    E and phi; `potential`: (parameters, cos(2 pi n b + phi) of the sites) -> V_n; `edge`: x (batch, n_in) -> theory's g; `aim`: the formulas of
    a network that can represent theory's edge, by hand, as (output, input, function) layer by layer.
    """

    name: str
    names: tuple[str, ...]
    box: dict[str, tuple[float, float]]
    potential: Callable[[dict[str, float], FloatArray], FloatArray]
    edge: Callable[[FloatArray], FloatArray]
    aim: tuple[tuple[tuple[int, int, str], ...], ...]
    decay: str = ""  # the parameter p of the hopping; without it only neighbours are coupled
    lengths: tuple[int, int] = (377, 987)  # of the chain whose states are sampled, and of the longer one


def _mosaic(kappa: int) -> Model:
    def potential(of: dict[str, float], wave: FloatArray) -> FloatArray:
        return np.where(np.arange(len(wave)) % kappa == 0, of["lambda"] * wave, 0.0)

    def edge(x: FloatArray) -> FloatArray:
        strength, energy = x.T
        polynomial = energy if kappa == 2 else energy**2 - 1.0
        return np.asarray(strength - 2.0 / np.maximum(np.abs(polynomial), 1e-12))

    aim: tuple[tuple[tuple[int, int, str], ...], ...] = (((0, 0, "x"), (0, 1, INVERSE_MODULUS)),)
    if kappa == 3:
        aim = (((0, 0, "x"), (1, 1, "x^2")), ((0, 0, "x"), (0, 1, INVERSE_MODULUS)))
    box = {"lambda": (0.1, 4.0)}
    return Model(f"mosaic {kappa}", ("lambda", "E"), box, potential, edge, aim)


def _gaam() -> Model:
    def potential(of: dict[str, float], wave: FloatArray) -> FloatArray:
        return np.asarray(2.0 * of["lambda"] * wave / (1.0 - of["alpha"] * wave))

    def edge(x: FloatArray) -> FloatArray:
        alpha, energy, strength, _ = x.T
        return np.asarray(alpha * energy + 2.0 * strength - 2.0)

    names = ("alpha", "E", "lambda", "phi")
    sums = ((0, 0, "x"), (0, 1, "x"), (1, 0, "x^2"), (1, 1, "x^2"), (1, 2, "x"))
    box = {"alpha": (-0.9, 0.9), "lambda": (0.0, 2.0)}
    return Model("GAAM", names, box, potential, edge, (sums, ((0, 0, "x^2"), (0, 1, "x"))))


def _maam() -> Model:
    def potential(of: dict[str, float], wave: FloatArray) -> FloatArray:
        return np.asarray(of["lambda"] * wave)

    def edge(x: FloatArray) -> FloatArray:
        energy, decay, strength, _ = x.T
        return np.asarray(strength * np.cosh(decay) - energy - np.exp(decay))

    names = ("E", "p", "lambda", "phi")
    sums = ((0, 1, LOG_COSH), (0, 2, "log"), (1, 0, "x"), (1, 1, "exp"))
    aim = (sums, ((0, 0, "exp"), (0, 1, "x")))
    box = {"p": (1.0, 4.0), "lambda": (0.2, 4.0)}
    return Model("MAAM", names, box, potential, edge, aim, "p", (233, 610))


MODELS = {model.name: model for model in (_mosaic(2), _mosaic(3), _gaam(), _maam())}


def eigenstates(model: Model, of: dict[str, float], n_sites: int) -> tuple[FloatArray, FloatArray]:
    """Return energies (n_sites,), nondecreasing, and normalized states (n_sites, n_sites), a column each, of a chain.

    `of` has the model's parameters and "phi". Costs 0.03 CPU s for neighbours alone and 0.3 CPU s else at 987 sites.
    """
    from scipy.linalg import eigh, eigh_tridiagonal  # here, because two figures need SciPy

    sites = np.arange(n_sites)
    diagonal = model.potential(of, np.cos(2.0 * np.pi * GOLDEN * sites + of["phi"]))
    if not model.decay:
        energies, states = eigh_tridiagonal(diagonal, np.ones(n_sites - 1))
    else:
        apart = np.abs(sites[:, None] - sites)
        hopping = np.exp(-of[model.decay] * (apart - 1.0))
        energies, states = eigh(np.where(apart == 0, diagonal, hopping))
    return np.asarray(energies), np.asarray(states)


def ratio_and_centre(states: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the inverse participation ratio (R20) and the centre, 0 at the first site and 1 at the last, of each normalized column of states."""
    squares = states * states  # a power of arrays costs ten times as much
    centre = (np.arange(len(states)) @ squares) / (len(states) - 1)
    return np.asarray((squares * squares).sum(axis=0)), np.asarray(centre)


def inner(centre: FloatArray) -> BoolArray:
    """Return which states are centred inside the chain, not within `END` of its ends."""
    return np.asarray((centre >= END) & (centre <= 1.0 - END))


@dataclass(frozen=True)
class States:
    """Some states of one chain: `energy`, `growth` D(E) of (R21), `dimension` D_N of (R20) at both lengths; (n_states,) each."""

    energy: FloatArray
    growth: FloatArray
    dimension_short: FloatArray
    dimension_long: FloatArray


def random_states(model: Model, of: dict[str, float], n_states: int, rng: np.random.Generator) -> States:
    """Diagonalize a chain at both lengths and return random states of the shorter one, none of them twice or centred at an end."""
    short, long = model.lengths
    energy, states = eigenstates(model, of, short)
    ratio, centre = ratio_and_centre(states)
    chosen = np.sort(rng.permutation(np.flatnonzero(inner(centre)))[:n_states])
    energy, ratio = energy[chosen], ratio[chosen]
    long_energy, states = eigenstates(model, of, long)
    near = np.argsort(np.abs(energy[:, None] - long_energy), axis=1)[:, : 3 * N_NEAR]
    places = np.unique(near)  # all that can count, unless most of them are at an end
    long_ratio, centre = ratio_and_centre(states[:, places])
    places, long_ratio = places[inner(centre)], long_ratio[inner(centre)]
    nearest = np.argsort(np.abs(energy[:, None] - long_energy[places]), axis=1)[:, :N_NEAR]
    median = np.median(long_ratio[nearest], axis=1)
    growth = np.log(ratio / median) / np.log(long / short)
    return States(energy, growth, -np.log(ratio) / np.log(short), -np.log(median) / np.log(long))


def draw_parameters(model: Model, rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters of a chain, uniform on the model's box, and a random phase."""
    of = {name: float(rng.uniform(*ends)) for name, ends in model.box.items()}
    return {**of, "phi": float(rng.uniform(0.0, 2.0 * np.pi))}


@dataclass(frozen=True)
class Sample:
    """States of many chains: `x` (batch, n_in); the label `localized` by growth, that of the `paper`'s rule, and that of the same rule for the
    longer chain, `paper_long`, each (batch,); `part` (batch,): 0 to train, 1 to choose, 2 to test, the same for all states of a chain.
    """

    x: FloatArray
    localized: BoolArray
    paper: BoolArray
    paper_long: BoolArray
    part: IntArray


def sample_states(model: Model, counts: Sequence[int], n_states: int, rng: np.random.Generator) -> Sample:
    """Sample `n_states` states each of `counts` random chains for each of the three parts.

    Costs about 0.05 CPU s a chain, the MAAM 0.1.
    """
    rows, parts, marks = [], [], []
    for part, count in enumerate(counts):
        for _ in range(count):
            of = draw_parameters(model, rng)
            found = random_states(model, of, n_states, rng)
            columns = [found.energy if name == "E" else np.full(len(found.energy), of[name]) for name in model.names]
            rows.append(np.stack(columns, axis=1))
            parts.append(np.full(len(found.energy), part))
            values = (found.growth, found.dimension_short, found.dimension_long)
            marks.append(np.stack(values) < LOCALIZED)
    localized, paper, paper_long = np.concatenate(marks, axis=1)
    return Sample(np.concatenate(rows), localized, paper, paper_long, np.concatenate(parts))


# --- logits

TRAIN, CHOOSE, TEST = range(3)  # parts of a sample


def accuracies(g: FloatArray, sample: Sample) -> dict[str, float]:
    """Return the shares of test states that g > 0 labels as (R21) does, and as the paper's rule does at the shorter and the longer length.

    A value that is not finite counts as wrong.
    """
    test = sample.part == TEST
    found, known = g[test] > 0.0, np.isfinite(g[test])
    labels = {"growth": sample.localized, "paper": sample.paper, "paper_long": sample.paper_long}
    return {name: float(np.mean((found == label[test]) & known)) for name, label in labels.items()}


def logits(network: kr.Network, x: FloatArray) -> FloatArray:
    """Return g (batch,), nan where a function of the network is undefined."""
    try:
        return np.asarray(network(x)[:, 0])
    except ValueError:  # some state is outside the domain of a logarithm
        return np.array([_logit(network, row) for row in x])


def _logit(network: kr.Network, row: FloatArray) -> float:
    try:
        return float(network(row[None])[0, 0])
    except ValueError:
        return math.nan


def loss_on(part: int, network: kr.Network, sample: Sample) -> float:
    """Return the logistic loss on the chains of a part, infinite if the network is undefined at one of their states."""
    place = sample.part == part
    g, y = logits(network, sample.x[place]), sample.localized[place]
    loss = float(np.mean(np.maximum(g, 0.0) - g * y + np.log1p(np.exp(-np.abs(g)))))
    return loss if math.isfinite(loss) else math.inf


def held_out_loss(network: kr.Network, sample: Sample) -> float:
    """Return `loss_on` the chains to choose."""
    return loss_on(CHOOSE, network, sample)


def coefficients(expression: Any, names: Sequence[str]) -> dict[str, float] | None:
    """Return the coefficients of a polynomial in the names by monomial, as in {"alpha*E": 1.0, "1": -2.0}; None for any other formula."""
    import sympy

    symbols = sympy.symbols(list(names))
    if not expression.is_polynomial(*symbols):
        return None
    terms = sympy.Poly(expression, *symbols).terms()
    return {
        "*".join(f"{name}^{power}" if power > 1 else name for name, power in zip(names, powers, strict=True) if power)
        or "1": float(value)
        for powers, value in terms
    }
