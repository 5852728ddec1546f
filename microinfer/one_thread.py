"""BLAS on one thread while the interpreter runs: more cost far more than they bring here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import LibController, ThreadpoolController


@cache
def _libraries() -> list[LibController]:
    """The loaded BLAS libraries."""
    libraries: list[LibController] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS, and give it back its threads.

    threadpoolctl's own limit() takes three times as long: an eighth of what a small model takes.
    """
    limited = [
        (library, threads)
        for library in _libraries()
        if (threads := library.num_threads) is not None and threads > 1
    ]
    for library, _ in limited:
        library.set_num_threads(1)
    try:
        yield
    finally:
        for library, threads in limited:
            library.set_num_threads(threads)
            # threadpoolctl 3.8: only one thread of the program sets limits, until it says this.
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread()
