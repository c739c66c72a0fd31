"""What the regressor and the classifier have in common: scaling, the fit, inspection."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import kan_ref as kr
from kan_ref import checks
from kan_ref.checks import FloatArray

try:
    from sklearn.base import BaseEstimator
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "kan_ref.sklearn needs scikit-learn 1.6 or newer: pip install 'kan_ref[sklearn]'",
        name=error.name,
    ) from error
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_DRAWN = 200  # training samples that `draw` keeps

# names in messages of kan_ref -> those of the estimators. Settings and "data" begin a message:
# inside it these words have their usual meaning, and quoted names are those of columns.
_RENAMED = {
    "hidden": "hidden_layers",
    "weights": "penalty_weights",
    "data": "X",
    "x_train": "X",
    "y_train": "y",
    "x": "X",
}
_NAMES = re.compile(
    r"^(?:hidden|weights)(?=\[| is | has )|^data(?= has )|(?<!')\b(?:x_train|y_train|x)\b(?!')"
)

# what the docstrings of both estimators say
COMMON = """\
run_ : ValidatedRun
        With all candidates, the chosen one, and the history of the last fit. There are no test
        samples: errors on them are nan, here and in `discovery_`.
    discovery_ : Discovery
        What `kan_ref.discover` finds for the training samples in their units: `.formula`, a SymPy
        expression (of logits for classes), `.verdict`, `.alternatives`, `.steps`. It is computed
        when it or `formula_` is first read, without a limit of time: in seconds to a minute for up
        to five columns, in one to three minutes for 10 to 50. It may differ from the network:
        `print(model.discovery_.verdict)` says how far the samples support it, and whether the
        search was interrupted. Then the best formula so far is kept until the next `fit`; before
        there is any formula, KeyboardInterrupt is raised.
    formula_ : sympy.Expr, or tuple of them for several outputs
        That of `discovery_`. Its symbols are the column names, if all of them are text, else x_1,
        x_2, ...; line breaks and spaces at the ends of a name are left out.
    feature_importances_ : (n_features,)
        Attribution scores of the inputs on the training samples, with sum 1; all 0 for a constant.
    n_features_in_ : int
    feature_names_in_ : (n_features,), only where all column names are text

    Notes
    -----
    Predictions clip each input to the range of the training samples, because splines decay to zero
    outside their grids: beyond the training samples, predictions are constant. A copy of the
    training samples is kept, for `discovery_`. A `fit` that fails or is interrupted leaves the
    estimator as it was. Rows of X and y belong together by their places, as in scikit-learn: row
    labels of tables are not compared."""


@contextmanager
def own_names() -> Iterator[None]:
    """Give the errors of other functions of kan_ref the names that arguments have here."""
    try:
        yield
    except (TypeError, ValueError) as error:
        message = _NAMES.sub(lambda found: _RENAMED[found[0]], str(error))
        if message == str(error):
            raise
        raise (TypeError if isinstance(error, TypeError) else ValueError)(message) from None


class KANBase(BaseEstimator):
    """The part of both estimators that does not depend on the loss; not for direct use."""

    def __init__(
        self,
        hidden_layers: Sequence[int] = (5,),
        *,
        n_intervals: int = 3,
        degree: int = 3,
        penalty_weights: Sequence[float] | None = None,
        n_steps: int = 100,
        n_folds: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden_layers = hidden_layers
        self.n_intervals = n_intervals
        self.degree = degree
        self.penalty_weights = penalty_weights
        self.n_steps = n_steps
        self.n_folds = n_folds
        self.random_state = random_state

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Restore all attributes if a fit fails or is interrupted: they are of one fit."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    @own_names()
    def _fit(self, x: FloatArray, y: Any, loss: str) -> None:
        """Standardize, choose and train the network; y is (n, n_out), or labels (n,)."""
        headers = getattr(self, "feature_names_in_", None)
        names = None if headers is None else checks.input_names(headers)
        # `discovery_` needs the samples as they are now, and the caller may change the arrays
        x, y = np.array(x), np.array(y)
        samples = kr.Data(x, y, x[:0], y[:0], names=names)
        data, scaler = kr.scaled(samples)
        if loss == "logistic":
            answers = y[:, None].astype(np.float64)
            data = replace(data, y_train=answers, y_test=answers[:0])
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        run = kr.cross_validate(
            data,
            hidden=self.hidden_layers,
            n_intervals=self.n_intervals,
            degree=self.degree,
            loss=loss,
            weights=self.penalty_weights,
            n_steps=self.n_steps,
            n_folds=self.n_folds,
            rng=np.random.default_rng(seed),
        )
        if run.interrupted:
            raise KeyboardInterrupt
        # labels of two classes become one logit in `discover` as well
        self._loss = loss if loss == "mse" else "cross_entropy"
        self._samples, self._seed = samples, seed
        self._discovery: Any = None
        places = np.linspace(0, len(x) - 1, min(len(x), N_DRAWN)).astype(int)
        self.network_, self.scaler_, self.run_ = run.network, scaler, run
        self._drawn = data.x_train[places]
        scores = kr.edge_scores(run.network, data.x_train, kind="attribution")[0].sum(axis=0)
        self.feature_importances_ = scores / (scores.sum() or 1.0)

    def _points(self, X: Any) -> FloatArray:  # noqa: N803  # scikit-learn's name
        """Return standardized inputs (n, n_features), clipped to the range of the training ones."""
        check_is_fitted(self)
        known = self._samples.x_train
        # the held-out losses are those of clipped inputs too
        given = validate_data(self, X, dtype=np.float64, reset=False)
        x = np.clip(given, known.min(axis=0), known.max(axis=0))
        points: FloatArray = self.scaler_.transform_x(x)
        return points

    @property
    def discovery_(self) -> Any:
        """The formula of the training samples, with its verdict; see the class."""
        check_is_fitted(self)
        if self._discovery is None:
            rng = np.random.default_rng(self._seed)
            with own_names():
                self._discovery = kr.discover(self._samples, loss=self._loss, rng=rng)
        return self._discovery

    @property
    def formula_(self) -> Any:
        """The formula of `discovery_`: a SymPy expression, or one for each output."""
        return self.discovery_.formula

    def draw(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the network; see `kan_ref.draw_network`.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; None makes a figure.
        **options
            Of `kan_ref.draw_network`, such as `title`. `names` are the names of the inputs in
            `formula_` by default, as text: a dollar sign begins no formula.

        Returns
        -------
        ax : Axes

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            As `kan_ref.draw_network`.

        Notes
        -----
        The curves are those of standardized inputs.
        """
        check_is_fitted(self)
        names = self._samples.names
        if names is not None:
            options = {"names": tuple(map(checks.literal, names))} | options
        axes: Axes = kr.draw_network(self.network_, self._drawn, ax=ax, **options)
        return axes
