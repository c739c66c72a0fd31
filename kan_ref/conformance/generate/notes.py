"""Flags: the likely defect that a failing case points to.

`docs/conformance.md` explains each flag under its name.
"""

PAGE = "docs/conformance.md"

NOTES = {
    # knots
    "KnotStep": "the step between knots is not (b - a) / n_intervals (G - 1 or the number of "
    "knots is used instead)",
    "OuterKnots": "the grid is not continued by `degree` outer knots with the same step on both "
    "sides",
    "KnotPrecision": "knots are computed or stored in float32 or less",
    # basis functions
    "CoxDeBoor": "the Cox-de Boor recursion is wrong",
    "KnotOwnership": "a point at a knot belongs to no interval or to two: intervals are t_m <= x "
    "< t_{m+1}",
    "LastEnd": "the last non-empty interval of the knot vector is not closed on the right",
    "GridEnd": "the end b of the grid is treated as a special point, but it is an inner knot of "
    "the extended knot vector",
    "FadeOutside": "beyond [a, b] the basis functions do not decay to zero (they are "
    "extrapolated, clamped or cut off)",
    "ZeroOutside": "outside the knot vector the basis functions are not zero",
    "RepeatedKnots": "0/0 at repeated knots is not taken as 0",
    "DegreeZero": "degree 0 is not handled",
    "UnevenKnots": "knots are taken as evenly spaced",
    "HighDegree": "the recursion loses accuracy, or fails, at high degree",
    "ManyIntervals": "the result depends on the number of intervals where it must not",
    "ScaledRow": "the recursion has an absolute tolerance or offset: it fails where the grid is "
    "tiny, huge or far from 0",
    "Float32Inside": "an intermediate value is computed in float32 or less",
    "PointOrder": "points are assumed to be sorted, or to be distinct",
    "EmptyBatch": "a batch of no samples is not handled",
    "BatchOfOne": "a batch of one sample is not handled",
    # derivatives
    "DerivativeFactor": "the derivative of a B-spline lacks its factor, the degree",
    "BasisSlope": "the first derivative of the basis functions is wrong",
    "HigherDerivative": "the second or third derivative of the basis functions is wrong",
    "AboveDegree": "derivatives of order above the degree are not zero",
    "DerivativeAtKnot": "at a knot the derivative is not that of the piece on its right",
    # layers
    "MissingWSpline": "w_spline does not multiply the spline",
    "WSplineTwice": "w_spline multiplies the spline twice",
    "MissingWBase": "w_base does not multiply the base function",
    "MissingBase": "the base function is omitted",
    "BaseScaled": "w_spline multiplies the base function too",
    "SiluForm": "the base function is not silu, x / (1 + exp(-x))",
    "SiluOverflow": "silu overflows or gives nan where |x| is large",
    "BaseName": "the layer's `base` is ignored",
    "MissingMask": "masked edges still contribute",
    "TransposedMask": "the mask is read as [in, out]",
    "TransposedWeights": "w_base or w_spline is read as [in, out]",
    "SharedRow": "all inputs use the knot vector of the first",
    "MeanOverInputs": "outputs are means over the inputs instead of sums",
    "SumAxis": "edges are summed over the outputs, not over the inputs",
    "StaleCache": "the result of an earlier call is returned again (cached by shape or by "
    "identity)",
    "BatchDependence": "a sample's output depends on the other samples of its batch",
    "NotSeparable": "an output is not a sum of functions of one input each",
    "MaskFactor": "the mask is used as a condition, not as a factor",
    "BlockRemainder": "work in blocks of samples, inputs or outputs leaves out the last, "
    "incomplete block",
    "ZeroCoefficients": "an edge whose coefficients are all 0 gives nan (0/0)",
    "SplineSum": "the spline part of the layer is wrong",
    # backward
    "SiluSlope": "the derivative of silu is wrong (sigmoid alone, without x s (1 - s))",
    "DxWithoutBase": "dx lacks the contribution of the base function",
    "DxWithoutSpline": "dx lacks the contribution of the splines, or has a wrong one",
    "DCoefWithoutWSpline": "d_coef lacks the factor w_spline",
    "DWSplineWithoutCoef": "d_w_spline is not the sum over basis functions weighted by coef",
    "UnmaskedGradient": "masked edges receive a gradient, or pass one on",
    "MeanOverBatch": "parameter gradients are means over the batch instead of sums",
    "OneSampleOnly": "parameter gradients come from one sample, not from the sum over the batch",
    "DyIgnored": "dy is assumed to be all ones",
    # side effects
    "ArgumentsChanged": "arguments are changed in place",
    "StateKept": "a second call with the same arguments gives another answer",
    "BufferReused": "a later call changes an answer that was returned before",
    "MemoryOrder": "arrays are read as contiguous in C order, whatever their strides",
    "NaNSwallowed": "nan in a sample gives a finite answer for it",
    "ThreadUnsafe": "calls from two threads disturb each other",
    # networks
    "LayerChain": "layers are not applied in sequence, or their derivatives are not chained",
    "HessianSlopes": "the second derivative lacks phi'(x) x''",
    "HessianCurves": "the second derivative lacks phi''(x) x'^2",
    # grids
    "ExtensionNested": "a finer grid that contains the old one does not keep the function",
    "ExtensionNotNested": "a finer grid does not keep a function that both grids can represent",
    "ExtensionFewSamples": "with fewer samples than basis functions the function is not kept at "
    "the samples",
    "ZeroSupportFirstColumn": "basis functions without samples spoil the least-squares fit (rank "
    "0 from a stale pivot array gives zeros)",
    "ScalerTwice": "the scaled curve is fitted, but the unscaled coefficients receive the fit: "
    "w_spline acts twice",
    "OneOutput": "only one output keeps its curves when the grid changes, or all receive those of "
    "one output",
    "GridCount": "the number of intervals is not the requested one",
    "UpdateKeepsFunction": "moving the grid changes the function at the samples",
    "UpdateEnds": "the updated grid does not span the smallest to the largest sample",
    "UpdateBreakpoints": "the updated breakpoints are not evenly spaced, quantiles or the mean of "
    "both, as `uniform_share` requests",
    "ConstantFeature": "a constant input collapses the grid and zeroes the spline",
    "DiscreteFeature": "an input with few distinct values spoils the fit",
    "WidenedGrid": "widening a grid changes the function at the samples",
    # penalties and scores
    "L1Mean": "L1 is not the sum over edges of the mean magnitude over samples",
    "L1Deviation": "L1 is made of standard deviations, so that constants have no penalty",
    "L1WithoutBase": "penalties or scores include the spline part alone",
    "EntropyBase": "entropy does not use natural logarithms",
    "EntropyShares": "entropy is not computed from each score divided by the sum of the layer's "
    "scores, but from the scores themselves or with another sum",
    "ZeroEdge": "0 log 0 is not taken as 0",
    "PenaltyOneLayer": "penalties are not summed over all layers",
    "PenaltyInputs": "a later layer is evaluated at the inputs of the network, not at its own "
    "inputs",
    "NodeScoreMax": "a node's score is a sum or mean over its edges, not the largest of them",
    "NodeScoreSides": "incoming and outgoing scores of a node are swapped",
    # pruning
    "PruneRule": "nodes are not kept by the rule min(incoming, outgoing) > threshold",
    "PruneEither": "a node is kept if one of its two scores is above the threshold, not both",
    "PruneOneSided": "only the incoming score decides whether a node is kept",
    "PruneThreshold": "the threshold is not the requested one",
    "PruneEquality": "a node is kept if a score equals the threshold (>= instead of >)",
    "PruneEdges": "edges of kept nodes are pruned too",
    "PruneKeepsFunction": "the function changes although the removed nodes contribute nothing",
    "PruneMean": "the mean output of removed nodes is dropped instead of being kept as a constant",
    # formulas
    "AffineFit": "the affine fit misses an exact solution",
    "AffineWide": "the affine fit searches only a small range of a and b",
    "R2Offset": "r2 is not 1 - SS_res / SS_tot: an absolute offset makes it depend on the scale "
    "of y",
    "ConstantTarget": "a constant target is not fitted by a constant",
    # optimizers
    "AdamBias": "Adam lacks a bias correction, m / (1 - beta1^t) or v / (1 - beta2^t), or its t is "
    "not the number of the step",
    "AdamEpsilon": "Adam's epsilon is not added to the root of the corrected v",
    "AdamMoments": "Adam's moments are not the moving averages of g and g^2 with beta1 and beta2",
    "AdamRoot": "Adam divides by v instead of its root",
    "StepSign": "the step goes along the gradient, not against it",
    # other families of basis functions
    "FamilyBasis": "the basis functions are not those of the family",
    "FamilySlope": "a derivative of the family's basis functions is wrong",
    "FamilySum": "an output is not the sum over inputs and basis functions of coef B_m(x)",
    "GaussianWidth": "the exponent is not -((x - c) / h)^2: a factor 1/2, or h instead of h^2",
    "ChebyshevArgument": "tanh is applied to x where it must not be, or the other way round",
    "ChebyshevKind": "the polynomials are not those of the first kind",
    "ChebyshevEnds": "values or derivatives at x = -1 and 1 are wrong or nan (those of arccos are "
    "not finite there)",
    "FourierOrder": "the sines come before the cosines",
    "FourierFrequency": "the frequencies are not 1, ..., n (they start at 0)",
    "ReluScale": "the factor 16 / (e - s)^4 is missing",
    "ReluSquare": "the product of the two rectified functions is not squared",
    # the rest
    "CountBases": "parameters are counted with n_intervals coefficients instead of n_intervals + "
    "degree",
    "CountBias": "the count includes a bias for each output, which the layer does not have",
    "CountWeights": "the count omits w_base or w_spline",
    "InitLayer": "the initial layer lacks the requested sizes, the uniform grid on [-1, 1], finite "
    "numbers or some edges",
    "InitCoef": "initial coefficients do not have mean 0 and the stated standard deviation (0.1 if "
    "none is stated)",
    "InitWBase": "initial w_base does not have mean 0 and standard deviation "
    "sqrt(2 / (n_in + n_out))",
    "InitWSpline": "initial w_spline is not 1",
    "RoundTrip": "a saved layer does not load bit for bit",
    # what the contract leaves open
    "PykanConvention": "no defect: l1 and entropy differ from those of pykan 0.2, whose "
    "convention this is",
    "LeftOpen": "no defect: the contract leaves this open",
}
