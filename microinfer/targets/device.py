"""A model on another core, as something that runs and traces: the Device.

Its line is a pair of functions over text; an emulator's pipes and a serial port look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..batch import split_batch
from ..emit.selftest import known_inputs
from ..errors import BadInput
from ..graph import Graph
from ..prepare import PreparedLayer
from ..state import states
from ..trace import Trace
from . import protocol

Array = NDArray[Any]


class Device:
    """The generated C behind a line: takes and gives what ``Interpreter.trace`` does.

    ``send`` writes text to the device, ``lines`` are what it says. Raises BadInput if another
    model than ``graph`` answers. One that does not listen has run its ``known_inputs`` once, and
    traces nothing else.
    """

    def __init__(
        self,
        graph: Graph,
        layers: tuple[PreparedLayer, ...],
        numerics: str,
        send: Callable[[str], None],
        lines: Iterator[str],
    ) -> None:
        self.graph = graph
        self.layers = layers
        self._send = send
        self._lines = lines
        send("\nhello\n")  # the empty line ends what may be half said
        self.greeting = protocol.greeting(lines)
        for what, got, expected in (
            ("the model with SHA-256", self.greeting.sha256, graph.sha256 or "-"),
            ("the profile", self.greeting.numerics, numerics),
            ("layers:", self.greeting.layers, len(graph.nodes)),
        ):
            if got != expected:
                raise BadInput(
                    f"the device has {what} {got}, expected {expected}: it runs"
                    f" {self.greeting.name!r}; generate the C of this model, with the same options,"
                    " and flash it"
                )
        self.numerics = numerics
        send("hello\n")
        self.listens = protocol.listens(lines)
        if self.listens:
            self.reset()

    def reset(self) -> None:
        """Give every state its first value; of a model without state, nothing."""
        if states(self.graph):
            self._send("reset\n")
            protocol.done(self._lines)

    def trace(self, *inputs: Array) -> Trace:
        """Every layer's outputs, sample after sample."""
        batch = split_batch(self.graph, inputs)
        dumps = []
        if not self.listens:
            known = split_batch(self.graph, known_inputs(self.graph)).arrays
            if not all(map(np.array_equal, batch.arrays, known)):
                raise BadInput(
                    "the device has no mi_get: it runs its known input, and takes no other"
                )
        for sample in range(batch.samples):
            if self.listens:
                self._send(protocol.run_command([array[sample] for array in batch.arrays]))
            dumps.append(np.frombuffer(protocol.read_run(self._lines, self.graph), np.uint8))
        params = [layer.params for layer in self.layers]
        return Trace.from_samples(self.graph, batch, np.stack(dumps), self.numerics, params)
