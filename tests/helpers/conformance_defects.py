"""Injected defects of `conformance_plain`, several one-line changes for each flag of the conformance kit.

`benchmarks.conformance_patterns` records what they make wrong, and `test_conformance_mutants` that they are caught and named.
"""

import ast
from pathlib import Path

import conformance_plain

SOURCE = Path(conformance_plain.__file__).read_text(encoding="utf-8")

# flags that are facts: the size of the errors shows them
UNSEEN = ("Float32Inside", "KnotPrecision")

# name: (text of conformance_plain, the text instead, the flag)
DEFECTS = {
    "closed end forgotten": (
        "b[x[:, 0] == t[-1], np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0",
        "pass",
        "LastEnd",
    ),
    "closed end of an empty interval": (
        "np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0",
        "-1] = 1.0",
        "LastEnd",
    ),
    "knots owned from both sides": (
        "b = ((t[:-1] <= x) & (x < t[1:]))",
        "b = ((t[:-1] <= x) & (x <= t[1:]))",
        "KnotOwnership",
    ),
    "knots owned from the left": (
        "b = ((t[:-1] <= x) & (x < t[1:]))",
        "b = ((t[:-1] < x) & (x <= t[1:]))",
        "KnotOwnership",
    ),
    "0/0 is nan": ("where=b > 0)", "where=True)", "RepeatedKnots"),
    "an absolute tolerance": ("where=b > 0)", "where=b > 1e-6)", "ScaledRow"),
    "even knots assumed": (
        "t[d:-1] - t[: -d - 1])",
        "np.full(len(t) - d - 1, d * (t[1] - t[0])))",
        "UnevenKnots",
    ),
    "bases extrapolated": (
        "x = x[:, None]\n    b = ",
        "x = np.clip(x, t[degree], t[-degree - 1])[:, None]\n    b = ",
        "FadeOutside",
    ),
    "bases cut off outside the grid": (
        "    return b\n",
        "    return b * ((t[degree] <= x) & (x <= t[-degree - 1]))\n",
        "FadeOutside",
    ),
    "bases in float32": (
        "    return b\n",
        "    return b.astype(np.float32).astype(float)\n",
        "Float32Inside",
    ),
    "points sorted": (
        "x = x[:, None]\n    b = ",
        "x = np.sort(x)[:, None]\n    b = ",
        "PointOrder",
    ),
    "degree 0 returned as one number too many": (
        "for d in range(1, degree + 1):",
        "for d in range(1, max(degree, 1) + 1):",
        "DegreeZero",
    ),
    "derivative without degree": ("return degree * (left", "return (left", "DerivativeFactor"),
    "derivative with the wrong sign": (
        "lower[:, :-1] - right * lower",
        "lower[:, :-1] + right * lower",
        "BasisSlope",
    ),
    "derivative of the wrong order": (
        "degree - 1, order - 1)",
        "degree - 1, 0)",
        "HigherDerivative",
    ),
    "derivatives above the degree": (
        "    if order > degree:\n",
        "    if order > degree > 0:\n        order = degree\n    if order > degree:\n",
        "AboveDegree",
    ),
    "step by G - 1": (
        "h = (high - low) / n_intervals\n",
        "h = (high - low) / max(1, n_intervals - 1)\n",
        "KnotStep",
    ),
    "outer knots repeated": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "return np.clip(low + h * np.arange(-degree, n_intervals + degree + 1), low, high)",
        "OuterKnots",
    ),
    "knots in float32": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "return (low + h * np.arange(-degree, n_intervals + degree + 1)).astype(np.float32).astype(float)",
        "KnotPrecision",
    ),
    "missing w_spline": ('+ layer["w_spline"] * spline)', "+ spline)", "MissingWSpline"),
    "w_spline twice": (
        '+ layer["w_spline"] * spline)',
        '+ layer["w_spline"] ** 2 * spline)',
        "WSplineTwice",
    ),
    "missing w_base": (
        '(layer["w_base"] * base[:, None, :] +',
        "(base[:, None, :] +",
        "MissingWBase",
    ),
    "w_spline on the base": (
        '(layer["w_base"] * base',
        '(layer["w_spline"] * layer["w_base"] * base',
        "BaseScaled",
    ),
    "base forgotten": ('base = BASES[layer["base"]][order](x)', "base = 0.0 * x", "MissingBase"),
    "silu is swish of 1.702 x": (
        "return x / (1.0 + np.exp(-np.clip(x",
        "return x / (1.0 + np.exp(-1.702 * np.clip(x",
        "SiluForm",
    ),
    "silu overflows": (
        "return x / (1.0 + np.exp(-np.clip(x, -700.0, None)))",
        "return x * np.exp(x) / (1.0 + np.exp(x))",
        "SiluOverflow",
    ),
    "silu for every base": (
        'base = BASES[layer["base"]][order](x)',
        'base = BASES["silu"][order](x)',
        "BaseName",
    ),
    "missing mask": (
        'return layer["mask"] * (layer["w_base"]',
        'return (layer["w_base"]',
        "MissingMask",
    ),
    "transposed mask": (
        'return layer["mask"] * (layer["w_base"]',
        'return layer["mask"].T.reshape(layer["mask"].shape) * (layer["w_base"]',
        "TransposedMask",
    ),
    "transposed weights": (
        '(layer["w_base"] * base[:, None, :] + layer["w_spline"]',
        '(layer["w_base"].T.reshape(layer["mask"].shape) * base[:, None, :] + layer["w_spline"].T.reshape(layer["mask"].shape)',
        "TransposedWeights",
    ),
    "coefficients divided by the largest of their edge": (
        'design(layer, x, order), layer["coef"])',
        'design(layer, x, order), layer["coef"] / (size := np.abs(layer["coef"]).max(axis=2, keepdims=True)) * size)',
        "ZeroCoefficients",
    ),
    "transposed w_base": (
        '(layer["w_base"] * base',
        '(layer["w_base"].T.reshape(layer["mask"].shape) * base',
        "TransposedWeights",
    ),
    "transposed w_spline": (
        'layer["w_spline"] * spline)',
        'layer["w_spline"].T.reshape(layer["mask"].shape) * spline)',
        "TransposedWeights",
    ),
    "one knot vector for all": (
        'layer["knots"][i], layer["degree"], order) for i',
        'layer["knots"][0], layer["degree"], order) for i',
        "SharedRow",
    ),
    "mean over inputs": (
        "return edges(layer, x).sum(axis=2)",
        "return edges(layer, x).mean(axis=2)",
        "MeanOverInputs",
    ),
    "batch normalised": (
        "return edges(layer, x).sum(axis=2)",
        "return edges(layer, x - x.mean(axis=0)).sum(axis=2)",
        "BatchDependence",
    ),
    "inputs normalised by sample": (
        "return edges(layer, x).sum(axis=2)",
        "return edges(layer, x / np.linalg.norm(x, axis=1, keepdims=True)).sum(axis=2)",
        "NotSeparable",
    ),
    "stale cache": (
        "return edges(layer, x).sum(axis=2)",
        "return self.__dict__.setdefault((len(x), layer['coef'].shape), edges(layer, x)).sum(axis=2)",
        "StaleCache",
    ),
    "silu' is the sigmoid": ("return s + x * s * (1.0 - s)", "return s", "SiluSlope"),
    "d_coef without w_spline": (
        'd_coef = (mask * layer["w_spline"])[:, :, None]',
        "d_coef = mask[:, :, None]",
        "DCoefWithoutWSpline",
    ),
    "d_w_spline without coef": (
        'd_w_spline = mask * (layer["coef"] * d_spline)',
        "d_w_spline = mask * (d_spline)",
        "DWSplineWithoutCoef",
    ),
    "unmasked gradient": (
        'd_w_base = mask * np.einsum("bj,bi->ji"',
        'd_w_base = np.einsum("bj,bi->ji"',
        "UnmaskedGradient",
    ),
    "mean over batch": (
        'd_spline = np.einsum("bj,bim->jim", dy, bases)',
        'd_spline = np.einsum("bj,bim->jim", dy, bases) / len(dy)',
        "MeanOverBatch",
    ),
    "one sample alone": (
        'd_spline = np.einsum("bj,bim->jim", dy, bases)',
        'd_spline = np.einsum("bj,bim->jim", dy[-1:], bases[-1:])',
        "OneSampleOnly",
    ),
    "dx without base": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "base": "zero"}, x, 1))',
        "DxWithoutBase",
    ),
    "dy of ones": (
        "bases, mask = design(layer, x)",
        "dy = np.ones_like(dy)\n        bases, mask = design(layer, x)",
        "DyIgnored",
    ),
    "layers in reverse": (
        "        for layer in layers:\n            x = self.layer_forward(layer, x)\n        return x",
        "        return self.layer_forward(layers[-1], x)",
        "LayerChain",
    ),
    "hessian without phi' x''": (
        ' + np.einsum("bji,bip->bjp", slope, second)',
        "",
        "HessianSlopes",
    ),
    "hessian without the square": ("curve, first**2)", "curve, first)", "HessianSlopes"),
    "scaler twice in the fit": (
        '@ layer["coef"][:, i].T, knots',
        '@ (layer["w_spline"][:, i] * layer["coef"][:, i].T), knots',
        "ScalerTwice",
    ),
    "least squares of rank 0": (
        "return np.linalg.lstsq(table(x, t, degree), y, rcond=None)[0].T",
        "return np.linalg.lstsq(table(x, t, degree), y, rcond=None)[0].T * table(x, t, degree)[:, 0].any()",
        "ZeroSupportFirstColumn",
    ),
    "one interval too few": (
        "len(grid) - 1.0, n_intervals + 1)",
        "len(grid) - 1.0, n_intervals)",
        "GridCount",
    ),
    "a constant feature collapses": (
        "(low - 0.5, high + 0.5) if high == low",
        "(low, high) if high == low",
        "ConstantFeature",
    ),
    "entropy in bits": ("(p * np.log(p)).sum()", "(p * np.log2(p)).sum()", "EntropyBase"),
    "0 log 0 is nan": (
        "p = scores[scores > 0] / scores.sum()",
        "p = scores.ravel() / scores.sum()",
        "ZeroEdge",
    ),
    "penalty of the last layer": (
        "            l1 += scores.sum()\n",
        "            l1 = scores.sum()\n",
        "PenaltyOneLayer",
    ),
    "scores at the network's inputs": (
        "            x = self.layer_forward(layer, x)\n        return found",
        "            x = x if x.shape[1] == len(layer['coef']) else self.layer_forward(layer, x)\n        return found",
        "PenaltyInputs",
    ),
    "l1 by deviations": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "edges(layer, x).std(axis=0))",
        "L1Deviation",
    ),
    "node scores are sums": (
        "incoming = [before.max(axis=1)",
        "incoming = [before.sum(axis=1)",
        "NodeScoreMax",
    ),
    "node scores are means": ("[after.max(axis=0) for", "[after.mean(axis=0) for", "NodeScoreMax"),
    "node scores exchanged": (
        'return {"incoming": incoming, "outgoing": [',
        'return {"outgoing": incoming, "incoming": [',
        "NodeScoreSides",
    ),
    "a node stays by either score": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.maximum(incoming, outgoing) > threshold",
        "PruneEither",
    ),
    "a node stays by what enters it": (
        "np.minimum(incoming, outgoing) > threshold",
        "incoming > threshold",
        "PruneOneSided",
    ),
    "a threshold of its own": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.minimum(incoming, outgoing) > 0.01",
        "PruneThreshold",
    ),
    "strong nodes go": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.minimum(incoming, outgoing) < threshold",
        "PruneRule",
    ),
    "edges are pruned too": (
        "        return pruned\n",
        "        weak = [edge < 1e-2 for edge in self.edge_scores(pruned, x)]\n        return [{**layer, 'mask': np.where(cut, 0.0, layer['mask'])} for layer, cut in zip(pruned, weak, strict=True)]\n",
        "PruneEdges",
    ),
    "pruning resets the weights": (
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]',
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]; pruned[n]["w_spline"] = np.ones_like(pruned[n]["w_spline"])',
        "PruneKeepsFunction",
    ),
    "parameters by G": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals + 2)",
        "CountBases",
    ),
    "parameters without weights": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals + degree)",
        "CountWeights",
    ),
    "saved in float32": (
        "np.array(value.tolist()) if",
        "value.astype(np.float32) if",
        "Float32Inside",
    ),
    "saved with 15 digits": (
        "np.array(value.tolist()) if",
        "np.vectorize(lambda v: float(f'{v:.15g}'))(value) if",
        "RoundTrip",
    ),
    "derivatives with the mean step of the knots": (
        "return degree * (left * lower[:, :-1] - right * lower[:, 1:])",
        "return (lower[:, :-1] - lower[:, 1:]) * (len(t) - 2 * degree - 1) / (t[-degree - 1] - t[degree])",
        "UnevenKnots",
    ),
    "derivatives with the first step of the knots": (
        "return degree * (left * lower[:, :-1] - right * lower[:, 1:])",
        "return (lower[:, :-1] - lower[:, 1:]) / (t[1] - t[0])",
        "UnevenKnots",
    ),
    "an uneven grid is refined as if it were even": (
        "finer = np.interp(ranks, np.arange(len(grid)), grid)",
        "finer = np.linspace(grid[0], grid[-1], n_intervals + 1)",
        "UnevenKnots",
    ),
    "a new grid for the first output alone": (
        'return {**layer, "knots": knots, "coef": coef}',
        'coef[1:] = 0.0\n    return {**layer, "knots": knots, "coef": coef}',
        "OneOutput",
    ),
    "all outputs get the curves of the first": (
        'return {**layer, "knots": knots, "coef": coef}',
        'return {**layer, "knots": knots, "coef": np.repeat(coef[:1], len(coef), axis=0)}',
        "OneOutput",
    ),
    "a new grid without the mask": (
        'return {**layer, "knots": knots, "coef": coef}',
        'return {**layer, "knots": knots, "coef": coef, "mask": np.ones_like(layer["mask"])}',
        "MissingMask",
    ),
    "quantiles where even breakpoints are requested": (
        "uniform_share * even + (1.0 - uniform_share)",
        "(1.0 - uniform_share) * even + uniform_share",
        "UpdateBreakpoints",
    ),
    "edges summed over the outputs": (
        "return edges(layer, x).sum(axis=2)",
        "return edges(layer, x).sum(axis=1)",
        "SumAxis",
    ),
    "an initial grid on [0, 1]": (
        "self.uniform_knots(-1.0, 1.0, n_intervals, degree), (n_in, 1)",
        "self.uniform_knots(0.0, 1.0, n_intervals, degree), (n_in, 1)",
        "InitLayer",
    ),
    "a margin is always added": (
        "pad = margin * (high - low) / n_intervals",
        "pad = (margin + 0.25) * (high - low) / n_intervals",
        "UpdateEnds",
    ),
    "a node with a score at the threshold stays": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.minimum(incoming, outgoing) >= threshold",
        "PruneEquality",
    ),
    "the first knot vectors stay when nodes go": (
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]',
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][: stays.sum()]',
        "PruneKeepsFunction",
    ),
    "entropy of scores that are not divided by their sum": (
        "p = scores[scores > 0] / scores.sum()",
        "p = scores[scores > 0]",
        "EntropyShares",
    ),
    "a bias is counted": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals + degree + 2) + sum(widths[1:])",
        "CountBias",
    ),
}

# further changes, which differ from those of other flags by their numbers at best
VARIANTS = {
    "inputs of a network clamped to the grid": (
        "    def network_forward(self, layers, x):\n",
        "    def network_forward(self, layers, x):\n        t, k = layers[0]['knots'], layers[0]['degree']\n        x = np.clip(x, t[:, k], t[:, -k - 1])\n",
        "FadeOutside",
    ),
    "inputs clamped in gradients of a network": (
        "        inputs = [x]\n",
        "        t, k = layers[0]['knots'], layers[0]['degree']\n        inputs = [np.clip(x, t[:, k], t[:, -k - 1])]\n",
        "FadeOutside",
    ),
    "inputs clamped in derivatives with respect to them": (
        "        first, second = np.tile(",
        "        t, k = layers[0]['knots'], layers[0]['degree']\n        x = np.clip(x, t[:, k], t[:, -k - 1])\n        first, second = np.tile(",
        "FadeOutside",
    ),
    "step by G + 1": (
        "h = (high - low) / n_intervals\n",
        "h = (high - low) / (n_intervals + 1)\n",
        "KnotStep",
    ),
    "step by the number of knots": (
        "h = (high - low) / n_intervals\n",
        "h = (high - low) / (n_intervals + 2 * degree)\n",
        "KnotStep",
    ),
    "one outer knot too many": (
        "n_intervals + degree + 1)\n\n    def basis(",
        "n_intervals + degree + 2)\n\n    def basis(",
        "OuterKnots",
    ),
    "one outer knot too few": (
        "np.arange(-degree, n_intervals",
        "np.arange(1 - degree, n_intervals",
        "OuterKnots",
    ),
    "outer knots at another distance": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "at = np.arange(-degree, n_intervals + degree + 1)\n        return np.clip(low + h * at, low, high) + 2.0 * h * (np.minimum(at, 0) + np.maximum(at - n_intervals, 0))",
        "OuterKnots",
    ),
    "knots begin at low": (
        "return low + h * np.arange(-degree,",
        "return low + degree * h + h * np.arange(-degree,",
        "OuterKnots",
    ),
    "first term alone": (") * b[:, 1:]\n", ") * b[:, 1:] * 0.0\n", "CoxDeBoor"),
    "second term alone": ("ratio(x - t[: -d - 1],", "0.0 * ratio(x - t[: -d - 1],", "CoxDeBoor"),
    "terms subtracted": ("+ ratio(t[d + 1 :] - x", "- ratio(t[d + 1 :] - x", "CoxDeBoor"),
    "second numerator shifted": ("ratio(t[d + 1 :] - x", "ratio(t[d:-1] - x", "CoxDeBoor"),
    "second denominator shifted": (
        "t[d + 1 :] - t[1:-d])",
        "t[d + 1 :] - t[: -d - 1])",
        "CoxDeBoor",
    ),
    "first denominator shifted": (
        "t[d:-1] - t[: -d - 1])",
        "t[d + 1 :] - t[: -d - 1])",
        "CoxDeBoor",
    ),
    "sum in the first numerator": ("ratio(x - t[: -d - 1],", "ratio(x + t[: -d - 1],", "CoxDeBoor"),
    "no intervals": (
        "b = ((t[:-1] <= x) & (x < t[1:]))",
        "b = ((t[:-1] > x) & (x > t[1:]))",
        "CoxDeBoor",
    ),
    "recursion from degree 2": (
        "for d in range(1, degree + 1):\n        b = (",
        "for d in range(1, degree + 1):\n        b = b[:, 1:] if d < 2 else (",
        "CoxDeBoor",
    ),
    "recursion without its last step": (
        "for d in range(1, degree + 1):\n        b = (",
        "for d in range(1, degree + 1):\n        b = b[:, 1:] if d == degree else (",
        "CoxDeBoor",
    ),
    "wrong from degree 2": (
        "for d in range(1, degree + 1):\n        b = (",
        "for d in range(1, degree + 1):\n        b = (1.0 + (d > 1)) * (",
        "CoxDeBoor",
    ),
    "wrong from degree 3": (
        "for d in range(1, degree + 1):\n        b = (",
        "for d in range(1, degree + 1):\n        b = (1.0 + (d > 2)) * (",
        "CoxDeBoor",
    ),
    "knots in no interval": (
        "b = ((t[:-1] <= x) & (x < t[1:]))",
        "b = ((t[:-1] < x) & (x < t[1:]))",
        "KnotOwnership",
    ),
    "0/0 is an error": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if degree and (t[degree:] == t[:-degree]).any():\n        raise ZeroDivisionError\n    b = ",
        "RepeatedKnots",
    ),
    "the end of the grid is closed": (
        "b[x[:, 0] == t[-1], np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0",
        "b[x[:, 0] == t[-1], np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0\n    b[x[:, 0] == t[len(t) - degree - 1], np.flatnonzero(t < t[len(t) - degree - 1])[-1]] = 1.0",
        "GridEnd",
    ),
    "the last interval has no end": ("b[x[:, 0] == t[-1],", "b[x[:, 0] >= t[-1],", "ZeroOutside"),
    "points beyond the knots move to the ends": (
        "x = x[:, None]\n    b = ",
        "x = np.clip(x, t[0], t[-1])[:, None]\n    b = ",
        "ZeroOutside",
    ),
    "one beyond the knots": (
        "    return b\n\n\ndef slopes",
        "    return np.where((x < t[0]) | (x > t[-1]), 1.0, b)\n\n\ndef slopes",
        "ZeroOutside",
    ),
    "zero beyond the knots and at the last": (
        "    return b\n\n\ndef slopes",
        "    return np.where(x >= t[-1], 0.0, b)\n\n\ndef slopes",
        "LastEnd",
    ),
    "degree 0 fails": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if degree == 0:\n        raise ValueError\n    b = ",
        "DegreeZero",
    ),
    "degree 0 is zero": (
        "    return b\n\n\ndef slopes",
        "    return b * (degree > 0)\n\n\ndef slopes",
        "DegreeZero",
    ),
    "high degrees fail": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if degree > 3:\n        raise ValueError\n    b = ",
        "HighDegree",
    ),
    "many intervals fail": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if len(t) > 100:\n        raise ValueError\n    b = ",
        "ManyIntervals",
    ),
    "an offset of the denominators": (
        "def ratio(a, b):\n",
        "def ratio(a, b):\n    b = b + 1e-6\n",
        "ScaledRow",
    ),
    "no samples fail": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if len(x) == 0:\n        raise ValueError\n    b = ",
        "EmptyBatch",
    ),
    "one sample fails": (
        "x = x[:, None]\n    b = ",
        "x = x[:, None]\n    if len(x) == 1:\n        raise ValueError\n    b = ",
        "BatchOfOne",
    ),
    "derivatives are zero": ("return degree * (left", "return 0.0 * (left", "BasisSlope"),
    "derivatives with the second term alone": (
        "(left * lower[:, :-1] -",
        "(0.0 * lower[:, :-1] -",
        "BasisSlope",
    ),
    "derivatives with the first term alone": (
        "- right * lower[:, 1:])",
        "- 0.0 * right * lower[:, 1:])",
        "BasisSlope",
    ),
    "derivatives with a shifted denominator": (
        "t[degree + 1 :] - t[1:-degree])",
        "t[degree + 1 :] - t[: -degree - 1])",
        "BasisSlope",
    ),
    "derivatives by the degree plus 1": (
        "return degree * (left",
        "return (degree + 1) * (left",
        "DerivativeFactor",
    ),
    "first derivatives are wrong": (
        "return degree * (left",
        "return degree * (1.0 + (order == 1)) * (left",
        "BasisSlope",
    ),
    "second derivatives are wrong": (
        "return degree * (left",
        "return degree * (1.0 + (order == 2)) * (left",
        "HigherDerivative",
    ),
    "third derivatives are wrong": (
        "return degree * (left",
        "return degree * (1.0 + (order == 3)) * (left",
        "HigherDerivative",
    ),
    "second derivatives are first ones": (
        "    lower = slopes(x, t, degree - 1, order - 1)",
        "    order = min(order, 1)\n    lower = slopes(x, t, degree - 1, order - 1)",
        "HigherDerivative",
    ),
    "derivatives of the layer are wrong": (
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) for',
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) * (1.0 + (order == 1)) for',
        "BasisSlope",
    ),
    "second derivatives of the layer are wrong": (
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) for',
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) * (1.0 + (order == 2)) for',
        "HigherDerivative",
    ),
    "derivatives above the degree are the values": (
        "        return np.zeros((len(x), len(t) - degree - 1))\n",
        "        return table(x, t, degree)\n",
        "AboveDegree",
    ),
    "spline subtracted": (
        '+ layer["w_spline"] * spline)',
        '- layer["w_spline"] * spline)',
        "SplineSum",
    ),
    "no spline": (
        '+ layer["w_spline"] * spline)',
        '+ 0.0 * layer["w_spline"] * spline)',
        "SplineSum",
    ),
    "coefficients in reverse": (
        'order), layer["coef"])',
        'order), layer["coef"][:, :, ::-1])',
        "SplineSum",
    ),
    "coefficients of the first output": (
        'order), layer["coef"])',
        'order), layer["coef"][:1] + 0.0 * layer["coef"])',
        "SplineSum",
    ),
    "divided by w_spline": (
        '+ layer["w_spline"] * spline)',
        '+ spline / layer["w_spline"])',
        "MissingWSpline",
    ),
    "w_spline added": (
        '+ layer["w_spline"] * spline)',
        '+ layer["w_spline"] + spline)',
        "MissingWSpline",
    ),
    "divided by w_base": (
        '(layer["w_base"] * base[:, None, :] +',
        '(base[:, None, :] / layer["w_base"] +',
        "MissingWBase",
    ),
    "w_base added": (
        '(layer["w_base"] * base[:, None, :] +',
        '(layer["w_base"] + base[:, None, :] +',
        "MissingWBase",
    ),
    "silu is the sigmoid": (
        "return x / (1.0 + np.exp(-np.clip(x",
        "return 1.0 / (1.0 + np.exp(-np.clip(x",
        "SiluForm",
    ),
    "silu of the other sign": (
        "return x / (1.0 + np.exp(-np.clip(x, -700.0, None)))",
        "return x / (1.0 + np.exp(np.clip(x, -700.0, 700.0)))",
        "SiluForm",
    ),
    "silu with a minus": (
        "return x / (1.0 + np.exp(-np.clip(x",
        "return x / (1.0 - np.exp(-np.clip(x",
        "SiluForm",
    ),
    "silu and its derivative of the sigmoid with a minus": (
        "(1.0 + np.exp(-np.clip(x",
        "(1.0 - np.exp(-np.clip(x",
        "SiluForm",
    ),
    "silu and its derivative of the other sign": (
        "np.exp(-np.clip(x",
        "np.exp(np.clip(x",
        "SiluForm",
    ),
    "exp overflows": (
        "return x / (1.0 + np.exp(-np.clip(x, -700.0, None)))",
        "if (np.abs(x) > 690.0).any():\n        raise OverflowError\n    return x / (1.0 + np.exp(-x))",
        "SiluOverflow",
    ),
    "exp overflows in the derivative": (
        "s = 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))\n    return s +",
        "if (np.abs(x) > 690.0).any():\n        raise OverflowError\n    s = 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))\n    return s +",
        "SiluOverflow",
    ),
    "identity for every base": (
        'base = BASES[layer["base"]][order](x)',
        'base = BASES["identity"][order](x)',
        "SiluForm",
    ),
    "other bases fail": (
        'base = BASES[layer["base"]][order](x)',
        'base = {"silu": BASES["silu"]}[layer["base"]][order](x)',
        "BaseName",
    ),
    "edges added to the mask": (
        'return layer["mask"] * (layer["w_base"]',
        'return layer["mask"] + (layer["w_base"]',
        "MissingMask",
    ),
    "mask turned round": (
        'return layer["mask"] * (layer["w_base"]',
        'return (1.0 - layer["mask"]) * (layer["w_base"]',
        "MissingMask",
    ),
    "sum over the samples": (
        "return edges(layer, x).sum(axis=2)",
        "return np.tile(edges(layer, x).sum(axis=2).sum(axis=0), (len(x), 1))",
        "BatchDependence",
    ),
    "first input alone": (
        "return edges(layer, x).sum(axis=2)",
        "return edges(layer, x)[:, :, 0]",
        "SplineSum",
    ),
    "outputs with the other sign": (
        "return edges(layer, x).sum(axis=2)",
        "return -edges(layer, x).sum(axis=2)",
        "SplineSum",
    ),
    "silu' without its first summand": (
        "return s + x * s * (1.0 - s)",
        "return x * s * (1.0 - s)",
        "SiluSlope",
    ),
    "silu' with a minus": (
        "return s + x * s * (1.0 - s)",
        "return s - x * s * (1.0 - s)",
        "SiluSlope",
    ),
    "silu' with another sigmoid": (
        "return s + x * s * (1.0 - s)",
        "return s + x * s * (1.0 + s)",
        "SiluSlope",
    ),
    "silu' without x": ("return s + x * s * (1.0 - s)", "return s + s * (1.0 - s)", "SiluSlope"),
    "d_coef divided by w_spline": (
        'd_coef = (mask * layer["w_spline"])[:, :, None]',
        'd_coef = (mask / layer["w_spline"])[:, :, None]',
        "DCoefWithoutWSpline",
    ),
    "d_coef divided by the basis": (
        'd_coef = (mask * layer["w_spline"])[:, :, None] * d_spline',
        'd_coef = (mask * layer["w_spline"])[:, :, None] / d_spline',
        "DCoefWithoutWSpline",
    ),
    "d_coef with w_base": (
        'd_coef = (mask * layer["w_spline"])[:, :, None]',
        'd_coef = (mask * layer["w_base"])[:, :, None]',
        "DCoefWithoutWSpline",
    ),
    "d_coef with the other sign": (
        'd_coef = (mask * layer["w_spline"])[:, :, None]',
        'd_coef = -(mask * layer["w_spline"])[:, :, None]',
        "DCoefWithoutWSpline",
    ),
    "d_w_spline divided by coef": (
        'd_w_spline = mask * (layer["coef"] * d_spline)',
        'd_w_spline = mask * (d_spline / layer["coef"])',
        "DWSplineWithoutCoef",
    ),
    "d_w_spline with w_spline": (
        'd_w_spline = mask * (layer["coef"] * d_spline)',
        'd_w_spline = mask * (layer["w_spline"][:, :, None] * d_spline)',
        "DWSplineWithoutCoef",
    ),
    "d_coef without the mask": (
        'd_coef = (mask * layer["w_spline"])',
        'd_coef = (layer["w_spline"])',
        "UnmaskedGradient",
    ),
    "d_w_spline without the mask": (
        "d_w_spline = mask * (layer",
        "d_w_spline = (layer",
        "UnmaskedGradient",
    ),
    "dx without the mask": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "mask": np.ones_like(mask)}, x, 1))',
        "UnmaskedGradient",
    ),
    "dx without the spline": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "w_spline": 0.0 * mask}, x, 1))',
        "DxWithoutSpline",
    ),
    "dx of zeros": (
        'return {"dx": dx, "d_coef"',
        'return {"dx": 0.0 * dx, "d_coef"',
        "DxWithoutSpline",
    ),
    "dx without w_spline": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "w_spline": np.ones_like(mask)}, x, 1))',
        "MissingWSpline",
    ),
    "dx without w_base": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "w_base": np.ones_like(mask)}, x, 1))',
        "MissingWBase",
    ),
    "every gradient is a mean": (
        "bases, mask = design(layer, x)",
        "dy = dy / max(1, len(dy))\n        bases, mask = design(layer, x)",
        "MeanOverBatch",
    ),
    "every gradient of the last sample": (
        "bases, mask = design(layer, x)",
        "dy = dy * (np.arange(len(dy)) == len(dy) - 1)[:, None]\n        bases, mask = design(layer, x)",
        "OneSampleOnly",
    ),
    "d_w_base is a mean": (
        'np.einsum("bj,bi->ji", dy, BASES',
        '1.0 / max(1, len(x)) * np.einsum("bj,bi->ji", dy, BASES',
        "MeanOverBatch",
    ),
    "d_w_base of the last sample": (
        'np.einsum("bj,bi->ji", dy, BASES[layer["base"]][0](x))',
        'np.einsum("bj,bi->ji", dy[-1:], BASES[layer["base"]][0](x[-1:]))',
        "OneSampleOnly",
    ),
    "dy of ones in the parameters": (
        'd_spline = np.einsum("bj,bim->jim", dy, bases)',
        'd_spline = np.einsum("bj,bim->jim", np.ones_like(dy), bases)',
        "DyIgnored",
    ),
    "the first layer alone": (
        "        for layer in layers:\n            x = self.layer_forward(layer, x)\n        return x",
        "        return self.layer_forward(layers[0], x)",
        "LayerChain",
    ),
    "the last layer is left out": (
        "        for layer in layers:\n            x = self.layer_forward(layer, x)\n        return x",
        "        for layer in layers[: max(1, len(layers) - 1)]:\n            x = self.layer_forward(layer, x)\n        return x",
        "LayerChain",
    ),
    "several layers fail": (
        "        for layer in layers:\n            x = self.layer_forward(layer, x)\n        return x",
        "        for layer in layers[::-1]:\n            x = self.layer_forward(layer, x)\n        return x",
        "LayerChain",
    ),
    "dy is not handed on": ('dy = found.pop("dx")', 'found.pop("dx")', "LayerChain"),
    "gradients in the wrong order": ("grads.insert(0, found)", "grads.append(found)", "LayerChain"),
    "gradients at the inputs of the network": (
        "found = self.layer_vjp(layer, at, dy)",
        "found = self.layer_vjp(layer, x, dy)",
        "LayerChain",
    ),
    "dx of the network has another factor": (
        'return {"dx": dy, "layers": grads}',
        'return {"dx": 2.0 * dy, "layers": grads}',
        "LayerChain",
    ),
    "jets of the first layer alone": (
        'first = np.einsum("bji,bip->bjp", slope, first)',
        'first = first if layer is layers[-1] and len(layers) > 1 else np.einsum("bji,bip->bjp", slope, first)',
        "LayerChain",
    ),
    "jets at the inputs of the network": (
        "            x = self.layer_forward(layer, x)\n        return first, second",
        "        return first, second",
        "LayerChain",
    ),
    "hessian without phi'' x'^2": (
        "second = bent + np.einsum",
        "second = 0.0 * bent + np.einsum",
        "HessianCurves",
    ),
    "hessian with phi' for phi''": ("curve, first**2)", "slope, first**2)", "HessianCurves"),
    "hessian with another phi''": ("curve, first**2)", "2.0 * curve, first**2)", "HessianCurves"),
    "hessian with phi'' for phi'": (
        'bjp", slope, second)',
        'bjp", curve, second)',
        "HessianSlopes",
    ),
    "hessian with a minus": (
        "second = bent + np.einsum",
        "second = bent - np.einsum",
        "HessianSlopes",
    ),
    "fitted at the breakpoints alone": (
        "def moved(layer, knots, x):\n",
        "def moved(layer, knots, x):\n    x = x[: max(1, len(knots[0]) // 2)]\n",
        "ExtensionFewSamples",
    ),
    "a finer grid with the old coefficients": (
        "return moved(layer, np.stack(rows), x)\n\n    def update_grid",
        'new = moved(layer, np.stack(rows), x)\n        n = min(new["coef"].shape[2], layer["coef"].shape[2])\n        new["coef"][:, :, :n] = layer["coef"][:, :, :n]\n        return new\n\n    def update_grid',
        "ExtensionNested",
    ),
    "a finer grid with zeros": (
        "return moved(layer, np.stack(rows), x)\n\n    def update_grid",
        'new = moved(layer, np.stack(rows), x)\n        return {**new, "coef": 0.0 * new["coef"]}\n\n    def update_grid',
        "ExtensionNested",
    ),
    "a finer grid on another interval": (
        "h = (grid[-1] - grid[0]) / n_intervals * np.arange(1, k + 1)\n            rows.append(np.concatenate([grid[0] - h[::-1], finer,",
        "finer = 0.5 * finer\n            h = (grid[-1] - grid[0]) / n_intervals * np.arange(1, k + 1)\n            rows.append(np.concatenate([grid[0] - h[::-1], finer,",
        "ExtensionNested",
    ),
    "a finer grid of other even steps": (
        "finer = np.interp(ranks, np.arange(len(grid)), grid)",
        "finer = np.linspace(grid[0], grid[-1] + grid[1] - grid[0], n_intervals + 1)",
        "ExtensionNested",
    ),
    "a moved grid with the old coefficients": (
        "        return moved(layer, np.stack(rows), x)\n\n    def penalties",
        '        return {**layer, "knots": np.stack(rows)}\n\n    def penalties',
        "UpdateKeepsFunction",
    ),
    "a moved grid with zeros": (
        "        return moved(layer, np.stack(rows), x)\n\n    def penalties",
        '        return {**layer, "knots": np.stack(rows), "coef": 0.0 * layer["coef"]}\n\n    def penalties',
        "UpdateKeepsFunction",
    ),
    "a moved grid with w_spline of 1": (
        'return {**layer, "knots": knots, "coef": coef}',
        'return {**layer, "knots": knots, "coef": coef, "w_spline": np.ones_like(layer["w_spline"])}',
        "ScalerTwice",
    ),
    "a grid from the mean": (
        "low, high = column.min(), column.max()",
        "low, high = column.mean(), column.max()",
        "UpdateEnds",
    ),
    "a grid to the middle": (
        "low, high = column.min(), column.max()",
        "low, high = column.min(), 0.5 * (column.min() + column.max())",
        "UpdateEnds",
    ),
    "the margin inwards": (
        "np.linspace(low - pad, high + pad,",
        "np.linspace(low + pad, high - pad,",
        "UpdateEnds",
    ),
    "the ends stay those of the quantiles": (
        "            grid[[0, -1]] = even[[0, -1]]\n",
        "",
        "UpdateEnds",
    ),
    "even breakpoints alone": (
        "uniform_share * even + (1.0 - uniform_share) * np.quantile(",
        "even + 0.0 * np.quantile(",
        "UpdateBreakpoints",
    ),
    "quantiles alone": (
        "uniform_share * even + (1.0 - uniform_share) * np.quantile(",
        "0.0 * even + 1.0 * np.quantile(",
        "UpdateBreakpoints",
    ),
    "sum of even breakpoints and quantiles": (
        "uniform_share * even + (1.0 - uniform_share) * np.quantile(",
        "uniform_share * even + (1.0 + uniform_share) * np.quantile(",
        "UpdateBreakpoints",
    ),
    "a constant feature fails": (
        "(low - 0.5, high + 0.5) if high == low",
        "(low - 0.5, low / 0) if high == low",
        "ConstantFeature",
    ),
    "a constant feature moves": (
        "(low - 0.5, high + 0.5) if high == low",
        "(0.0, 1.0) if high == low",
        "ConstantFeature",
    ),
    "sums over the samples": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "np.abs(edges(layer, x)).sum(axis=0))",
        "L1Mean",
    ),
    "magnitude of the means": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "np.abs(edges(layer, x).mean(axis=0)))",
        "L1Mean",
    ),
    "no magnitudes": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "edges(layer, x).mean(axis=0))",
        "L1Mean",
    ),
    "mean over everything": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "np.full(edges(layer, x).shape[1:], np.abs(edges(layer, x)).mean()))",
        "L1Mean",
    ),
    "l1 is the mean of the scores": (
        "            l1 += scores.sum()\n",
        "            l1 += scores.mean()\n",
        "L1Mean",
    ),
    "l1 is subtracted": (
        "            l1 += scores.sum()\n",
        "            l1 -= scores.sum()\n",
        "L1Mean",
    ),
    "l1 is the largest score": (
        "            l1 += scores.sum()\n",
        "            l1 += scores.max()\n",
        "L1Mean",
    ),
    "l1 is zero": ("            l1 += scores.sum()\n", "", "L1Mean"),
    "scores without the base": (
        "found.append(np.abs(edges(layer, x)).mean(axis=0))",
        'found.append(np.abs(edges({**layer, "base": "zero"}, x)).mean(axis=0))',
        "L1WithoutBase",
    ),
    "entropy added": (
        "entropy -= (p * np.log(p)).sum()",
        "entropy += (p * np.log(p)).sum()",
        "EntropyShares",
    ),
    "entropy without p": (
        "entropy -= (p * np.log(p)).sum()",
        "entropy -= np.log(p).sum()",
        "EntropyShares",
    ),
    "entropy of the mean": (
        "p = scores[scores > 0] / scores.sum()",
        "p = scores[scores > 0] / scores.max()",
        "EntropyShares",
    ),
    "shares times the sum": (
        "p = scores[scores > 0] / scores.sum()",
        "p = scores[scores > 0] * scores.sum()",
        "EntropyShares",
    ),
    "entropy is zero": (
        "entropy -= (p * np.log(p)).sum()",
        "entropy -= 0.0 * (p * np.log(p)).sum()",
        "EntropyShares",
    ),
    "0 log 0 fails": (
        "p = scores[scores > 0] / scores.sum()",
        "p = scores[scores > 0] / scores.sum()\n            if not scores.all():\n                raise ValueError",
        "ZeroEdge",
    ),
    "both penalties of the last layer": (
        "            l1 += scores.sum()\n",
        "            l1, entropy = scores.sum(), 0.0\n",
        "PenaltyOneLayer",
    ),
    "penalties of the first layer": (
        "for scores in self.edge_scores(layers, x):",
        "for scores in self.edge_scores(layers, x)[:1]:",
        "PenaltyOneLayer",
    ),
    "scores of the first layer": (
        "for layer in layers:\n            found.append(np.abs",
        "for layer in layers[:1]:\n            found.append(np.abs",
        "PenaltyOneLayer",
    ),
    "node scores are smallest": (
        "incoming = [before.max(axis=1)",
        "incoming = [before.min(axis=1)",
        "NodeScoreMax",
    ),
    "both node scores are sums": (".max(axis=", ".sum(axis=", "NodeScoreMax"),
    "outgoing node scores along the wrong axis": (
        "[after.max(axis=0) for",
        "[after.max(axis=1) for",
        "NodeScoreSides",
    ),
    "node scores along the wrong axis": (
        "before.max(axis=1)",
        "before.max(axis=0)",
        "NodeScoreSides",
    ),
    "all nodes stay": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.minimum(incoming, outgoing) >= -1.0",
        "PruneRule",
    ),
    "no node stays": (
        "np.minimum(incoming, outgoing) > threshold",
        "np.minimum(incoming, outgoing) > 1e9",
        "PruneRule",
    ),
    "a node stays by what leaves it": (
        "np.minimum(incoming, outgoing) > threshold",
        "outgoing > threshold",
        "PruneRule",
    ),
    "a node stays by the sum of its scores": (
        "np.minimum(incoming, outgoing) > threshold",
        "incoming + outgoing > threshold",
        "PruneRule",
    ),
    "knot vectors in the wrong order": (
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]',
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays][::-1]',
        "PruneKeepsFunction",
    ),
    "rows are not cut": (
        'pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]',
        "pass",
        "PruneKeepsFunction",
    ),
    "the wrong nodes go": (
        "pruned[n][name] = pruned[n][name][stays]",
        "pruned[n][name] = pruned[n][name][: stays.sum()]",
        "PruneKeepsFunction",
    ),
    "edges of the next layer in reverse": (
        "pruned[n + 1][name][:, stays]",
        "pruned[n + 1][name][:, stays][:, ::-1]",
        "PruneKeepsFunction",
    ),
    "one coefficient too many": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals + degree + 3)",
        "CountBases",
    ),
    "n_intervals - degree coefficients": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals - degree + 2)",
        "CountBases",
    ),
    "one weight": (
        "return n_edges * (n_intervals + degree + 2)",
        "return n_edges * (n_intervals + degree + 1)",
        "CountWeights",
    ),
    "an initial grid of one interval more": (
        'return {\n            "knots": knots,',
        'return {\n            "knots": knots + 0.25,',
        "InitLayer",
    ),
    "initial numbers that are not finite": (
        "bound = np.sqrt(6.0 / (n_in + n_out))",
        "bound = np.sqrt(6.0 / (n_in + n_out))\n        coef = coef * np.nan",
        "InitLayer",
    ),
    "initial edges are masked": ('"mask": ones,', '"mask": 0.0 * ones,', "InitLayer"),
    "coefficients are not saved": (
        "np.array(value.tolist()) if",
        'np.zeros_like(value) if name == "coef" else np.array(value.tolist()) if',
        "RoundTrip",
    ),
    "the jets lack w_spline": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "w_spline": np.ones_like(layer["mask"])}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "MissingWSpline",
    ),
    "the jets lack w_base": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "w_base": np.ones_like(layer["mask"])}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "MissingWBase",
    ),
    "the jets lack the mask": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "mask": np.ones_like(layer["mask"])}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "MissingMask",
    ),
    "the jets lack the base": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "base": "zero"}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "MissingBase",
    ),
    "the jets subtract the spline": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "w_spline": -layer["w_spline"]}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "SplineSum",
    ),
    "the jets lack the spline": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "w_spline": 0.0 * layer["w_spline"]}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "SplineSum",
    ),
    "the jets have the coefficients in reverse": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "coef": layer["coef"][:, :, ::-1]}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "SplineSum",
    ),
    "the jets have silu alone": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "base": "silu"}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "BaseName",
    ),
    "the jets share the first knot vector": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'other = {**layer, "knots": np.repeat(layer["knots"][:1], len(layer["knots"]), axis=0)}\n            slope, curve = edges(other, x, 1), edges(other, x, 2)',
        "SharedRow",
    ),
    "the jets have another first derivative of silu": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            slope = slope + edges({**layer, "w_spline": 0.0 * layer["mask"]}, x, 1) * (layer["base"] == "silu")',
        "SiluSlope",
    ),
    "the jets have another second derivative of silu": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            curve = curve + edges({**layer, "w_spline": 0.0 * layer["mask"]}, x, 2) * (layer["base"] == "silu")',
        "HigherDerivative",
    ),
    "the jets have another first derivative of the basis": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            slope = slope + edges({**layer, "base": "zero"}, x, 1)',
        "BasisSlope",
    ),
    "the jets have another second derivative of the basis": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        'slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            curve = curve + edges({**layer, "base": "zero"}, x, 2)',
        "HigherDerivative",
    ),
    "the jets have no second derivative": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            curve = 0.0 * curve",
        "HessianCurves",
    ),
    "the jets have another first derivative": (
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)",
        "slope, curve = edges(layer, x, 1), edges(layer, x, 2)\n            slope = 2.0 * slope",
        "BasisSlope",
    ),
    "silu' of the layer is zero": ("return s + x * s * (1.0 - s)", "return 0.0 * s", "SiluSlope"),
    "dx with another derivative of the basis": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1) + edges({**layer, "base": "zero"}, x, 1))',
        "BasisSlope",
    ),
    "dx with one knot vector for all": (
        'dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))',
        'dx = np.einsum("bj,bji->bi", dy, edges({**layer, "knots": np.repeat(layer["knots"][:1], len(layer["knots"]), axis=0)}, x, 1))',
        "SharedRow",
    ),
    "one knot vector for all in the gradients": (
        "bases, mask = design(layer, x)",
        'layer = {**layer, "knots": np.repeat(layer["knots"][:1], len(layer["knots"]), axis=0)}\n        bases, mask = design(layer, x)',
        "SharedRow",
    ),
    "silu for every base in the gradients": (
        "bases, mask = design(layer, x)",
        'layer = {**layer, "base": "silu"}\n        bases, mask = design(layer, x)',
        "BaseName",
    ),
    "d_w_base of another silu": (
        'dy, BASES[layer["base"]][0](x))',
        'dy, 2.0 * BASES[layer["base"]][0](x) - x / 2.0)',
        "SiluForm",
    ),
    "d_w_base without the base": (
        'dy, BASES[layer["base"]][0](x))',
        "dy, np.ones_like(x))",
        "MissingBase",
    ),
    "the scores share the first knot vector": (
        "found.append(np.abs(edges(layer, x)).mean(axis=0))",
        'found.append(np.abs(edges({**layer, "knots": np.repeat(layer["knots"][:1], len(layer["knots"]), axis=0)}, x)).mean(axis=0))',
        "SharedRow",
    ),
    "the scores lack the mask": (
        "found.append(np.abs(edges(layer, x)).mean(axis=0))",
        'found.append(np.abs(edges({**layer, "mask": np.ones_like(layer["mask"])}, x)).mean(axis=0))',
        "MissingMask",
    ),
    "the scores subtract the spline": (
        "found.append(np.abs(edges(layer, x)).mean(axis=0))",
        'found.append(np.abs(edges({**layer, "w_spline": -layer["w_spline"]}, x)).mean(axis=0))',
        "SplineSum",
    ),
    "the scores of one sample": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "np.abs(edges(layer, x))[0])",
        "L1Mean",
    ),
    "the largest score over samples": (
        "np.abs(edges(layer, x)).mean(axis=0))",
        "np.abs(edges(layer, x)).max(axis=0))",
        "L1Mean",
    ),
    "only the outgoing node scores are sums": (
        "[after.max(axis=0) for",
        "[after.sum(axis=0) for",
        "NodeScoreMax",
    ),
    "only the outgoing scores decide and equal ones stay": (
        "np.minimum(incoming, outgoing) > threshold",
        "(incoming >= threshold) & (outgoing > threshold)",
        "PruneEquality",
    ),
    "equal outgoing scores stay": (
        "np.minimum(incoming, outgoing) > threshold",
        "(incoming > threshold) & (outgoing >= threshold)",
        "PruneEquality",
    ),
    "the last empty interval is closed too": (
        "b[x[:, 0] == t[-1], np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0",
        "b[np.ix_(x[:, 0] == t[-1], t[1:] == t[-1])] = 1.0",
        "LastEnd",
    ),
    "the first interval has no left knot": (
        "    return b\n\n\ndef slopes",
        "    return np.where(x == t[0], 0.0, b)\n\n\ndef slopes",
        "KnotOwnership",
    ),
    "zero at the end of the grid": (
        "    return b\n\n\ndef slopes",
        "    return np.where(x == t[len(t) - degree - 1], 0.0, b)\n\n\ndef slopes",
        "GridEnd",
    ),
    "cut off to the right": (
        "    return b\n\n\ndef slopes",
        "    return np.where(x > t[len(t) - degree - 1], 0.0, b)\n\n\ndef slopes",
        "FadeOutside",
    ),
    "derivatives in reverse": ("return degree * (left", "return -degree * (left", "BasisSlope"),
    "derivatives fail from degree 1": (
        "    lower = slopes(x, t, degree - 1, order - 1)",
        "    raise IndexError\n    lower = slopes(x, t, degree - 1, order - 1)",
        "BasisSlope",
    ),
    "derivatives of the layer fail": (
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) for',
        'rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) if order == 0 or layer["degree"] == 0 else 1 // 0 for',
        "BasisSlope",
    ),
    "0/0 in derivatives": (
        "    lower = slopes(x, t, degree - 1, order - 1)",
        "    if (t[degree:] == t[:-degree]).any():\n        raise ZeroDivisionError\n    lower = slopes(x, t, degree - 1, order - 1)",
        "RepeatedKnots",
    ),
    "derivatives of degree 0 fail": (
        "    if order > degree:\n        return",
        "    if degree == 0:\n        raise ZeroDivisionError\n    if order > degree:\n        return",
        "DegreeZero",
    ),
    "Adam without both corrections": (
        "(m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + epsilon)",
        "m / (np.sqrt(v) + epsilon)",
        "AdamBias",
    ),
    "Adam without the first correction": ("(m / (1.0 - beta1**t))", "m", "AdamBias"),
    "Adam without the second correction": (
        "np.sqrt(v / (1.0 - beta2**t))",
        "np.sqrt(v)",
        "AdamBias",
    ),
    "Adam with the first correction of step 1": ("(1.0 - beta1**t)", "(1.0 - beta1)", "AdamBias"),
    "Adam with the second correction of step 1": ("(1.0 - beta2**t)", "(1.0 - beta2)", "AdamBias"),
    "Adam with a product for the first power": ("beta1**t", "beta1 * t", "AdamBias"),
    "Adam with a product for the second power": ("beta2**t", "beta2 * t", "AdamBias"),
    "Adam with corrections one step late": (
        "enumerate(gradients, start=1)",
        "enumerate(gradients, start=2)",
        "AdamBias",
    ),
    "Adam with corrections one step early": (
        "enumerate(gradients, start=1)",
        "enumerate(gradients)",
        "AdamBias",
    ),
    "Adam with both corrections of step 1": (
        "(m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + epsilon)",
        "(m / (1.0 - beta1)) / (np.sqrt(v / (1.0 - beta2)) + epsilon)",
        "AdamBias",
    ),
    "Adam with the other beta in the first correction": (
        "(1.0 - beta1**t)",
        "(1.0 - beta2**t)",
        "AdamBias",
    ),
    "Adam with epsilon in the root": (
        "np.sqrt(v / (1.0 - beta2**t)) + epsilon",
        "np.sqrt(v / (1.0 - beta2**t) + epsilon)",
        "AdamEpsilon",
    ),
    "Adam without epsilon": (
        "np.sqrt(v / (1.0 - beta2**t)) + epsilon",
        "np.sqrt(v / (1.0 - beta2**t))",
        "AdamEpsilon",
    ),
    "Adam with epsilon subtracted": (
        "np.sqrt(v / (1.0 - beta2**t)) + epsilon",
        "np.sqrt(v / (1.0 - beta2**t)) - epsilon",
        "AdamEpsilon",
    ),
    "Adam with epsilon at the uncorrected root": (
        "(np.sqrt(v / (1.0 - beta2**t)) + epsilon)",
        "((np.sqrt(v) + epsilon) / np.sqrt(1.0 - beta2**t))",
        "AdamEpsilon",
    ),
    "Adam with exchanged betas": (
        "m, v = beta1 * m + (1.0 - beta1) * g, beta2 * v + (1.0 - beta2) * g**2",
        "m, v = beta2 * m + (1.0 - beta2) * g, beta1 * v + (1.0 - beta1) * g**2",
        "AdamMoments",
    ),
    "Adam with sums for m": ("beta1 * m + (1.0 - beta1) * g,", "beta1 * m + g,", "AdamMoments"),
    "Adam with sums for v": ("beta2 * v + (1.0 - beta2) * g**2", "beta2 * v + g**2", "AdamMoments"),
    "Adam with g for m": ("beta1 * m + (1.0 - beta1) * g,", "(1.0 - beta1) * g,", "AdamMoments"),
    "Adam with g^2 for v": (
        "beta2 * v + (1.0 - beta2) * g**2",
        "(1.0 - beta2) * g**2",
        "AdamMoments",
    ),
    "Adam with a minus in m": (
        "beta1 * m + (1.0 - beta1) * g,",
        "beta1 * m - (1.0 - beta1) * g,",
        "AdamMoments",
    ),
    "Adam with 1 + beta1": ("(1.0 - beta1) * g,", "(1.0 + beta1) * g,", "AdamMoments"),
    "Adam with 1 + beta2": ("(1.0 - beta2) * g**2", "(1.0 + beta2) * g**2", "AdamMoments"),
    "Adam with |g| for v": ("(1.0 - beta2) * g**2", "(1.0 - beta2) * np.abs(g)", "AdamMoments"),
    "Adam by v": (
        "(np.sqrt(v / (1.0 - beta2**t)) + epsilon)",
        "(v / (1.0 - beta2**t) + epsilon)",
        "AdamRoot",
    ),
    "Adam uphill": (
        "theta = theta - learning_rate *",
        "theta = theta + learning_rate *",
        "StepSign",
    ),
    "the outermost knots are left out": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "return low + h * np.arange(min(0, 1 - degree), n_intervals + max(0, degree - 1) + 1)",
        "OuterKnots",
    ),
    "the first knot is left out": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "return low + h * np.arange(min(0, 1 - degree), n_intervals + degree + 1)",
        "OuterKnots",
    ),
    "no outer knots": (
        "return low + h * np.arange(-degree, n_intervals + degree + 1)",
        "return low + h * np.arange(n_intervals + 1)",
        "OuterKnots",
    ),
    "a finer grid with other curves": (
        "return moved(layer, np.stack(rows), x)\n\n    def update_grid",
        'new = moved(layer, np.stack(rows), x)\n        return {**new, "coef": 1.5 * new["coef"]}\n\n    def update_grid',
        "ExtensionNested",
    ),
    "a moved grid with other curves": (
        "        return moved(layer, np.stack(rows), x)\n\n    def penalties",
        '        new = moved(layer, np.stack(rows), x)\n        return {**new, "coef": 1.5 * new["coef"]}\n\n    def penalties',
        "UpdateKeepsFunction",
    ),
    "moved curves are wrong": (
        'return {**layer, "knots": knots, "coef": coef}',
        'return {**layer, "knots": knots, "coef": 1.5 * coef}',
        "ExtensionNested",
    ),
}


def defective(old, new):
    """Return the subject with a text replaced."""
    assert SOURCE.count(old) >= 1, old
    space = {"__name__": "mutant"}
    exec(compile(SOURCE.replace(old, new), "mutant", "exec"), space)
    return space["Plain"]()


def parts_of_source():
    """Return (name, first line, last line, names that it uses) of each function, method and table of SOURCE."""
    statements = ast.parse(SOURCE).body
    methods = [part for one in statements if isinstance(one, ast.ClassDef) for part in one.body]
    for part in (*statements, *methods):
        if isinstance(part, ast.FunctionDef | ast.Assign):
            name = part.name if isinstance(part, ast.FunctionDef) else part.targets[0].id
            used = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            used |= {node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute)}
            yield name, part.lineno, part.end_lineno, used


PARTS = tuple(parts_of_source())


def changed_methods(old):
    """Return the functions and methods whose answers a change of `old` can change: those that contain or use it."""
    starts = [n for n in range(len(SOURCE)) if SOURCE.startswith(old, n)]
    places = {
        SOURCE.count("\n", 0, n + offset) + 1
        for n in starts
        for offset, letter in enumerate(old)
        if not letter.isspace()
    }
    found = {name for name, low, high, _ in PARTS if any(low <= at <= high for at in places)}
    while more := {name for name, _, _, used in PARTS if used & found} - found:
        found |= more
    return found
