"""No setting or tag of the person at the keyboard gets into a test, and Hypothesis never times one.

Kernels may have to compile first, and the machine may be busy.
"""

import os
import tempfile

from hypothesis import settings

for name in ("COINTRAIL_CONFIG", "COINTRAIL_LEDGER", "COINTRAIL_DATABASE"):
    os.environ.pop(name, None)
_home = tempfile.TemporaryDirectory(prefix="cointrail-test-home-")
os.environ["COINTRAIL_HOME"] = _home.name

settings.register_profile("quick", deadline=None)
settings.register_profile("wide", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("COINTRAIL_HYPOTHESIS", "quick"))
