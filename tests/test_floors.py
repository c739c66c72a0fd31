"""The floor plan of kan_ref, and a checker that reads every import: they only go down, and below the roof NumPy is enough.

A module may import any module of a lower floor. On its own floor it may import what SIDEWAYS names, with the reason. An
exception of any kind needs a line in one of the tables below.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kan_ref"

FLOORS = {
    0: ("checks",),
    1: (
        "knots",
        "knot_insertion",
        "live_bspline",
        "bspline",
        "base_function",
        "activation",
        "jet_kind",
        "function_values",
        "function_record",
        "functions",
        "targets",
        "optimizers",
        "optimizers.result",
        "optimizers.row_sparse",
        "optimizers.cholesky",
        "optimizers.line_search",
        "optimizers.adam",
        "optimizers.lbfgs",
        "optimizers.bfgs",
        "optimizers.levenberg_marquardt",
    ),
    2: (
        "curve_fit",
        "contraction",
        "symbolic_edge",
        "layer_record",
        "layer",
        "jet_layer",
        "affine_gauge",
        "affine_chart",
        "affine_start",
        "affine_search",
        "affine_fit",
        "affine_rank",
    ),
    3: ("network", "editing", "initialization", "scores", "inspection", "paths", "baselines", "lan", "lan_grids"),
    4: (
        "losses",
        "penalties",
        "smoothness",
        "jets",
        "mlp_jets",
        "jacobian",
        "families",
        "input_derivatives",
        "user_residual",
        "residual_terms",
        "equations",
        "problem",
        "objective",
        "gradient_check",
    ),
    5: (
        "refinement",
        "constant_folding",
        "subnetwork",
        "pruning",
        "symbolic",
        "canonical",
        "run_record",
        "solvers",
        "training",
        "starts",
        "smooth_fit",
    ),
    6: (
        "diagram_text",
        "diagram_plan",
        "diagram_curves",
        "diagram",
        "drawing",
        "formula_values",
        "expression",
        "recognition",
        "plain_form",
        "storage",
        "interop",
        "states",
        "states_pykan",
        "states_efficient_kan",
        "states_jaxkan",
        "c_source",
    ),
    7: (
        "structure",
        "simplification",
        "elimination",
        "formula_search",
        "discovery",
        "__main__",
        "conformance",
        "conformance.cases",
        "conformance.plain_layer",
        "conformance.round_trip",
        "conformance.invariants",
        "conformance.judge",
        "conformance.wire",
        "conformance.subjects",
        "conformance.nature",
        "conformance.serve",
        "conformance.suite",
        "conformance.report",
        "conformance.adapters",
        "conformance.adapters.axes",
        "conformance.adapters.reference",
        "conformance.adapters.scipy_splines",
        "conformance.adapters.torch_layers",
        "conformance.adapters.pykan",
        "conformance.adapters.efficient_kan",
        "conformance.adapters.ikan",
        "conformance.adapters.convkan",
        "conformance.adapters.convkan3d",
        "conformance.adapters.deep_kan",
        "conformance.adapters.inkan",
        "conformance.adapters.flashkan",
        "conformance.adapters.keras_efficient_kan",
        "conformance.adapters.jaxkan",
        "conformance.adapters.catalogue",
        "conformance.adapters.known_defects",
        "conformance.cards_page",
        "conformance.cards",
        "conformance.generate",
        "conformance.generate.notes",
        "conformance.generate.exact",
        "conformance.generate.backward",
        "conformance.generate.encode",
        "conformance.generate.schemas",
        "conformance.generate.topics_bases",
        "conformance.generate.topics_layers",
        "conformance.generate.topics_gradients",
        "conformance.generate.topics_networks",
        "conformance.generate.topics_grids",
        "conformance.generate.topics_penalties",
        "conformance.generate.topics_pruning",
        "conformance.generate.topics_rest",
        "conformance.generate.__main__",
        "conformance.__main__",
    ),
}
FLOOR_OF = {module: floor for floor, modules in FLOORS.items() for module in modules}

# (importer, imported) on the same floor -> why
SIDEWAYS = {
    ("bspline", "knots"): "bases stand on checked knot rows",
    ("bspline", "live_bspline"): "all bases are the live ones in their places",
    ("knot_insertion", "knots"): "it turns one knot row into another",
    ("optimizers.line_search", "optimizers.result"): "a search reports like the methods it serves",
    ("optimizers.adam", "optimizers.result"): "one record for what every method returns",
    ("optimizers.lbfgs", "optimizers.result"): "one record for what every method returns",
    ("optimizers.bfgs", "optimizers.result"): "one record for what every method returns",
    ("optimizers.levenberg_marquardt", "optimizers.result"): "one record for what every method returns",
    ("optimizers.lbfgs", "optimizers.line_search"): "a quasi-Newton direction needs a step length",
    ("optimizers.bfgs", "optimizers.line_search"): "a quasi-Newton direction needs a step length",
    ("optimizers.levenberg_marquardt", "optimizers.row_sparse"): "Jacobians of splines have few live columns in a row",
    ("optimizers.levenberg_marquardt", "optimizers.cholesky"): "it solves the damped normal equations",
    ("activation", "base_function"): "silu is both",
    ("jet_layer", "layer"): "the jet of a layer is the layer on more rows",
    ("jet_layer", "layer_record"): "it computes what the record describes",
    ("jet_layer", "contraction"): "the jet of a layer is the layer on more rows",
    ("jet_layer", "symbolic_edge"): "a layer's edges are splines or formulas",
    ("layer", "contraction"): "a layer is a contraction of coefficients with bases",
    ("layer", "symbolic_edge"): "a layer's edges are splines or formulas",
    ("layer_record", "symbolic_edge"): "a layer's edges are splines or formulas",
    ("layer", "layer_record"): "it computes what the record describes",
    ("editing", "network"): "it changes one",
    ("inspection", "editing"): "an edge is named the same way, whether looked at or changed",
    ("inspection", "network"): "it looks into one",
    ("scores", "network"): "it judges the edges of one",
    ("paths", "network"): "it follows the edges of one",
    ("functions", "function_record"): "the library holds records",
    ("functions", "function_values"): "the library is made of these values",
    ("affine_start", "affine_chart"): "starts are points of the chart",
    ("affine_fit", "affine_chart"): "it searches in the chart",
    ("affine_fit", "affine_search"): "the search finds the inner parameters",
    ("affine_search", "affine_start"): "a search begins somewhere",
    ("affine_search", "affine_chart"): "it searches in the chart",
    ("affine_rank", "affine_start"): "free parameters are priced",
    ("affine_fit", "affine_gauge"): "a fit is told in its normal form",
    ("affine_fit", "affine_start"): "a search begins somewhere",
    ("affine_rank", "affine_fit"): "what is ranked are fits",
    ("affine_rank", "affine_chart"): "free parameters are priced",
    ("subnetwork", "constant_folding"): "what is left out leaves its mean",
    ("pruning", "subnetwork"): "pruning chooses, the subnetwork is cut there",
    ("diagram_plan", "diagram_text"): "names need room",
    ("diagram", "diagram_text"): "a diagram has names",
    ("diagram", "diagram_plan"): "a diagram is a plan with curves",
    ("diagram", "diagram_curves"): "a diagram is a plan with curves",
    ("drawing", "diagram"): "it paints one",
    ("drawing", "diagram_plan"): "it paints one",
    ("expression", "formula_values"): "a formula must give the network's values",
    ("recognition", "formula_values"): "exact constants may not change values",
    ("simplification", "structure"): "structures are judged by one rule",
    ("elimination", "structure"): "structures are judged by one rule",
    ("elimination", "simplification"): "elimination ends with it",
    ("discovery", "structure"): "it reports trials",
    ("discovery", "elimination"): "a step of it",
    ("discovery", "formula_search"): "a step of it",
    ("__main__", "discovery"): "the demonstration is one",
    ("initialization", "network"): "it makes one",
    ("baselines", "initialization"): "widths are checked as for a network",
    ("lan_grids", "lan"): "it makes one",
    ("lan_grids", "baselines"): "weights are drawn as for a perceptron",
    ("lan_grids", "initialization"): "widths, domain and coefficients are as for a KAN",
    ("families", "jacobian"): "it names what each kind of model does",
    ("families", "jets"): "it names what each kind of model does",
    ("families", "mlp_jets"): "it names what each kind of model does",
    ("input_derivatives", "families"): "any kind of model has them",
    ("residual_terms", "user_residual"): "a term may be a user's own residual",
    ("equations", "user_residual"): "a term may be a user's own residual",
    ("equations", "residual_terms"): "it makes terms",
    ("problem", "residual_terms"): "a problem is a list of terms",
    ("problem", "equations"): "measurements are one more term",
    ("problem", "families"): "any kind of model may solve it",
    ("objective", "problem"): "equations may stand for the loss",
    ("objective", "families"): "it trains any of them",
    ("objective", "smoothness"): "the objective is loss plus penalties",
    ("objective", "losses"): "the objective is loss plus penalties",
    ("objective", "penalties"): "the objective is loss plus penalties",
    ("objective", "jacobian"): "its residual form has one",
    ("gradient_check", "objective"): "it judges the gradient of the objective",
    ("gradient_check", "jacobian"): "it judges the per-sample Jacobian",
    ("training", "solvers"): "training calls an optimizer by name",
    ("training", "refinement"): "training changes grids on its way",
    ("training", "run_record"): "training writes down what it did",
    ("training", "pruning"): "training may follow a simplification",
    ("training", "symbolic"): "training may follow a simplification",
    ("storage", "plain_form"): "files hold plain data",
    ("states_pykan", "states"): "one way to read and write others' arrays",
    ("states_efficient_kan", "states"): "one way to read and write others' arrays",
    ("states_jaxkan", "states"): "one way to read and write others' arrays",
    ("conformance", "conformance.suite"): "its door runs cases",
    ("conformance", "conformance.subjects"): "its door runs cases",
    ("conformance", "conformance.cases"): "its door runs cases",
    ("conformance.invariants", "conformance.round_trip"): "one door for all checkers",
    ("conformance.judge", "conformance.cases"): "it judges answers to cases",
    ("conformance.judge", "conformance.plain_layer"): "layers that come back are looked at by their values",
    ("conformance.subjects", "conformance.cases"): "a subject is asked cases",
    ("conformance.subjects", "conformance.wire"): "a program is asked in JSON lines",
    ("conformance.serve", "conformance.wire"): "it answers in JSON lines",
    ("conformance.serve", "conformance.cases"): "it knows the order of arguments",
    ("conformance.suite", "conformance.cases"): "a run goes through cases",
    ("conformance.suite", "conformance.subjects"): "a run asks a subject",
    ("conformance.suite", "conformance.judge"): "a run judges answers",
    ("conformance.nature", "conformance.cases"): "it asks one case in other ways",
    ("conformance.nature", "conformance.subjects"): "it asks a subject",
    ("conformance.suite", "conformance.nature"): "a run asks failing subjects what they are",
    ("conformance.report", "conformance.suite"): "it writes down a run",
    ("conformance.report", "conformance.cases"): "it goes by topic",
    ("conformance.__main__", "conformance.suite"): "the program is a run",
    ("conformance.__main__", "conformance.subjects"): "the program is a run",
    ("conformance.__main__", "conformance.report"): "the program is a run",
    ("conformance.__main__", "conformance.cases"): "the program is a run",
    ("conformance.adapters.torch_layers", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.pykan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.pykan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.efficient_kan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.efficient_kan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.convkan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.convkan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.deep_kan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.deep_kan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.inkan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.inkan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.flashkan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.flashkan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.keras_efficient_kan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.keras_efficient_kan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.jaxkan", "conformance.adapters.axes"): "arrays in others' shapes",
    ("conformance.adapters.jaxkan", "conformance.adapters.torch_layers"): "what adapters have in common",
    ("conformance.adapters.ikan", "conformance.adapters.efficient_kan"): "the same layout",
    ("conformance.adapters.convkan", "conformance.adapters.efficient_kan"): "the same layout",
    ("conformance.adapters.convkan3d", "conformance.adapters.efficient_kan"): "the same layout",
    ("conformance.cards_page", "conformance.adapters.catalogue"): "a section for each entry",
    ("conformance.cards_page", "conformance.adapters.known_defects"): "a table of them",
    ("conformance.cards_page", "conformance.cases"): "a row for each topic",
    ("conformance.cards_page", "conformance.suite"): "flags are explained",
    ("conformance.cards", "conformance.adapters.catalogue"): "it measures the entries",
    ("conformance.cards", "conformance.suite"): "a card is a run",
    ("conformance.cards", "conformance.subjects"): "each entry in a process of its own",
    ("conformance.cards", "conformance.cards_page"): "it draws the page",
    ("conformance.__main__", "conformance.cards"): "`report` is its first word",
    ("conformance.generate.backward", "conformance.generate.exact"): "gradients are of what forward computes",
    ("conformance.generate.encode", "conformance.generate.exact"): "it rounds exact numbers",
    ("conformance.generate.encode", "conformance.generate.notes"): "flags are explained",
    ("conformance.generate.schemas", "conformance.generate.encode"): "it describes what is written",
    ("conformance.generate.topics_bases", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_bases", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_layers", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_layers", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_layers", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_networks", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_networks", "conformance.generate.backward"): "cases are exact",
    ("conformance.generate.topics_networks", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_networks", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_networks", "conformance.generate.topics_gradients"): "gradients are written in one way",
    ("conformance.generate.__main__", "conformance.generate.topics_gradients"): "it makes all files",
    ("conformance.generate.topics_gradients", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_gradients", "conformance.generate.backward"): "cases are exact",
    ("conformance.generate.topics_gradients", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_gradients", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_gradients", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_networks", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_grids", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_grids", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_grids", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_grids", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_penalties", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_penalties", "conformance.generate.backward"): "cases are exact",
    ("conformance.generate.topics_penalties", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_penalties", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_penalties", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_penalties", "conformance.generate.topics_networks"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_pruning", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_pruning", "conformance.generate.backward"): "cases are exact",
    ("conformance.generate.topics_pruning", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_pruning", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_pruning", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_pruning", "conformance.generate.topics_networks"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_pruning", "conformance.generate.topics_penalties"): "what is pruned is told by scores",
    ("conformance.generate.topics_rest", "conformance.generate.exact"): "cases are exact",
    ("conformance.generate.topics_rest", "conformance.generate.encode"): "cases are written",
    ("conformance.generate.topics_rest", "conformance.generate.topics_bases"): "one way to make rows, layers and networks",
    ("conformance.generate.topics_rest", "conformance.generate.topics_layers"): "one way to make rows, layers and networks",
    ("conformance.generate.__main__", "conformance.generate.encode"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.schemas"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_bases"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_layers"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_networks"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_grids"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_penalties"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_pruning"): "it makes all files",
    ("conformance.generate.__main__", "conformance.generate.topics_rest"): "it makes all files",
    ("starts", "training"): "a start is a short training",
    ("smooth_fit", "training"): "it trains with one weight after another",
    ("smooth_fit", "refinement"): "each grid begins with a refined network",
    ("smooth_fit", "run_record"): "it takes the data that training takes",
    ("starts", "run_record"): "it takes the data that training takes",
}

# (module, third-party package) -> why; besides NumPy, and only inside functions (but for programs), so that importing a
# module stays cheap
THIRD_PARTY = {
    ("targets", "scipy"): "special functions as data",
    ("run_record", "tqdm"): "progress=True",
    ("drawing", "matplotlib"): "it draws",
    ("discovery", "tqdm"): "progress=True",
    ("formula_values", "sympy"): "it evaluates formulas",
    ("recognition", "sympy"): "it writes exact numbers",
    ("expression", "sympy"): "it makes formulas",
    ("interop", "scipy"): "it converts SciPy's splines",
    ("conformance", "pytest"): "cases for adopters' own tests",
    ("conformance.adapters.scipy_splines", "scipy"): "SciPy is the subject",
    ("conformance.adapters.torch_layers", "torch"): "what adapters have in common",
    ("conformance.adapters.pykan", "kan"): "its subject",
    ("conformance.adapters.ikan", "ikan"): "its subject",
    ("conformance.adapters.convkan", "convkan"): "its subject",
    ("conformance.adapters.convkan3d", "ConvKAN3D"): "its subject",
    ("conformance.adapters.deep_kan", "deepkan"): "its subject",
    ("conformance.adapters.deep_kan", "torch"): "what its subject runs on",
    ("conformance.adapters.inkan", "inkan"): "its subject",
    ("conformance.adapters.flashkan", "flashkan"): "its subject",
    ("conformance.adapters.flashkan", "torch"): "what its subject runs on",
    ("conformance.adapters.keras_efficient_kan", "keras"): "what its subject runs on",
    ("conformance.adapters.keras_efficient_kan", "keras_efficient_kan"): "its subject",
    ("conformance.adapters.jaxkan", "jax"): "what its subject runs on",
    ("conformance.adapters.jaxkan", "flax"): "what its subject runs on",
    ("conformance.adapters.jaxkan", "jaxkan"): "its subject",
    ("conformance.cards", "tqdm"): "it shows how far it is",
    ("conformance.generate.exact", "mpmath"): "60 digits, for the generator alone",
    ("conformance.__main__", "tqdm"): "it shows how far it is",
    ("__main__", "matplotlib"): "the demonstration draws its way",
    ("__main__", "sympy"): "the demonstration prints a formula",
    ("__main__", "tqdm"): "the demonstration shows how far it is",
}

PROGRAMS = {  # they print, and nobody but a program imports them
    "__main__": "the demonstration",
    "conformance.__main__": "the runner of the conformance kit",
    "conformance.cards": "its `report`",
    "conformance.generate.__main__": "the generator of its vectors",
    "conformance.serve": "an adapter behind JSON lines",
}
DYNAMIC = {"__init__": "public names load their modules", "conformance.serve": "adapters are named on the command line"}
ROOF = "__init__"  # hands out public names lazily; every other module must live without it, except on the top floor
MOST_LINES = 300


@dataclass(frozen=True)
class Import:
    """One imported module: dotted name, and where the statement stands."""

    module: str
    line: int
    in_function: bool
    for_types: bool


def imports(source, package):
    """All imports of a source text that is a module of `package`, also those inside functions and dynamic ones."""
    found = []

    def visit(node, *, in_function, for_types):
        def add(module):
            found.append(Import(module, node.lineno, in_function, for_types))

        if isinstance(node, ast.Import):
            for alias in node.names:
                add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                add(f"{origin}.{alias.name}" if _is_module(f"{origin}.{alias.name}") else origin)
        elif isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__"):
            add("<dynamic>")
        elif isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
            for child in node.body:
                visit(child, in_function=in_function, for_types=True)
            for child in node.orelse:
                visit(child, in_function=in_function, for_types=for_types)
            return
        deeper = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, in_function=deeper, for_types=for_types)

    visit(ast.parse(source), in_function=False, for_types=False)
    return found


def _last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def _is_module(dotted):
    """Whether a dotted name under kan_ref is a module, planned or present (and not a name inside one)."""
    name = dotted.removeprefix("kan_ref.")
    file = PACKAGE.joinpath(*name.split("."))
    return dotted.startswith("kan_ref.") and (name in FLOOR_OF or file.with_suffix(".py").exists() or (file / "__init__.py").exists())


def faults(module, source, *, is_package=False):
    """Sentences on what is wrong with the module kan_ref.<module> that has this source text; empty if nothing is."""
    package = ".".join(["kan_ref", *module.split(".")][: None if is_package else -1])
    if module != ROOF and module not in FLOOR_OF:
        return [f"{module} has no place in the plan"]
    found = []
    for item in imports(source, "kan_ref" if module == ROOF else package):
        where = f"{module}, line {item.line}:"
        top = item.module.split(".")[0]
        if item.module == "<dynamic>":
            problem = None if module in DYNAMIC else "a dynamic import hides what is imported"
        elif top == "kan_ref":
            problem = _internal_fault(module, item)
        else:
            problem = _external_fault(module, top, item)
        if problem:
            found.append(f"{where} {problem}")
    found += [f"{module}, line {line}: {what} outside {', '.join(PROGRAMS)}" for line, what in _outputs(source) if module not in PROGRAMS]
    lines = len(source.splitlines())
    if lines > MOST_LINES:
        found.append(f"{module} has {lines} lines, more than {MOST_LINES}")
    return found


def _internal_fault(module, item):
    other = item.module.removeprefix("kan_ref").removeprefix(".") or ROOF
    if module == ROOF:
        return None if item.for_types else f"the roof imports {other} for more than types"
    floor = FLOOR_OF[module]
    if other == ROOF:
        return None if floor == max(FLOORS) else f"floor {floor} imports the roof"
    if other not in FLOOR_OF:
        return f"imports {other}, which has no place in the plan"
    if FLOOR_OF[other] > floor:
        return f"floor {floor} imports {other} up on floor {FLOOR_OF[other]}"
    if FLOOR_OF[other] == floor and (module, other) not in SIDEWAYS:
        return f"imports {other} sideways on floor {floor}"
    return None


def _external_fault(module, top, item):
    if top in sys.stdlib_module_names or (top == "numpy" and module != ROOF):
        return None
    if (module, top) not in THIRD_PARTY:
        return f"imports {top}, but {module} has NumPy and the standard library" if module != ROOF else f"the roof imports {top}"
    if item.in_function or item.for_types or module in PROGRAMS:
        return None
    return f"imports {top} on loading, not where it is used"


def _outputs(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print"
        elif isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and _last_name(node.value) == "sys":
            yield node.lineno, f"sys.{node.attr}"


def modules():
    """(name, path) of every module of the package as it is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), path


# --- the house as it stands


@pytest.mark.parametrize(("module", "path"), [pytest.param(*found, id=found[0]) for found in modules()])
def test_imports_go_down_only_and_nothing_but_numpy_is_needed(module, path):
    assert faults(module, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py") == []


def test_every_exception_on_a_floor_joins_two_of_its_modules():
    assert {pair: (FLOOR_OF.get(pair[0]), FLOOR_OF.get(pair[1])) for pair in SIDEWAYS if FLOOR_OF[pair[0]] != FLOOR_OF[pair[1]]} == {}


def test_exceptions_on_a_floor_never_close_a_circle():
    left = set(SIDEWAYS)
    while left:
        free = {pair for pair in left if not any(importer == pair[1] for importer, _ in left)}
        assert free, f"a circle among {sorted(left)}"
        left -= free


def test_every_exception_has_a_reason_and_a_module_of_the_plan():
    for table in (SIDEWAYS, THIRD_PARTY):
        assert all(reason and key[0] in FLOOR_OF for key, reason in table.items())


def test_no_module_stands_on_two_floors():
    assert sum(map(len, FLOORS.values())) == len(FLOOR_OF)


# --- the checker can fail


@pytest.mark.parametrize(
    ("module", "source", "sentence"),
    [
        ("layer", "from kan_ref.network import Network", "layer, line 1: floor 2 imports network up on floor 3"),
        ("layer", "import kan_ref.network as upstairs", "floor 2 imports network up on floor 3"),
        ("layer", "from kan_ref import network", "floor 2 imports network up on floor 3"),
        ("layer", "from . import network", "floor 2 imports network up on floor 3"),
        ("layer", "from .network import Network", "floor 2 imports network up on floor 3"),
        ("layer", "def f():\n    from kan_ref import training", "layer, line 2: floor 2 imports training up on floor 5"),
        ("layer", "class A:\n    async def f(self):\n        import kan_ref.training", "line 3: floor 2 imports training up"),
        ("layer", "try:\n    import os\nexcept ImportError:\n    from kan_ref import fit", "line 4: floor 2 imports the roof"),
        ("layer", "if TYPE_CHECKING:\n    from kan_ref.network import Network", "floor 2 imports network up on floor 3"),
        ("checks", "from kan_ref.knots import uniform_knots", "floor 0 imports knots up on floor 1"),
        ("optimizers.lbfgs", "from ..layer import Layer", "floor 1 imports layer up on floor 2"),
        ("optimizers.lbfgs", "from .adam import adam", "imports optimizers.adam sideways on floor 1"),
        ("optimizers.lbfgs", "from . import adam", "imports optimizers.adam sideways on floor 1"),
        ("optimizers.line_search", "from kan_ref.optimizers import lbfgs", "imports optimizers.lbfgs sideways on floor 1"),
        ("optimizers.result", "from kan_ref.bspline import basis", "imports bspline sideways on floor 1"),
        ("knots", "from kan_ref.bspline import basis", "imports bspline sideways on floor 1"),
        ("network", "from kan_ref.inspection import distance", "imports inspection sideways on floor 3"),
        ("training", "from kan_ref.starts import best_start", "imports starts sideways on floor 5"),
        ("training", "import kan_ref", "floor 5 imports the roof"),
        ("training", "from kan_ref import fit", "floor 5 imports the roof"),
        ("training", "from kan_ref.cellar import wine", "imports cellar, which has no place in the plan"),
        ("training", "import kan_ref.cellar", "imports cellar, which has no place in the plan"),
        ("cellar", "import numpy", "cellar has no place in the plan"),
        ("network", "import torch", "imports torch, but network has NumPy and the standard library"),
        ("network", "from scipy.special import j0", "imports scipy, but network has NumPy"),
        ("network", "def f():\n    import matplotlib.pyplot", "line 2: imports matplotlib, but network has NumPy"),
        ("network", "from oracles import slow_layer", "imports oracles, but network has NumPy"),
        ("drawing", "def f():\n    import sympy", "imports sympy, but drawing has NumPy"),
        ("targets", "from scipy.special import j0", "imports scipy on loading, not where it is used"),
        ("run_record", "from tqdm import tqdm", "imports tqdm on loading, not where it is used"),
        ("network", "import importlib\nimportlib.import_module('kan_ref.training')", "line 2: a dynamic import hides"),
        ("network", "__import__('torch')", "a dynamic import hides what is imported"),
        ("__init__", "from kan_ref.layer import Layer", "the roof imports layer for more than types"),
        ("__init__", "import numpy", "the roof imports numpy"),
        ("network", "def f():\n    print(1)", "network, line 2: print outside __main__"),
        ("network", "import sys\nsys.stdout.write('1')", "network, line 2: sys.stdout outside __main__"),
        ("network", "\n" * 301, "network has 301 lines, more than 300"),
    ],
)
def test_a_planted_fault_is_found(module, source, sentence):
    found = faults(module, source)

    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("layer", "import numpy as np\nfrom numpy.typing import NDArray\nimport dataclasses, collections.abc"),
        ("layer", "from kan_ref.checks import FloatArray\nfrom kan_ref import bspline, contraction"),
        ("optimizers.lbfgs", "from .line_search import search\nfrom ..checks import number\nfrom kan_ref.optimizers.result import Result"),
        ("targets", "def f():\n    from scipy.special import j0"),
        ("drawing", "if TYPE_CHECKING:\n    from matplotlib.axes import Axes"),
        ("run_record", "def f():\n    from tqdm import tqdm"),
        ("__main__", "import kan_ref as kr\nfrom kan_ref import fit\nprint(kr.__version__)\nimport tqdm"),
        ("__init__", "import importlib\nif TYPE_CHECKING:\n    from kan_ref.training import fit\nimportlib.import_module('x')"),
        ("network", "text = 'import torch'  # import torch\ndef f(x):\n    return x.print(text)"),
        ("network", "\n" * 300),
    ],
)
def test_what_the_plan_allows_passes(module, source):
    assert faults(module, source) == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("from . import lbfgs", "optimizers, line 1: imports optimizers.lbfgs sideways on floor 1"),
        ("from .. import network", "optimizers, line 1: floor 1 imports network up on floor 3"),
    ],
)
def test_a_package_resolves_its_relative_imports_from_itself(source, sentence):
    assert faults("optimizers", source, is_package=True) == [sentence]
