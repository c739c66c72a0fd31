"""Names that users of pykan, scikit-learn or PyTorch try, and what does the same here.

Three tables for three kinds of mistake: an argument, an attribute of a record, and a public name
that kan_ref does not have. docs/from_pykan.md shows whole calls.
"""

from typing import NamedTuple

NEAR = 0.7  # similarity of a name that is suggested: a slip of the keys, no other word


class Argument(NamedTuple):
    """A name `theirs` of an argument, ours, the message's words, and a function that takes ours."""

    theirs: str
    ours: str
    words: str
    function: str


_RNG = "random numbers come from rng, such as rng=numpy.random.default_rng(0)"
_PRECISION = "kan_ref computes in float64 on the processor"

# A name may stand for several of ours: the first one that the called function has is named.
ARGUMENTS = (
    # networks
    Argument("width", "widths", "write widths=(2, 5, 1)", "init_network"),
    Argument("grid", "n_intervals", "the number of grid intervals is n_intervals", "init_network"),
    Argument("grid", "grids", "the grids of a run are grids=(5, 10, 20)", "fit"),
    Argument("grid", "knots", "the extended knot vectors are knots", "Layer"),
    Argument("grid_size", "n_intervals", "the number of intervals is n_intervals", "init_network"),
    Argument("new_grid", "n_intervals", "the number of intervals is n_intervals", "extend_grid"),
    Argument("k", "degree", "the degree of the splines is degree", "init_network"),
    Argument("spline_order", "degree", "the degree of the splines is degree", "init_network"),
    Argument("grid_range", "domain", "the bounds of the inputs are domain", "init_network"),
    Argument("base_fun", "base", "write base='silu'", "init_network"),
    Argument("base_activation", "base", "write base='silu'", "init_network"),
    Argument("scale_base", "w_base", "the weights of the base function are w_base", "Layer"),
    Argument("scale_sp", "w_spline", "the weights of the splines are w_spline", "Layer"),
    Argument("seed", "rng", _RNG, "init_network"),
    Argument("random_state", "rng", _RNG, "init_network"),
    Argument("device", "", _PRECISION, ""),
    Argument("dtype", "", _PRECISION, ""),
    # samples
    Argument("n_var", "n_in", "the number of inputs is n_in", "sample"),
    Argument("normalize_input", "", "kr.scaled(data) standardizes inputs and targets", ""),
    Argument("normalize_label", "", "kr.scaled(data) standardizes inputs and targets", ""),
    Argument("train_ratio", "", "the share of test samples is test_share, of Data.split", ""),
    Argument("test_size", "", "the share of test samples is test_share, of Data.split", ""),
    Argument("train_num", "n_train", "the number of training samples is n_train", "sample"),
    Argument("test_num", "n_test", "the number of test samples is n_test", "sample"),
    Argument("ranges", "domain", "the bounds of the inputs are domain", "init_network"),
    # training
    Argument("model", "network", "write network=", "fit"),
    Argument("dataset", "data", "write data=", "fit"),
    Argument("opt", "optimizer", "write optimizer= and a name such as 'lbfgs' or 'adam'", "fit"),
    Argument("solver", "optimizer", "write optimizer= and a name such as 'lbfgs' or 'adam'", "fit"),
    Argument("steps", "n_steps", "the number of steps is n_steps", "fit"),
    Argument("epochs", "n_steps", "the number of steps is n_steps", "fit"),
    Argument("max_iter", "n_steps", "the number of steps is n_steps", "fit"),
    Argument("lr", "learning_rate", "the step length of Adam is learning_rate", "fit"),
    Argument("batch", "batch_size", "the number of samples in a batch is batch_size", "fit"),
    Argument("loss_fn", "loss", "write loss= and a name such as 'mse'", "fit"),
    Argument("lamb", "penalty_weight", "the weight of the penalty is penalty_weight", "fit"),
    Argument("lamb_l1", "l1_weight", "the weight of the L1 part is l1_weight", "fit"),
    Argument("lamb_entropy", "entropy_weight", "the entropy's weight is entropy_weight", "fit"),
    Argument("lamb_coef", "penalty", "the L1 norm of coefficients is penalty='coef'", "fit"),
    Argument("lamb_coefdiff", "smoothness_weight", "smoothness has smoothness_weight", "fit"),
    Argument("reg_metric", "penalty", "the kind of penalty is penalty", "fit"),
    Argument("update_grid", "update_grids", "write update_grids=, True or False", "fit"),
    Argument("metrics", "callback", "a function for every step is callback", "fit"),
    Argument("verbose", "progress", "write progress=, True for a bar", "fit"),
    Argument("sp_trainable", "trainable", "list 'w_spline' in trainable=, or leave it out", "fit"),
    Argument("sb_trainable", "trainable", "list 'w_base' in trainable=, or leave it out", "fit"),
    Argument("validation_fraction", "validation_share", "write validation_share=0.2", "fit"),
    Argument("early_stopping", "patience", "write validation_share=0.2, patience=20", "fit"),
    Argument("n_iter_no_change", "patience", "write validation_share=0.2, patience=20", "fit"),
    # grids, pruning
    Argument(
        "allowed",
        "tolerance",
        "a paired test on held-out samples decides; for errors without noise there is tolerance",
        "eliminate",
    ),
    Argument("grid_eps", "uniform_share", "the blending weight is uniform_share", "update_grid"),
    Argument("node_th", "threshold", "the least score of a node is threshold", "prune"),
    Argument("edge_th", "edge_threshold", "the least score of an edge is edge_threshold", "prune"),
    # symbols and drawings
    Argument("l", "layer", "write layer=0 for the first layer", "edge_curve"),
    Argument("i", "input", "write input=0 for an edge's first input", "edge_curve"),
    Argument("j", "output", "write output=0 for an edge's first output", "edge_curve"),
    Argument("fun_name", "name", "write name='sin'", "fix_symbolic"),
    Argument("lib", "functions", "write functions=('x', 'sin')", "discover"),
    Argument("lib", "names", "write names=('x', 'sin')", "auto_symbolic"),
    Argument("var", "names", "write names=('x', 'y')", "formula"),
    Argument("in_vars", "names", "write names=('x', 'y')", "draw_network"),
    Argument("out_vars", "output_names", "write output_names=('f',)", "draw_network"),
)

_SPLIT = "kan_ref.Data.split(x, y, rng=rng) makes the four arrays of x and y"

# an argument without a default -> what it is, where the name does not say it
REQUIRED = {
    "rng": _RNG,
    "x": "x are samples, such as data.x_train",
    "data": "kan_ref.Data.split(x, y, rng=rng) makes data of x and y",
    "x_test": _SPLIT,
    "y_test": _SPLIT,
    "n_intervals": "the number of grid intervals is n_intervals, such as 5",
    "degree": "the degree of the splines is degree, such as 3",
    "domain": "the bounds of the inputs are domain, such as (-1.0, 1.0), or samples of them",
}

_NO_ABSOLUTE = "a loss of absolute errors is not offered; 'mse' is the loss for numbers"
_LOSS_OF_CLASSES = "the loss for classes is 'cross_entropy', for answers 0 and 1 'logistic'"

# (argument, values that are tried, in lower case, what is offered instead)
_VALUES = (
    ("loss", ("mae", "l1", "huber"), _NO_ABSOLUTE),
    ("loss", ("rmse", "l2", "squared_error"), "write 'mse'"),
    ("loss", ("bce", "ce", "nll", "log_loss"), _LOSS_OF_CLASSES),
)
VALUES = {(name, value): words for name, values, words in _VALUES for value in values}

_MODELS = "Network MLP LAN"
_RUNS = "Run Starts Elimination"
_EDGE = "layer, output=j, input=i"

# (records, name that is tried, what to write)
ATTRIBUTES = (
    (_MODELS, "fit", "kr.fit(net, data)"),
    (_MODELS, "train", "kr.fit(net, data)"),
    (_MODELS, "predict", "net(x), or kr.predict_labels(net, x) for classes"),
    (_MODELS, "predict_proba", "kr.predict_proba(net, x)"),
    ("MLP LAN", "forward", "net(x)"),
    ("Network", "forward", "net(x), or kr.forward(net, x) for the caches too"),
    ("Network", "backward", "kr.backward(net, caches, dy)"),
    (_MODELS, "parameters", "net.theta"),
    (_MODELS, "params", "net.theta"),
    (_MODELS, "state_dict", "kr.to_pykan(net)"),
    (_MODELS, "width", "net.widths"),
    (_MODELS, "copy", "net: it never changes"),
    ("Network", "plot", "kr.draw_network(net, x)"),
    ("Network", "draw", "kr.draw_network(net, x)"),
    ("Network", "save", 'kr.save(net, "net.npz")'),
    ("Network", "saveckpt", 'kr.save(net, "net.npz")'),
    ("Network", "load", 'kr.load("net.npz")'),
    ("Network", "loadckpt", 'kr.load("net.npz")'),
    ("Network", "prune", "kr.prune(net, x)"),
    ("Network", "prune_node", "kr.remove_nodes(net, x, layer, nodes)"),
    ("Network", "prune_edge", "kr.prune(net, x, edge_threshold=0.03)"),
    ("Network", "prune_input", "kr.prune(net, x, inputs=True)"),
    ("Network", "remove_node", "kr.remove_nodes(net, x, layer, nodes)"),
    ("Network", "remove_edge", "kr.remove_edges(net, x, layer, places)"),
    ("Network", "refine", "kr.extend_grid(net, n_intervals=10)"),
    ("Network", "update_grid", "kr.update_grid(net, x)"),
    ("Network", "update_grid_from_samples", "kr.update_grid(net, x)"),
    ("Network", "feature_score", 'kr.node_scores(net, x, kind="attribution")'),
    ("Network", "node_scores", "kr.node_scores(net, x)"),
    ("Network", "edge_scores", "kr.edge_scores(net, x)"),
    ("Network", "get_act", "kr.edge_outputs(net, x)"),
    ("Network", "spline_postacts", "kr.edge_outputs(net, x)"),
    ("Network", "get_fun", f"kr.edge_curve(net, {_EDGE}, x=x)"),
    ("Network", "suggest_symbolic", f"kr.suggest_symbolic(net, x, {_EDGE})"),
    ("Network", "fix_symbolic", f'kr.fix_symbolic(net, {_EDGE}, name="sin", x=x)'),
    ("Network", "unfix_symbolic", f"kr.unfix_symbolic(net, {_EDGE})"),
    ("Network", "auto_symbolic", "kr.auto_symbolic(net, x)"),
    ("Network", "symbolic_formula", "kr.formula(net)"),
    ("Network", "formula", "kr.formula(net)"),
    ("Network", "lock", "kr.lock_edges(net, layer, places)"),
    ("Network", "unlock", "kr.unlock_edges(net, layer, places)"),
    ("Network", "act_fun", "net.layers"),
    ("Network", "grid", "net.n_intervals"),
    ("Network", "k", "net.layers[0].degree"),
    ("Layer", "grid", "layer.knots"),
    ("Layer", "k", "layer.degree"),
    ("Layer", "scale_base", "layer.w_base"),
    ("Layer", "scale_sp", "layer.w_spline"),
    ("Data", "train_input", "data.x_train"),
    ("Data", "train_label", "data.y_train"),
    ("Data", "test_input", "data.x_test"),
    ("Data", "test_label", "data.y_test"),
    ("Run", "train_loss", "run.history.train_loss"),
    ("Run", "test_loss", "run.history.test_loss"),
    ("Run", "loss", "run.history.train_loss"),
    (_RUNS, "predict", "run.network(x)"),
    (_RUNS, "theta", "run.network.theta"),
    (_RUNS, "widths", "run.network.widths"),
    (_RUNS, "layers", "run.network.layers"),
    (_RUNS, "plot", "kr.draw_network(run.network, x)"),
    (_RUNS, "save", 'kr.save(run.network, "net.npz")'),
    (_RUNS, "formula", "kr.formula(run.network)"),
    ("Discovery", "plot", "kr.draw_network(found.network, x)"),
    ("Discovery", "save", 'kr.save(found.network, "net.npz")'),
)

# public names of pykan, scikit-learn and others -> what to write
CALLS = {
    "KAN": "kr.init_network(widths, n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)",
    "MultKAN": "kr.init_network(widths, n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)",
    "KANLayer": "kr.Layer(knots, coef, w_base, w_spline, mask, degree)",
    "create_dataset": "kr.sample(f, n_in=2, domain=(-1, 1), n_train=1000, rng=rng)",
    "create_dataset_from_data": "kr.Data.split(x, y, rng=rng)",
    "train_test_split": "kr.Data.split(x, y, rng=rng)",
    "StandardScaler": "scaled, scaler = kr.scaled(data)",
    "normalize": "scaled, scaler = kr.scaled(data)",
    "train": "kr.fit(net, data)",
    "predict": "net(x), or kr.predict_labels(net, x) for classes",
    "plot": "kr.draw_network(net, x)",
    "refine": "kr.extend_grid(net, n_intervals=10)",
    "loadckpt": 'kr.load("net.npz")',
    "saveckpt": 'kr.save(net, "net.npz")',
    "symbolic_formula": "kr.formula(net)",
    "kanpiler": 'kr.from_formula(expression, names=("x", "y"))',
    "auto_swap": "kr.discover(data, rng=rng)",
    "ex_round": "kr.recognise_constants(formula, x)",
    "add_symbolic": "kr.register_function(name, f, d1, d2, d3, complexity=3)",
    "SYMBOLIC_LIB": "kr.LIBRARY",
    "fit_params": 'kr.fit_affine(x, y, "sin")',
    "B_batch": "kr.bspline.basis(x, knots, degree)",
    "coef2curve": "kr.edge_curve(net, layer, output=j, input=i, x=x)",
    "curve2coef": "kr.fit_curve(x, y, knots=knots, degree=degree)",
    "batch_jacobian": "kr.input_jacobian(net, x)",
    "batch_hessian": "kr.input_hessian(net, x)",
}
