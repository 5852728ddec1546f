"""Damaged files: ``read`` gives a Graph, BadFile or UnsupportedModel, fast and in little memory.

Seeds are the test's parameters, so that a failure names the copy: `mutants(data, seed, count)`.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter

import pytest
from mutate import mutants
from shared_models import FLOAT32_MODELS, INT8_MODELS, shared_model

from microinfer.errors import BadFile, UnsupportedModel
from microinfer.tflite import read

MODELS = INT8_MODELS + FLOAT32_MODELS
MEMORY_PER_FILE_BYTE = 10
PYTHON_ITSELF = 16384  # bytes: an exception and the first objects of a very small file
SECONDS = 1.0


def outcome(data: bytes) -> str:
    """What reading gave, by name; any other exception is the test's failure."""
    try:
        graph = read(data)
    except (BadFile, UnsupportedModel) as error:
        return type(error).__name__
    return type(graph).__name__


def check(name: str, seed: int, count: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for index, data in enumerate(mutants(shared_model(name).read_bytes(), seed, count)):
        start = time.perf_counter()
        outcomes[outcome(data)] += 1
        seconds = time.perf_counter() - start
        tracemalloc.start()
        outcome(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        where = f"copy {index} of {name} with seed {seed}"
        assert seconds < SECONDS, f"{where}: {seconds:.2f} s"
        allowed = MEMORY_PER_FILE_BYTE * len(data) + PYTHON_ITSELF
        assert peak <= allowed, f"{where}: {peak} bytes for a file of {len(data)}"
    return outcomes


@pytest.mark.parametrize("name", MODELS)
def test_damaged_copies_are_read_or_refused(name: str) -> None:
    outcomes = check(name, seed=1, count=50)
    assert outcomes["Graph"] > 0
    assert outcomes["BadFile"] > 0


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
@pytest.mark.parametrize("name", MODELS)
def test_ten_thousand_damaged_copies_are_read_or_refused(name: str, seed: int) -> None:
    """12 models x 10 seeds x 84 copies: 10080."""
    check(name, seed, count=84)
