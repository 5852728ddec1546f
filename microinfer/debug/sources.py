"""What a model can be compared against, by the name that a user gives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BadInput
from ..graph import Graph
from ..native import compile
from ..targets import emulated, targets
from ..tflite import write
from .compare import Side
from .oracles import ORACLES, oracle
from .recorded import Recorded, read_recorded

C = "c"  # the generated C, built with this machine's compiler

SOURCES_HELP = f"a file or folder, {C}, {', '.join(ORACLES)}, or a core: {', '.join(targets())}"


def is_live(what: str) -> bool:
    """Whether ``what`` runs samples; else it is the path of what was recorded."""
    return what == C or what in ORACLES or what in targets()


@contextmanager
def side(
    what: str, graph: Graph, model: bytes | None = None, numerics: str = "tflm"
) -> Iterator[Side]:
    """The other side of a comparison with ``graph``.

    ``what`` is ``c``, a name in ORACLES, a target's name, or a path that ``observed`` reads.
    ``model`` is the file that ``graph`` was read from; None: runtimes get one that is written from
    it. ``numerics`` is the profile of generated C. Raises BadInput for anything else, and
    ToolchainError for what is not installed.
    """
    if what == C:
        yield compile(graph, numerics)
    elif what in ORACLES:
        with oracle(what, graph, write(graph) if model is None else model) as runtime:
            yield runtime
    elif what in targets():
        with emulated(graph, targets()[what], numerics) as device:
            yield device
    else:
        yield recorded(what, graph)


def recorded(what: str, graph: Graph) -> Recorded:
    """The run in the file or folder ``what``. Raises BadInput."""
    path = Path(what)
    if not path.exists():
        raise BadInput(f"no such file or folder; expected {SOURCES_HELP}")
    return read_recorded(graph, path)
