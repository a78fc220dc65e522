"""Hypothesis never times a test: kernels may have to compile first, and the machine may be busy."""

import os

from hypothesis import settings

settings.register_profile("quick", deadline=None)
settings.register_profile("wide", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("COINTRAIL_HYPOTHESIS", "quick"))
