"""From a Plan to files: the templates of codegen/ and the kernels of runtime_c/."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from .._resources import kernel_header, template_dir
from ..errors import BadInput
from ..graph import Graph, Rewrite
from .arena import ALIGNMENT
from .cmsis_nn import ANY
from .names import check_name, comment
from .plan import OWN, Plan, plan
from .selftest import Selftest, selftest
from .view import (
    PortView,
    caller_notes,
    layer_view,
    library_lines,
    operand_arrays,
    ports,
    state_views,
)
from .write import seal

RUNTIME_VERSION = 1  # of the params structs; mi_runtime.h has the same number


@dataclass(frozen=True)
class Choices:
    """What a user can ask of the generated code.

    arena        "static": one static array; "caller": passed to every function, so re-entrant
    single_file  kernels inside the .c instead of mi_*.h beside it
    optimize     "speed": kernels inline, constants fold; "size": one shared copy of each kernel
    stored_selftest  the self-test runs a sample of the user's
    rewrites     what passes changed of the file's graph, as it was asked for before
    harness      "uart": <name>_harness.c, the model behind a serial line; "bench":
                 <name>_bench.c, one inference that an emulator counts; "none"
    kernels      "own"; "cmsis-nn": calls of CMSIS-NN where it has the layer
    core         that CMSIS-NN is for: "plain", "dsp", "mve" or "any"
    """

    name: str
    numerics: str
    source: str
    arena: Literal["static", "caller"]
    single_file: bool
    optimize: Literal["speed", "size"]
    stored_selftest: bool
    harness: Literal["none", "uart", "bench"]
    kernels: str
    core: str
    rewrites: tuple[Rewrite, ...] = ()

    @property
    def command(self) -> str:
        """The command line that makes the same files again."""
        words = ["microinfer codegen", self.source, f"--name {self.name}"]
        words += [rewrite.option for rewrite in self.rewrites]
        if self.numerics != "tflm":
            words.append(f"--numerics {self.numerics}")
        if self.arena != "static":
            words.append(f"--arena {self.arena}")
        if self.optimize != "speed":
            words.append(f"--optimize {self.optimize}")
        if self.single_file:
            words.append("--single-file")
        if self.kernels != OWN:
            words.append(f"--kernels {self.kernels}")
        if self.core != ANY:
            words.append(f"--core {self.core}")
        if self.harness != "none":
            words.append(f"--harness {self.harness}")
        if self.stored_selftest:
            words.append("--selftest-input SAMPLE")
        return " ".join(words)


def generate(
    graph: Graph,
    name: str,
    *,
    numerics: str = "tflm",
    arena: Literal["static", "caller"] = "static",
    single_file: bool = False,
    optimize: Literal["speed", "size"] = "speed",
    harness: Literal["none", "uart", "bench"] = "none",
    selftest_input: Sequence[NDArray[Any]] | None = None,
    source: str = "MODEL",
    kernels: str = OWN,
    core: str = ANY,
) -> dict[str, str]:
    """The C files of a model, by file name; nothing is written to disk.

    ``name`` begins every file and every symbol. ``source`` is the model's file name, printed in
    the files' heads. ``selftest_input`` is one sample per model input that the self-test stores;
    without it the self-test computes its input from a formula. ``kernels`` and ``core`` are those
    of ``plan``. The same arguments give the same bytes, on any machine.

    Raises UnsupportedModel, and BadInput for a name or a sample that does not fit.
    """
    choices = Choices(
        check_name(name),
        numerics,
        comment(source),
        arena,
        single_file,
        optimize,
        stored_selftest=selftest_input is not None,
        rewrites=graph.rewrites,
        harness=harness,
        kernels=kernels,
        core=core,
    )
    for field, allowed in (
        ("arena", ("static", "caller")),
        ("optimize", ("speed", "size")),
        ("harness", ("none", "uart", "bench")),
    ):
        if getattr(choices, field) not in allowed:
            raise BadInput(f"{field} is {getattr(choices, field)!r}, expected one of {allowed}")
    planned = plan(graph, numerics, kernels=kernels, core=core)
    return render(planned, choices, selftest(planned, selftest_input))


def render(planned: Plan, choices: Choices, check: Selftest) -> dict[str, str]:
    """Print a plan."""
    headers = kernel_headers(planned)
    files = {header: kernel_header(header).read_text(encoding="utf-8") for header in headers}
    inputs = ports(planned, planned.graph.inputs, f"{choices.name.upper()}_INPUT")
    outputs = ports(planned, planned.graph.outputs, f"{choices.name.upper()}_OUTPUT")
    context = {
        "plan": planned,
        "choices": choices,
        "name": choices.name,
        "NAME": choices.name.upper(),
        "version": _version(),
        "runtime_version": RUNTIME_VERSION,
        "alignment": max((b.alignment for b in planned.buffers), default=ALIGNMENT),
        "inputs": inputs,
        "outputs": outputs,
        "input_type": _common_type(inputs),
        "output_type": _common_type(outputs),
        "has_converters": any(port.quantized for port in inputs + outputs),
        "quantized_type": _quantized_type(inputs + outputs),
        "states": state_views(planned, choices.name),
        "state_mark": f"0x{_mark(planned.graph, choices.name):08x}",
        "operand_arrays": operand_arrays(planned, choices.name),
        "layers": [layer_view(planned, layer, choices.name) for layer in planned.layers],
        "library": library_lines(planned),
        "selftest": check,
        "headers": headers,
        "kernels": _inlined(files) if choices.single_file else "",
        "caller_notes": caller_notes(choices.rewrites),
    }
    environment = Environment(
        loader=FileSystemLoader(template_dir()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    templates = {f"{choices.name}.h": "model.h.j2", f"{choices.name}.c": "model.c.j2"}
    if choices.harness != "none":
        kind = "harness" if choices.harness == "uart" else "bench"
        templates[f"{choices.name}_{kind}.c"] = f"{kind}.c.j2"
    printed = {
        file: seal(environment.get_template(template).render(context))
        for file, template in templates.items()
    }
    return printed if choices.single_file else {**printed, **files}


def _mark(graph: Graph, name: str) -> int:
    """A word that tells this model's state from that of another one, and from cleared memory."""
    return zlib.crc32(f"{graph.sha256} {name}".encode()) | 1


def _common_type(views: Sequence[PortView]) -> str:
    """The C type that all of them have, or void."""
    types = {view.c_type for view in views}
    return types.pop() if len(types) == 1 else "void"


def _quantized_type(views: Sequence[PortView]) -> str:
    """What the ports with float converters have in common, as a word."""
    types = {view.type for view in views if view.quantized}
    return types.pop() if len(types) == 1 else "integer"


def kernel_headers(planned: Plan) -> list[str]:
    """The kernel headers that a model uses, each after those that it includes."""
    wanted = {call.kernel.header for layer in planned.layers for call in layer.calls}
    ports_ = (*planned.graph.inputs, *planned.graph.outputs)
    if any(planned.tensor(index).port_quantization for index in ports_):
        wanted.add("mi_quantize.h")  # the float converters
    ordered: list[str] = ["mi_runtime.h"]

    def add(header: str) -> None:
        text = kernel_header(header).read_text(encoding="utf-8")
        for included in _INCLUDE.findall(text):
            add(included)
        if header not in ordered:
            ordered.append(header)

    for header in sorted(wanted):
        add(header)
    return ordered


_INCLUDE = re.compile(r'^#include "(mi_\w+\.h)"\n', re.MULTILINE)


def _inlined(files: dict[str, str]) -> str:
    """The kernels as one text, without the includes among them."""
    return "\n".join(_INCLUDE.sub("", text) for text in files.values())


def _version() -> str:
    try:
        return version("microinfer")
    except PackageNotFoundError:
        return "(not installed)"
