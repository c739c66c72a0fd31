"""Estimators for scikit-learn, which the extra `sklearn` installs."""

from kan_ref.sklearn.base import KANBase as KANBase
from kan_ref.sklearn.estimators import KANClassifier as KANClassifier
from kan_ref.sklearn.estimators import KANRegressor as KANRegressor
