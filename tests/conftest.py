"""How often Hypothesis tries, HYPOTHESIS_PROFILE=dev (10 examples, the default), ci (200) or few (3); one thread for BLAS."""

import os

from hypothesis import settings

# before NumPy is imported: pytest runs one process per core, and sums have one order
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

for profile, max_examples in {"dev": 10, "ci": 200, "few": 3}.items():
    settings.register_profile(profile, max_examples=max_examples, derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
