"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CALL_ONCE: each case has all but CALL_ONCE."""

from __future__ import annotations

import recurrent

from .case import Case

ASSIGN = (
    Case(
        "a_variable_begins_at_its_zero_point",
        recurrent.queue(3, 2, (0.5, 7)),
        [[[1, 2], [3, 4], [5, 6]]],
        [[7, 7, 7, 1, 2], [7, 1, 2, 3, 4], [2, 3, 4, 5, 6]],
        "a queue that was never written holds real zeros; LiteRT refuses to read it",
        confirmed_by=("tflm",),
        invocations=3,
    ),
    Case(
        "two_handles_one_variable",
        recurrent.queue(2, 1, (0.5, 0), handles=2),
        [[[1], [2], [3]]],
        [[0, 0, 1], [0, 1, 2], [1, 2, 3]],
        "written through one handle and read through another of the same name",
        confirmed_by=("tflm",),
        invocations=3,
    ),
    Case(
        "int16",
        recurrent.queue(1, 1, (0.5, 0), type="INT16"),
        [[[-32768], [300]]],
        [[0, -32768], [-32768, 300]],
        "both bytes of each element",
        confirmed_by=("tflm",),
        invocations=2,
    ),
)
ONCE = (
    Case(
        "an_assigned_beginning",
        recurrent.queue(3, 1, (0.5, 7), first=[1, -128, 127]),
        [[[5], [6]]],
        [[1, -128, 127, 5], [-128, 127, 5, 6]],
        "what CALL_ONCE assigns stands before the first invocation, and is not assigned again",
        invocations=2,
    ),
)
