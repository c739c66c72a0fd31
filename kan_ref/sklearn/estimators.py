"""Kolmogorov-Arnold networks as a scikit-learn regressor and as a classifier."""

from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.sklearn.base import COMMON, KANBase

# what both docstrings say, as COMMON
SETTINGS = """\
hidden_layers : sequence of int
        Widths of the hidden layers of the richest architecture, each at least 1; () leaves it out.
    n_intervals, degree : int
        Number of grid intervals and degree of the splines.
    penalty_weights : sequence of float, optional
        Weights of the L1 penalty to choose from, above 0, strictly increasing; None takes those of
        `kan_ref.cross_validate`.
    n_steps : int
        L-BFGS iterations with the first weight, at least 1; half of them with each other one.
    n_folds : int, optional
        At least 2. None is 5 for up to 1000 samples; of more, a fifth is held out once.
    random_state : int, RandomState or None
        Draws the folds and the initial parameters."""

Estimator = TypeVar("Estimator", bound=type)


def _document(estimator: Estimator) -> Estimator:
    """Put the parameters and attributes that both estimators have into a class docstring."""
    if estimator.__doc__ is not None:  # python -OO removes docstrings
        text = estimator.__doc__.replace("{settings}", SETTINGS)
        estimator.__doc__ = text.replace("{common}", COMMON)
    return estimator


@_document
class KANRegressor(RegressorMixin, MultiOutputMixin, KANBase):
    """Fit a Kolmogorov-Arnold network to a table of numbers, with scikit-learn's interface.

    Inputs and targets are standardized. Cross-validation on the training samples chooses between a
    constant, a linear, an additive and a hidden architecture, and the weight of the penalty; see
    `kan_ref.cross_validate`.

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
            For wrong arrays, as other estimators; for wrong settings, as `kan_ref.cross_validate`.

        Notes
        -----
        Takes seconds for some hundred samples. Data that differ in the last digit change
        predictions, single ones by more than their usual error; see the notes of
        `kan_ref.cross_validate`.
        """
        options = {"multi_output": True, "y_numeric": True, "ensure_min_samples": 2}
        with self._whole():
            inputs, targets = validate_data(self, X, y, dtype=np.float64, **options)
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


@_document
class KANClassifier(ClassifierMixin, KANBase):
    """Fit a Kolmogorov-Arnold network to classes, with scikit-learn's interface.

    Inputs are standardized. Cross-validation on the training samples chooses between a constant, a
    linear, an additive and a hidden architecture, and the weight of the penalty; see
    `kan_ref.cross_validate`. Two classes have one output and the logistic loss, more classes one
    output each and the cross entropy.

    Parameters
    ----------
    {settings}

    Attributes
    ----------
    classes_ : (n_classes,)
        In increasing order.
    network_ : Network
        Of standardized inputs; its outputs are logits.
    scaler_ : Scaler
        Maps inputs to standardized ones, and back.
    {common}

    Examples
    --------
    >>> from kan_ref.sklearn import KANClassifier
    >>> x = np.linspace(-1.0, 1.0, 60)[:, None]
    >>> y = np.where(np.abs(x[:, 0]) < 0.5, "near", "far")
    >>> model = KANClassifier(hidden_layers=(), penalty_weights=(0.03,), random_state=0).fit(x, y)
    >>> model.predict([[0.0], [0.9]]).tolist()
    ['near', 'far']
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit the network to samples.

        Parameters
        ----------
        X : (n_samples, n_features)
            At least two samples.
        y : (n_samples,)
            At least two different classes: text, booleans, integers or whole numbers.

        Returns
        -------
        self : KANClassifier

        Raises
        ------
        ValueError, TypeError
            For wrong arrays, as other estimators; for one class; for wrong settings, as
            `kan_ref.cross_validate`.

        Notes
        -----
        Takes seconds for some hundred samples. Data that differ in the last digit change
        predictions, single ones by more than their usual error; see the notes of
        `kan_ref.cross_validate`.
        """
        with self._whole():
            inputs, targets = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
            targets = column_or_1d(targets, warn=True)
            check_classification_targets(targets)
            self.classes_, labels = np.unique(targets, return_inverse=True)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y has the one class {self.classes_.tolist()[0]!r}, but a classifier needs at "
                    "least two classes"
                )
            self._fit(inputs, labels, "logistic" if len(self.classes_) == 2 else "cross_entropy")
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:  # noqa: N803
        """Compute logits.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        logits : (n_samples,) or (n_samples, n_classes)
            For two classes those of `classes_[1]`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            For wrong arrays, as other estimators.
        """
        points = self._points(X)
        outputs: FloatArray = self.network_(points)
        return outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict_proba(self, X: ArrayLike) -> FloatArray:  # noqa: N803
        """Compute the probability of each class.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        probabilities : (n_samples, n_classes)
            In the order of `classes_`; rows sum to 1.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            For wrong arrays, as other estimators.
        """
        points = self._points(X)
        if len(self.classes_) > 2:
            return kr.predict_proba(self.network_, points)
        z = self.network_(points)
        logits = np.hstack([-z, z])
        # the sigmoid of both: 1 - p would lose the digits of a small probability
        p: FloatArray = np.exp(np.minimum(logits, 0.0)) / (1.0 + np.exp(-np.abs(logits)))
        return p

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Predict the most probable class.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        y : (n_samples,)
            Entries of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            For wrong arrays, as other estimators.
        """
        places = self.predict_proba(X).argmax(axis=1)
        found: NDArray[Any] = self.classes_[places]
        return found
