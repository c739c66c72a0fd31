"""Estimators for scikit-learn, which the extra `sklearn` installs."""

from kan_ref.sklearn.base import KANBase
from kan_ref.sklearn.estimators import KANClassifier, KANRegressor
