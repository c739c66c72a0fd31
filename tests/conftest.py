"""How often Hypothesis tries: HYPOTHESIS_PROFILE=dev (25 examples, the default) or ci (200); both derandomized."""

import os

from hypothesis import settings

settings.register_profile("dev", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=200, derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
