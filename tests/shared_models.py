"""Real models that tests read where they are found: they are not part of the repository.

``SHARED`` is the folder ``shared/models`` beside the checkout, with the MLPerf Tiny models and
TFLM's examples. Without it the tests that need it are skipped, which is a failure where
``strict_skips.py`` says so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "models"

INT8_MODELS = (
    "mlperf_ad_int8",
    "mlperf_ic_int8",
    "mlperf_kws_int8",
    "mlperf_vww_int8",
    "tflm_hello_world_int8",
    "tflm_micro_speech_int8",
    "tflm_person_detect_int8",
)
FLOAT32_MODELS = (
    "mlperf_ad_float32",
    "mlperf_ic_float32",
    "mlperf_kws_float32",
    "mlperf_vww_float32",
    "tflm_hello_world_float32",
)


def shared_model(name: str) -> Path:
    """The path of a model by its name in the tuples above; skips the test if it is absent."""
    path = SHARED / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return path
