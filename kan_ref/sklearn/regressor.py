"""A Kolmogorov-Arnold network as a scikit-learn regressor."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin

from kan_ref.checks import FloatArray
from kan_ref.sklearn.base import KANBase, document


@document
class KANRegressor(RegressorMixin, MultiOutputMixin, KANBase):
    """Fit a Kolmogorov-Arnold network to a table of numbers, with scikit-learn's interface.

    Inputs and targets are standardized. Cross-validation on the training samples chooses between a
    constant, a linear, an additive and a hidden architecture, and the weight of the penalty; see
    `kan_ref.fit_validated`.

    Parameters
    ----------
    {settings}

    Attributes
    ----------
    network_ : Network
        Of standardized inputs and targets.
    scaler_ : Scaler
        Maps inputs and targets to standardized ones, and back.
    {common}

    Examples
    --------
    >>> from kan_ref.sklearn import KANRegressor
    >>> x = np.linspace(-1.0, 1.0, 100)[:, None]
    >>> y = np.exp(x[:, 0])
    >>> model = KANRegressor(hidden_layers=(), penalty_weights=(1e-3,), random_state=0).fit(x, y)
    >>> model.score(x, y) > 0.99
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit the network to samples.

        Parameters
        ----------
        X : (n_samples, n_features)
            At least two samples.
        y : (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        self : KANRegressor

        Raises
        ------
        ValueError, TypeError
            For wrong arrays, as other estimators; for wrong settings, as `kan_ref.fit_validated`.

        Notes
        -----
        Takes seconds for some hundred samples; see the notes of `kan_ref.fit_validated`.
        """
        inputs, targets = self._read(X, y, multi_output=True, y_numeric=True, ensure_min_samples=2)
        targets = np.asarray(targets, dtype=np.float64)
        self._flat = targets.ndim == 1
        self._fit(inputs, targets[:, None] if self._flat else targets, "mse")
        return self

    def predict(self, X: ArrayLike) -> FloatArray:  # noqa: N803
        """Predict targets.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        y : (n_samples,) or (n_samples, n_outputs)
            As y in `fit`, in its units.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            For wrong arrays, as other estimators.
        """
        points = self._points(X)
        targets: FloatArray = self.scaler_.inverse_y(self.network_(points))
        return targets[:, 0] if self._flat else targets
