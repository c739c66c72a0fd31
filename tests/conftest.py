"""How often Hypothesis tries, HYPOTHESIS_PROFILE=dev (10 examples, the default), ci (200) or few (3), all the same in every run;
explore: 500 that are different in each run. One thread for BLAS.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

# before NumPy is imported: pytest runs one process per core, and sums have one order
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
for profile, max_examples in {"dev": 10, "ci": 200, "few": 3}.items():
    settings.register_profile(profile, max_examples=max_examples, derandomize=True, deadline=None)
settings.register_profile(
    "explore",
    max_examples=500,
    derandomize=False,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if PROFILE == "explore":
        import exploring

        exploring.begin(config)
