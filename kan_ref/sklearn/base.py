"""What the regressor and the classifier have in common: settings, scaling, the fit, inspection."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import kan_ref as kr

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


class KANBase(BaseEstimator):
    """The base class of `KANRegressor` and `KANClassifier`, with what both have.

    Inputs are standardized. Cross-validation on the training samples chooses between a constant, a
    linear, an additive and a hidden architecture, and the weight of the penalty; see
    `kan_ref.cross_validate`, whose messages have its names of the settings.

    Parameters
    ----------
    hidden_layers : sequence of int
        Widths of the hidden layers of the richest architecture, each at least 1; () leaves it out.
    n_intervals, degree : int
        Number of grid intervals and degree of the splines.
    penalty_weights : sequence of float, optional
        Weights of the L1 penalty to choose from, above 0, strictly increasing.
    n_steps : int
        L-BFGS iterations with the first weight; half of them with each other one.
    n_folds : int, optional
        At least 2. None is 5 for up to 1000 samples; of more, a fifth is held out once.
    random_state : int, RandomState or None
        Draws the folds and the initial parameters.

    Attributes
    ----------
    network_ : Network
        Of standardized inputs. Its outputs are standardized targets, or logits.
    scaler_ : Scaler
        Maps inputs and targets to standardized ones, and back.
    run_ : ValidatedRun
        All candidates and the history of the last fit. There are no test samples: their errors are
        nan.
    discovery_ : Discovery
        What `kan_ref.discover` finds for the training samples in their units (logits for classes).
        It is computed when it or `formula_` is first read, in seconds to some minutes.
    formula_ : sympy.Expr, or tuple of them for several outputs
        That of `discovery_`. Its symbols are the column names if all are text, else x_1, x_2, ...
    feature_importances_ : (n_features,)
        Attribution scores of the inputs on the training samples, with sum 1; all 0 for a constant.
    n_features_in_ : int
    feature_names_in_ : (n_features,), only where all column names are text

    Notes
    -----
    Predictions clip each input to the range of the training samples, because splines decay to zero
    outside their grids. The samples are kept, for `discovery_`.
    """

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

    def _fit(self, x: Any, y: Any, loss: str) -> None:
        """Standardize, choose and train the network; y is (n, n_out), or labels (n,)."""
        headers = getattr(self, "feature_names_in_", None)
        names = None if headers is None else tuple(" ".join(name.split()) for name in headers)
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

    def _outputs(self, X: Any) -> NDArray[np.float64]:  # noqa: N803  # scikit-learn's name
        """Return the network's outputs at inputs clipped to the range of the training samples."""
        check_is_fitted(self)
        known = self._samples.x_train
        given = validate_data(self, X, dtype=np.float64, reset=False)
        x = np.clip(given, known.min(axis=0), known.max(axis=0))
        outputs: NDArray[np.float64] = self.network_(self.scaler_.transform_x(x))
        return outputs

    @property
    def discovery_(self) -> Any:
        """The formula of the training samples, with its verdict; see the class."""
        check_is_fitted(self)
        if self._discovery is None:
            rng = np.random.default_rng(self._seed)
            self._discovery = kr.discover(self._samples, loss=self._loss, rng=rng)
        return self._discovery

    @property
    def formula_(self) -> Any:
        """The formula of `discovery_`: a SymPy expression, or one for each output."""
        return self.discovery_.formula

    def draw(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the network of standardized inputs; see `kan_ref.draw_network`.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; None makes a figure.
        **options
            Of `kan_ref.draw_network`. `names` are the names of the columns by default.

        Returns
        -------
        ax : Axes
        """
        check_is_fitted(self)
        names = self._samples.names
        if names is not None:  # a dollar sign begins no formula
            options = {"names": tuple(name.replace("$", r"\$") for name in names)} | options
        axes: Axes = kr.draw_network(self.network_, self._drawn, ax=ax, **options)
        return axes
