"""Kolmogorov-Arnold networks as a scikit-learn regressor and as a classifier."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from kan_ref.sklearn.base import KANBase

Floats = NDArray[np.float64]


class KANRegressor(RegressorMixin, MultiOutputMixin, KANBase):
    """Fit a Kolmogorov-Arnold network to a table of numbers, with scikit-learn's interface.

    Inputs and targets are standardized. Parameters and attributes are those of `KANBase`.

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
        """Fit the network to samples, in seconds for some hundred of them.

        Parameters
        ----------
        X : (n_samples, n_features)
            At least two samples.
        y : (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        self : KANRegressor
        """
        options = {"multi_output": True, "y_numeric": True, "ensure_min_samples": 2}
        inputs, targets = validate_data(self, X, y, dtype=np.float64, **options)
        targets = np.asarray(targets, dtype=np.float64)
        is_flat = targets.ndim == 1
        self._fit(inputs, targets[:, None] if is_flat else targets, "mse")
        self._is_flat = is_flat
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Predict targets.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        y : (n_samples,) or (n_samples, n_outputs)
            As y in `fit`, in its units.
        """
        outputs = self._outputs(X)
        targets: Floats = self.scaler_.inverse_y(outputs)
        return targets[:, 0] if self._is_flat else targets


class KANClassifier(ClassifierMixin, KANBase):
    """Fit a Kolmogorov-Arnold network to classes, with scikit-learn's interface.

    Two classes have one output and the logistic loss, more classes one output each and the cross
    entropy. Parameters and attributes are those of `KANBase`, and `classes_` (n_classes,), in
    increasing order.

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
        """Fit the network to samples, in seconds for some hundred of them.

        Parameters
        ----------
        X : (n_samples, n_features)
            At least two samples.
        y : (n_samples,)
            At least two different classes: text, booleans, integers or whole numbers.

        Returns
        -------
        self : KANClassifier
        """
        inputs, targets = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        targets = column_or_1d(targets, warn=True)
        check_classification_targets(targets)
        classes, labels = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            one = classes.tolist()[0]
            raise ValueError(f"y has the one class {one!r}, but a classifier needs two")
        self._fit(inputs, labels, "logistic" if len(classes) == 2 else "cross_entropy")
        self.classes_ = classes
        return self

    def decision_function(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Compute logits.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        logits : (n_samples,) or (n_samples, n_classes)
            For two classes those of `classes_[1]`.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict_proba(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Compute the probability of each class.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        probabilities : (n_samples, n_classes)
            In the order of `classes_`; rows sum to 1.
        """
        z = self._outputs(X)
        if len(self.classes_) == 2:
            z = np.hstack([-z, z])
            # the sigmoid of both: 1 - p would lose the digits of a small probability
            p: Floats = np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))
            return p
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        softmax: Floats = powers / powers.sum(axis=1, keepdims=True)
        return softmax

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Predict the most probable class.

        Parameters
        ----------
        X : (n_samples, n_features)

        Returns
        -------
        y : (n_samples,)
            Entries of `classes_`.
        """
        places = self.predict_proba(X).argmax(axis=1)
        found: NDArray[Any] = self.classes_[places]
        return found
