"""What one inference costs on a core: instructions, modelled cycles, flash, RAM and stack."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..emit import CMSIS_NN, OWN, Plan, plan
from ..errors import ToolchainError
from ..graph import Graph
from .binary import Instruction, disassembly, sections
from .build import build, generated
from .counting import Counted, Span, counted
from .facts import Target
from .timing import Timing, cycles, timings

NAME = "model"
MARK = f"{NAME}_clock"
# Start-up alone.
START = "int main(void);\nint main(void) { return 0; }\n"
# What the measuring program calls, with nothing in it: the model is what it takes more than this.
NOTHING = f"""
void *{NAME}_input(int index);
int {NAME}_invoke(void);
int {NAME}_reset(void);

void *{NAME}_input(int index) {{ (void)index; return 0; }}
int {NAME}_invoke(void) {{ return 0; }}
int {NAME}_reset(void) {{ return 0; }}
"""


@dataclass(frozen=True)
class Cost:
    """Of a layer, or of a whole inference. ``cycles`` is None for a core without a model."""

    instructions: int
    cycles: int | None


@dataclass(frozen=True)
class Bench:
    """One model on one target.

    code_bytes, constant_bytes   flash, less the same program without the model
    start_bytes   of start-up, which comes on top
    arena_bytes, static_bytes   RAM
    stack_bytes   of one invoke, as painting shows it
    """

    plan: Plan
    total: Cost
    layers: Sequence[Cost]
    code_bytes: int
    constant_bytes: int
    start_bytes: int
    static_bytes: int
    stack_bytes: int

    @property
    def flash_bytes(self) -> int:
        return self.code_bytes + self.constant_bytes

    @property
    def ram_bytes(self) -> int:
        return self.plan.arena_bytes + self.static_bytes + self.stack_bytes


def bench(
    graph: Graph,
    target: Target,
    numerics: str = "tflm",
    *,
    optimize: str = "",
    wait_states: int = 0,
    kernels: str = OWN,
) -> Bench:
    """Measure one inference on the formula's input.

    The whole is counted in the program as it is; the layers in a second one, with the hooks of
    NAME_PROFILE around each, whose own instructions are taken off. Raises UnsupportedModel and
    ToolchainError.
    """
    files = generated(graph, target, NAME, numerics=numerics, kernels=kernels, harness="bench")
    core = target.cmsis_nn if kernels == CMSIS_NN else "any"
    planned = plan(graph, numerics, kernels=kernels, core=core)
    timing = timings().get(target.name)
    with tempfile.TemporaryDirectory(prefix="microinfer-") as name:
        folder = Path(name)
        program = build(target, folder, files, optimize, kernels=kernels)
        run = counted(target, program, MARK)
        code = disassembly(target, program) if timing else {}
        total = _between(run, 2, code, timing, wait_states)
        sizes = _loaded(target, program)
        hooked = build(target, folder, files, optimize, [f"{NAME.upper()}_PROFILE"], kernels)
        profile = counted(target, hooked, MARK)
        code = disassembly(target, hooked) if timing else {}
        # Marks 0 and 1 measure nothing, 2 begins invoke, then come two for every layer.
        layers = [
            _between(profile, 3 + 2 * layer, code, timing, wait_states)
            for layer in range(len(planned.layers))
        ]
        around = {file: files[file] for file in (f"{NAME}.h", f"{NAME}_bench.c")}
        around["nothing.c"] = NOTHING
        without = _loaded(target, build(target, folder, around, optimize))
        start = _loaded(target, build(target, folder, {"start.c": START}, optimize))
    return Bench(
        plan=planned,
        total=total,
        layers=layers,
        code_bytes=sizes["code"] - without["code"],
        constant_bytes=sizes["constants"] - without["constants"],
        start_bytes=start["code"] + start["constants"],
        static_bytes=sizes["variables"] - without["variables"] - planned.arena_bytes,
        stack_bytes=_stack(run),
    )


def _between(
    run: Counted,
    mark: int,
    code: Mapping[int, Instruction],
    timing: Timing | None,
    wait_states: int,
) -> Cost:
    """What ran between mark ``mark`` and the next, less what two marks cost themselves."""

    def cycles_of(span: Span) -> int | None:
        return cycles(timing, code, span.counts, wait_states) if timing else span.cycles

    span, nothing = run.spans[mark + 1], run.spans[1]
    own, of_nothing = cycles_of(span), cycles_of(nothing)
    return Cost(
        max(0, span.instructions - nothing.instructions),
        None if own is None or of_nothing is None else max(0, own - of_nothing),
    )


def _loaded(target: Target, program: Path) -> dict[str, int]:
    """Bytes of code, constants and variables; initial values of variables are constants, too."""
    found = sections(target, program)

    def size(*names: str) -> int:
        return sum(found[name][0] for name in names if name in found)

    return {
        "code": size(".text"),
        "constants": size(".rodata", ".data"),
        "variables": size(".data", ".bss"),
    }


def _stack(run: Counted) -> int:
    """The number that the program printed."""
    match = re.search(r"^([0-9a-f]{8})\s*$", run.said, re.MULTILINE)
    if match is None:
        raise ToolchainError(f"the program did not print its stack, but {run.said!r}")
    return int(match[1], 16)
