"""Mistakes put into generated C, on purpose and by hand: what ``diagnose`` has to name.

Each fault edits the text that ``generate`` gives, of one layer (``Site``) or of the kernels that
all layers share; nothing of ``microinfer/debug`` is used. It returns None where the layer has
nothing that the fault could change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import microinfer as mi
from microinfer import native
from microinfer.graph import Graph

Files = dict[str, str]
Array = NDArray[Any]

SOURCE = "model.c"
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
WEIGHTED = (*CONVOLUTIONS, "TRANSPOSE_CONV", "FULLY_CONNECTED")
ROUNDS = (*WEIGHTED, "ADD", "SUB", "MUL", "MEAN", "SUM")


@dataclass(frozen=True)
class Site:
    """A layer of a model: where the fault is."""

    graph: Graph
    layer: int

    @property
    def op(self) -> str:
        return self.graph.nodes[self.layer].op

    def shape(self, position: int | None) -> tuple[int, ...]:
        """Of the input at ``position``, None: of the output."""
        node = self.graph.nodes[self.layer]
        index = node.outputs[0] if position is None else node.inputs[position]
        return self.graph.tensors[index].shape


Edit = Callable[[Files, Site], "Files | None"]


@dataclass(frozen=True)
class Fault:
    """``names`` are the hypotheses that say what it is; the first of what is diagnosed has to be
    among them."""

    key: str
    names: tuple[str, ...]
    ops: tuple[str, ...]
    edit: Edit


def build(graph: Graph, edit: Callable[[Files], Files], numerics: str = "tflm") -> native.Native:
    """The C of ``graph``, edited. It may leave variables unused, so warnings do not matter."""

    def faulty(*arguments: Any, **options: Any) -> Files:
        return edit(dict(mi.generate(*arguments, **options)))

    with patch.object(native, "generate", faulty):
        return native.compile(graph, numerics, flags=("-O1", "-w", "-lm"))


# -- edits of text --------------------------------------------------------------------------


def replaced(files: Files, name: str, old: str, new: str) -> Files | None:
    if name not in files or old not in files[name]:
        return None
    return {**files, name: files[name].replace(old, new)}


def body(files: Files, name: str, function: str, text: str) -> Files | None:
    """Another body for a function."""
    if name not in files:
        return None
    found = re.search(rf"(?m)^[^\n]*\b{function}\([^{{;]*\)\s*\n\{{\n(.*?)^\}}", files[name], re.S)
    if found is None:
        return None
    start, end = found.span(1)
    return {**files, name: files[name][:start] + text + "\n" + files[name][end:]}


def _params(files: Files, site: Site) -> tuple[int, int] | None:
    """Where the struct of the layer's params stands."""
    head = f"model_layer_{site.layer}_params = {{"
    start = files[SOURCE].find(head)
    return None if start < 0 else (start, files[SOURCE].index("};", start))


def field(files: Files, site: Site, name: str) -> str | None:
    """A field of the layer's params, as text."""
    place = _params(files, site)
    if place is None:
        return None
    found = re.search(rf"/\* {name}\s*\*/ ([^,]+),", files[SOURCE][slice(*place)])
    return found.group(1) if found else None


def with_field(files: Files, site: Site, name: str, value: object) -> Files | None:
    if field(files, site, name) in (None, str(value)):
        return None
    place = _params(files, site)
    assert place is not None
    text = files[SOURCE]
    struct = re.sub(rf"(/\* {name}\s*\*/ )[^,]+,", rf"\g<1>{value},", text[slice(*place)])
    return {**files, SOURCE: text[: place[0]] + struct + text[place[1] :]}


def integer(files: Files, site: Site, name: str) -> int | None:
    text = field(files, site, name)
    return None if text is None else int(text)


def array(files: Files, site: Site, name: str) -> NDArray[np.int64] | None:
    """The values of a constant of the layer."""
    found = re.search(rf"model_layer_{site.layer}_{name}\[\d+\] = {{(.*?)}};", files[SOURCE], re.S)
    if found is None:
        return None
    return np.array([int(value) for value in re.findall(r"-?\d+", found.group(1))])


def with_array(files: Files, site: Site, name: str, values: Array) -> Files | None:
    before = array(files, site, name)
    if before is None or np.array_equal(before, values.reshape(-1)):
        return None
    text = ", ".join(str(int(value)) for value in values.reshape(-1))
    source = re.sub(
        rf"(model_layer_{site.layer}_{name}\[\d+\] = {{).*?(}};)",
        rf"\g<1>{text}\g<2>",
        files[SOURCE],
        flags=re.S,
    )
    return {**files, SOURCE: source}


def around_call(
    files: Files, site: Site, before: str = "", after: str = "", call: str | None = None
) -> Files | None:
    """C before and after the call of the layer's kernel. There IN, OUT, IN_BYTES and OUT_BYTES
    are the first input and the output in the arena; ``call`` may replace the call."""
    text = files[SOURCE]
    head = re.search(rf"static void model_layer_{site.layer}\(int8_t \*arena\)\n", text)
    if head is None:
        return None
    end = text.index("\n}", head.end())
    function = text[head.end() : end]
    calls = re.findall(r"    mi_\w+\([^;]*\);\n", function)
    if len(calls) != 1:
        return None
    places = re.findall(r"(?:\([\w ]+\*\)\s*\(?)?arena \+ \d+\)?", calls[0])
    traced = re.search(r"MODEL_TRACE_RESULT\(\d+, 0, (.+?), (\d+)\);", function)
    if traced is None or len(places) < 2:
        return None
    source = site.graph.tensors[data_of(site)]
    words = {
        "IN_BYTES": str(source.nbytes),
        "OUT_BYTES": traced.group(2),
        "IN": f"((int8_t *)({places[0]}))",
        "OUT": f"((int8_t *)({traced.group(1)}))",
        "CALL_WITH_COPY": calls[0].replace(places[0], "(void *)copy", 1).strip(),
    }

    def worded(code: str) -> str:
        return re.sub(
            r"\b(IN_BYTES|OUT_BYTES|IN|OUT|CALL_WITH_COPY)\b", lambda m: words[m[1]], code
        )

    changed = function.replace(
        calls[0],
        "\n".join([worded(before), calls[0] if call is None else worded(call), worded(after), ""]),
    )
    return {**files, SOURCE: text[: head.end()] + changed + text[end:]}


def data_of(site: Site) -> int:
    """The tensor that the layer reads first."""
    node = site.graph.nodes[site.layer]
    return node.inputs[2] if site.op == "TRANSPOSE_CONV" else node.inputs[0]


def wrong_field(name: str, wrong: Callable[[int], int]) -> Edit:
    def edit(files: Files, site: Site) -> Files | None:
        value = integer(files, site, name)
        return None if value is None else with_field(files, site, name, wrong(value))

    return edit


def wrong_array(name: str, wrong: Callable[[Array], Array]) -> Edit:
    def edit(files: Files, site: Site) -> Files | None:
        values = array(files, site, name)
        return None if values is None else with_array(files, site, name, wrong(values))

    return edit


_COPY = "    static int8_t copy[IN_BYTES];\n"


def on_copy(loop: str) -> Edit:
    """The kernel reads a copy of its input that ``loop`` filled."""
    return lambda files, site: around_call(
        files, site, before=_COPY + "    " + loop, call="    CALL_WITH_COPY"
    )
