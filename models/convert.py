"""Keras model to .tflite, float32 or int8, and LiteRT's reference kernels to run either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def to_tflite(model: keras.Model, calibration: np.ndarray | None = None) -> bytes:
    """Convert at batch size 1. With `calibration` inputs: int8 everywhere, input and output too."""
    (source,) = model.inputs
    # A static shape: with a dynamic batch the converter would add SHAPE, STRIDED_SLICE and PACK.
    spec = tf.TensorSpec((1, *source.shape[1:]), tf.float32, name=source.name)
    function = tf.function(lambda x: model(x, training=False), input_signature=[spec])
    # The converter folds only the variables it can track, and Keras hides them in its own type.
    holder = tf.Module()
    holder.weights = [variable.value for variable in model.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], holder
    )
    if calibration is not None:

        def representative_dataset() -> Iterator[list[np.ndarray]]:
            return ([sample[None]] for sample in calibration)

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    return bytes(converter.convert())


class Reference:
    """A .tflite model on LiteRT's BUILTIN_REF kernels, not on XNNPACK, whose int8 bits differ."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = tf.lite.Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
        self._interpreter.allocate_tensors()
        (self.input,) = self._interpreter.get_input_details()
        (self.output,) = self._interpreter.get_output_details()

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs (n, ...) for inputs (n, ...) in the model's own dtype, one sample at a time."""
        outputs = []
        for sample in inputs:
            self._interpreter.set_tensor(self.input["index"], sample[None])
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self.output["index"])[0])
        return np.stack(outputs)

    def operators(self) -> list[str]:
        # The public interface does not list them; the tests compare with the file itself.
        return [op["op_name"] for op in self._interpreter._get_ops_details()]


def quantize(real: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    """round(real / scale) + zero_point, halves away from zero, saturated to the tensor's type."""
    scale, zero_point = tensor["quantization"]
    quotient = (real / np.float32(scale)).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
    limits = np.iinfo(tensor["dtype"])
    return np.clip(rounded + zero_point, limits.min, limits.max).astype(tensor["dtype"])


def dequantize(quantized: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    """scale * (quantized - zero_point), float32."""
    scale, zero_point = tensor["quantization"]
    return np.float32(scale) * (quantized.astype(np.int32) - zero_point).astype(np.float32)
