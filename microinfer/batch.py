"""One sample or many: where the samples are in what a user passes, and how to give them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import BadInput
from .graph import Graph, Tensor
from .ops.gather import index_limits

Array = NDArray[Any]
Form = Literal["one", "bare", "leading", "replaced"]


@dataclass(frozen=True)
class Batch:
    """The inputs of a run, each [samples, *tensor shape], and the form that they came in.

    one       a single sample of the tensor's own shape
    bare      a single sample without the tensor's first extent of 1
    leading   samples as an additional first axis
    replaced  samples in place of the tensor's first extent of 1
    """

    arrays: list[Array]
    samples: int
    form: Form

    def restore(self, values: Array, tensor: Tensor) -> Array:
        """[samples, *shape] in the form of the inputs."""
        restored = values
        if self.form in ("bare", "replaced") and tensor.shape[:1] == (1,):
            restored = restored[:, 0]
        if self.form in ("one", "bare"):
            restored = restored[0]
        return restored


def split_batch(graph: Graph, inputs: Sequence[Array], reals: bool = False) -> Batch:
    """Check the arrays of a run against the model's inputs. Raises BadInput.

    With ``reals`` an input of quantized integers may have floats, which stay what they are.
    """
    if len(inputs) != len(graph.inputs):
        raise BadInput(f"got {len(inputs)} arrays, expected {len(graph.inputs)}, one per input")
    arrays: list[Array] = []
    forms: list[Form] = []
    for position, (value, index) in enumerate(zip(inputs, graph.inputs, strict=True)):
        array, form = _with_samples(np.asarray(value), graph.tensors[index], position, reals)
        arrays.append(array)
        forms.append(form)
    counts = [len(array) for array in arrays]
    if len(set(counts)) > 1:
        raise BadInput(
            f"the inputs disagree on the number of samples: {', '.join(map(str, counts))}"
        )
    if counts[0] == 0:
        raise BadInput("got an input with no samples in it")
    for index, limit in index_limits(graph).items():
        position = graph.inputs.index(index)
        low, high = arrays[position].min(), arrays[position].max()
        if low < 0 or high >= limit:
            raise BadInput(
                f'input {position} "{graph.tensors[index].name}" is taken as indices:'
                f" got {low}..{high}, expected 0..{limit - 1}"
            )
    return Batch(arrays, counts[0], "leading" if "leading" in forms else forms[0])


def _with_samples(array: Array, tensor: Tensor, position: int, reals: bool) -> tuple[Array, Form]:
    """``array`` as [samples, *tensor.shape]."""
    where = f'input {position} "{tensor.name}"'
    is_real = array.dtype.kind == "f" and tensor.port_quantization is not None
    if array.dtype != tensor.dtype and not (reals and is_real):
        hint = ""
        if is_real:
            hint = "; quantize it first, or pass --quantize-input"
        raise BadInput(f"{where}: got dtype {array.dtype}, expected {tensor.dtype}{hint}")
    if array.shape == tensor.shape:
        return array[None], "one"
    if array.shape[1:] == tensor.shape:
        return array, "leading"
    if tensor.shape[:1] == (1,) and array.ndim and array.shape[1:] == tensor.shape[1:]:
        return array[:, None], "replaced"
    if array.shape == tensor.shape[1:] and tensor.shape[:1] == (1,):
        return array[None, None], "bare"
    extents = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    many = ", ".join(["N", *map(str, extents)])
    raise BadInput(
        f"{where}: got shape {array.shape}, expected {tensor.shape}, or ({many}) for N samples"
    )


def join(groups: tuple[Array, ...]) -> Array:
    """The groups of samples as one array."""
    return groups[0] if len(groups) == 1 else np.concatenate(groups)
