"""Writes the .tflite files beside it: Keras models with an open batch, quantized to int8.

    python tests/dynamic_models/make.py        (TensorFlow 2.21; `make models` installs it)

What matters is which shapes TensorFlow's converter leaves open and computes at run time, so the
weights are random. They are tests, not examples: models/ has those.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

L = tf.keras.layers
HERE = Path(__file__).resolve().parent


class Call(L.Layer):
    """A function of TensorFlow as a layer."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


def write(name: str, model: Any, *, float_io: bool = False) -> None:
    random = np.random.default_rng(1)
    shapes = [tuple(8 if n is None else n for n in x.shape[1:]) for x in model.inputs]

    def samples() -> Any:
        for _ in range(20):
            yield [random.normal(size=(1, *shape)).astype(np.float32) for shape in shapes]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if not float_io:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    (HERE / f"{name}.tflite").write_bytes(converter.convert())


def sequential(layers: Any, shape: tuple[int | None, ...]) -> Any:
    x = tf.keras.Input(shape)
    return tf.keras.Model(x, layers(x))


def reshape(x: Any) -> Any:
    """RESHAPE to computed shapes; the converter writes (1, 1) for what it does not know."""
    x = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    return L.Flatten()(L.Dense(6)(L.Reshape((-1, 8))(x)))


def unet(x: Any) -> Any:
    """TRANSPOSE_CONV with a computed output_shape."""
    wide = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    deep = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(wide)
    return L.Conv2D(2, 1)(L.Concatenate()([wide, L.Conv2DTranspose(4, 2, strides=2)(deep)]))


def attention(x: Any) -> Any:
    """Two heads, taken apart by tf.shape."""

    def heads(t: Any) -> Any:
        batch, steps = tf.shape(t)[0], tf.shape(t)[1]
        return tf.transpose(tf.reshape(t, [batch, steps, 2, 4]), [0, 2, 1, 3])

    def together(t: Any) -> Any:
        batch, steps = tf.shape(t)[0], tf.shape(t)[2]
        return tf.reshape(tf.transpose(t, [0, 2, 1, 3]), [batch, steps, 8])

    q, k, v = (Call(heads)(L.Dense(8)(x)) for _ in range(3))
    scores = Call(lambda t: tf.nn.softmax(tf.matmul(*t, transpose_b=True) * 0.5))([q, k])
    y = Call(together)(Call(lambda t: tf.matmul(*t))([scores, v]))
    return L.Dense(3)(L.GlobalAveragePooling1D()(L.Add()([L.Dense(5)(x), L.Dense(5)(y)])))


def class_token(x: Any) -> Any:
    """A constant broadcast to the batch and joined with the data."""
    token = np.float32([[[0.5, -1, 0.25, 2]]])

    def prepend(t: Any) -> Any:
        return tf.concat([tf.broadcast_to(token, [tf.shape(t)[0], 1, 4]), t], 1)

    return L.Dense(3)(Call(prepend)(L.Dense(4)(x)))


def halves(x: Any) -> Any:
    """A shape with arithmetic in it, a batch that takes pixels in, and a -1 beside it."""

    def split(t: Any) -> Any:
        s = tf.shape(t)
        return tf.reshape(t, [s[0] * s[1], tf.maximum(s[2] // 2, 1), -1])

    return L.Softmax()(Call(split)(L.Conv2D(4, 3, padding="same")(x)))


def two_ports() -> Any:
    a, b = tf.keras.Input((6,)), tf.keras.Input((6,))
    y = L.Concatenate()([L.Dense(4)(a), L.Dense(4)(b)])
    return tf.keras.Model([a, b], [L.Dense(3)(y), L.Softmax()(L.Dense(2)(y))])


if __name__ == "__main__":
    tf.keras.utils.set_random_seed(1)
    write("reshape_float", sequential(reshape, (8, 6, 3)), float_io=True)
    write("unet", sequential(unet, (8, 8, 2)))
    write("attention", sequential(attention, (6, 5)))
    write("class_token", sequential(class_token, (5, 3)))
    write("halves", sequential(halves, (6, 4, 2)))
    write("gru", sequential(lambda x: L.Dense(3)(L.GRU(6, unroll=True)(x)), (4, 5)))
    write("two_ports_float", two_ports(), float_io=True)
    write("any_size", sequential(L.Conv2D(4, 3), (None, None, 3)))
