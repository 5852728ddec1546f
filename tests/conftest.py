"""Pytest's own set-up, for all tests: plugins, and how long Hypothesis looks.

The same examples in every run; MICROINFER_FULL=1 (`make test-full`) draws many more of them.
"""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["browser", "compared", "measured", "strict_skips"]

# The tests that need a checkout of CMSIS-NN: `make verify-cmsis`.
NEED_CMSIS_NN = ["test_cmsis_nn_forms.py", "test_cmsis_nn_interface.py", "test_cmsis_nn_library.py"]
collect_ignore = [] if os.environ.get("CMSIS_NN_PATH") else NEED_CMSIS_NN

settings.register_profile("quick", max_examples=100, derandomize=True, deadline=None, database=None)
settings.register_profile("full", settings.get_profile("quick"), max_examples=3000)
settings.load_profile("full" if os.environ.get("MICROINFER_FULL") == "1" else "quick")
