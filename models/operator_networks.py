"""The networks of the operator models: Keras where it will do, tf.Module where it will not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import operator_data
import tensorflow as tf
from keras import layers

Function = Callable[..., Any]


def gru() -> keras.Model:
    """Unrolled over four pairs of rows, so that it becomes basic operators."""
    rows = keras.Input((8, 8), name="rows")
    pairs = layers.Reshape((4, 16), name="pairs")(rows)
    x = layers.GRU(10, unroll=True, name="gru")(pairs)
    return keras.Model(rows, layers.Dense(10, "softmax", name="classify")(x))


def lstm_unrolled() -> keras.Model:
    rows = keras.Input((8, 8), name="rows")
    x = layers.LSTM(10, unroll=True, name="lstm")(rows)
    return keras.Model(rows, layers.Dense(10, "softmax", name="classify")(x))


def posture() -> keras.Model:
    """For two kilobytes of RAM, constants included."""
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(8, "relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(6, "softmax")(hidden))


def lstm() -> keras.Model:
    """Trained as Keras' layer; ``fused_lstm`` makes it one operator."""
    motion = keras.Input((25, 6), name="motion")
    x = layers.LSTM(12, name="lstm")(motion)
    return keras.Model(motion, layers.Dense(3, "softmax", name="classify")(x))


def fused_lstm(model: keras.Model) -> tuple[tf.Module, Function, tuple[int, ...]]:
    """The same network around a function that the converter takes for UNIDIRECTIONAL_SEQUENCE_LSTM.

    It knows such functions by an attribute. Keras 2 set it, Keras 3 does not, and its LSTM layer
    makes the converter of TensorFlow 2.21 crash.
    """
    kernel, recurrent, bias, dense, offset = model.get_weights()
    units = recurrent.shape[0]

    def steps(x: Any, state: Any, cell: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        outputs = []
        for step in range(x.shape[1]):
            gates = tf.matmul(x[:, step], kernel) + tf.matmul(state, recurrent) + bias
            take, keep, new, show = tf.split(gates, 4, axis=1)
            cell = tf.sigmoid(keep) * cell + tf.sigmoid(take) * tf.tanh(new)
            state = tf.sigmoid(show) * tf.tanh(cell)
            outputs.append(state)
        return state, tf.stack(outputs, 1), state, cell, tf.constant(0.0)

    layer = tf.function(
        steps,
        autograph=False,
        experimental_attributes={
            "api_implements": "lstm_of_this_model",
            "api_preferred_device": "CPU",
            "time_major": False,
            "go_backwards": False,
        },
    )
    holder = tf.Module()
    holder.weights = [tf.Variable(array) for array in (kernel, recurrent, bias)]

    def function(motion: Any) -> Any:
        zeros = tf.zeros((1, units))
        # Only the sequence may be used: a use of the last state would keep it from being fused.
        _, sequence, *_ = layer(motion, zeros, zeros, *(w.read_value() for w in holder.weights))
        return tf.nn.softmax(tf.matmul(sequence[:, -1], dense) + offset)

    return holder, function, (1, *model.inputs[0].shape[1:])


def sweep() -> keras.Model:
    """Trained on windows; ``streaming`` sees one frame at a time."""
    window = keras.Input((operator_data.SWEEP_FRAMES, operator_data.SWEEP_BANDS), name="window")
    x = layers.Conv1D(12, 3, activation="relu", name="conv1")(window)
    x = layers.Conv1D(16, 5, activation="relu", name="conv2")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(window, layers.Dense(3, "softmax", name="classify")(x))


def streaming(model: keras.Model) -> tuple[tf.Module, Function, tuple[int, ...]]:
    """One frame in; the frames that each convolution still needs are kept in variables."""
    kernels = [(kernel[:, None], bias) for kernel, bias in _pairs(model.get_weights()[:4])]
    dense, offset = model.get_weights()[4:]
    holder = tf.Module()
    holder.rings = [
        tf.Variable(tf.zeros((1, kernel.shape[0] - 1, 1, kernel.shape[2])), name=f"ring{i}")
        for i, (kernel, _) in enumerate(kernels)
    ]

    def function(frame: Any) -> Any:
        x = tf.reshape(frame, (1, 1, 1, -1))
        for ring, (kernel, bias) in zip(holder.rings, kernels, strict=True):
            frames = tf.concat([ring, x], axis=1)
            ring.assign(frames[:, 1:])
            x = tf.nn.relu(tf.nn.conv2d(frames, kernel, 1, "VALID") + bias)
        return tf.nn.softmax(tf.matmul(tf.reshape(x, (1, -1)), dense) + offset)

    return holder, function, (1, operator_data.SWEEP_BANDS)


def _pairs(arrays: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def unet() -> keras.Model:
    """Two levels down and up again, each level's features joined to the ones that come up."""

    def conv(x: Any, filters: int, strides: int = 1) -> Any:
        return layers.Conv2D(filters, 3, strides, "same", activation="relu")(x)

    picture = keras.Input((operator_data.BLOB_PIXELS, operator_data.BLOB_PIXELS, 1), name="picture")
    fine = conv(picture, 4)
    half = conv(fine, 8, 2)
    x = conv(half, 12, 2)
    x = layers.Conv2DTranspose(8, 3, 2, "same", activation="relu")(x)
    x = conv(layers.Concatenate()([half, x]), 8)
    x = layers.Conv2DTranspose(4, 2, 2, "same")(x)
    x = layers.Concatenate()([fine, x])
    return keras.Model(picture, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x))


def detector() -> keras.Model:
    """Features of two sizes brought together by resizing; a heat map and the radii come out."""
    picture = keras.Input((operator_data.BLOB_PIXELS, operator_data.BLOB_PIXELS, 1), name="picture")
    a = layers.Conv2D(8, 3, 2, "same", activation="relu6")(picture)
    b = layers.Conv2D(12, 3, 2, "same", activation="relu6")(a)
    c = layers.Conv2D(12, 3, 2, "same", activation="relu6")(b)
    b = layers.Add()([b, layers.Resizing(4, 4, "nearest")(c)])
    up = layers.Resizing(8, 8, "bilinear")(layers.Conv2D(8, 1)(b))
    x = layers.Conv2D(8, 3, 1, "same", activation="relu6")(layers.Add()([a, up]))
    heat = layers.Conv2D(1, 1, activation="sigmoid", name="heat")(x)
    radii = layers.Dense(2, name="radii")(layers.Flatten()(layers.MaxPooling2D(2)(b)))
    return keras.Model(picture, [heat, radii])


def mobilenet() -> keras.Model:
    """As MobileNetV3: hard swish, and a squeeze-and-excite block with a hard sigmoid."""
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, name="stem")(image)
    x = start = layers.Activation("hard_swish")(layers.BatchNormalization()(x))
    x = layers.Conv2D(24, 1, use_bias=False, name="expand")(x)
    x = layers.Activation("hard_swish")(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    x = layers.Activation("hard_swish")(layers.BatchNormalization()(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="relu", name="squeeze")(gate)
    gate = layers.Conv2D(24, 1, activation="hard_sigmoid", name="excite")(gate)
    x = layers.Multiply()([x, gate])
    x = layers.BatchNormalization()(layers.Conv2D(12, 1, use_bias=False, name="project")(x))
    x = layers.Conv2D(32, 3, 2, "same", activation="hard_swish", name="top")(
        layers.Add()([start, x])
    )
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, "softmax", name="classify")(x))


class Norm(layers.Layer):
    """Layer normalization without a negation, for which the converter would go back to floats."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        away = x - tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(away * away, -1, keepdims=True)
        return away * tf.math.rsqrt(variance + 0.02) * self.gain + self.bias


def transformer() -> keras.Model:
    """One block on eight tokens: attention with two heads, then two dense layers."""
    return _block(Norm)


def attention() -> keras.Model:
    """The same without normalization."""
    return _block(layers.Identity)


def _block(norm: type[layers.Layer]) -> keras.Model:
    rows = keras.Input((8, 8), name="rows")
    place = layers.Dense(16, name="place", activation="relu")(rows)
    x = norm()(place)
    x = layers.Add()([place, layers.MultiHeadAttention(2, 8, name="attention")(x, x)])
    y = layers.Dense(24, "relu", name="wide")(norm()(x))
    x = layers.Add()([x, layers.Dense(16, name="narrow")(y)])
    x = layers.Flatten()(x)
    return keras.Model(rows, layers.Dense(10, "softmax", name="classify")(x))


def small_cnn() -> keras.Model:
    """Flatten is what becomes SHAPE, STRIDED_SLICE and PACK when the batch is left open."""
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(8, 3, activation="relu", name="conv")(image)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(10, "softmax", name="classify")(x))


def depthwise_cnn() -> keras.Model:
    """What the int4 twin and its int8 twin have in common."""
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="stem")(image)
    x = layers.DepthwiseConv2D(3, 2, "same", activation="relu", name="depthwise")(x)
    x = layers.Conv2D(32, 1, activation="relu", name="pointwise")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(10, "softmax", name="classify")(x))


def four_bits(model: keras.Model) -> tuple[tf.Module, Function, tuple[int, ...]]:
    """``depthwise_cnn`` as after training for four bits, so that the converter writes INT4.

    Convolutions have a scale per channel, the dense layer has one. The depthwise layer stays int8:
    LiteRT's reference kernels do not run it with int4.
    """
    weights = model.get_weights()
    stem_bias, depth_bias, point_bias, offset = weights[1::2]
    holder = tf.Module()
    # Variables: of a constant the converter would compute the rounding, and see floats.
    stem, depth, point, dense = holder.weights = [tf.Variable(array) for array in weights[::2]]
    names = ("stem", "depthwise", "pointwise")
    features = keras.Model(model.input, [model.get_layer(name).output for name in names])
    tops = [float(np.max(array)) for array in features(operator_data.digits(0).train)]

    def place(kernel: Any) -> int:
        return next(i for i, weight in enumerate(holder.weights) if weight is kernel)

    def whole(x: Any, low: float, high: float, bits: int = 8, narrow: bool = False) -> Any:
        return tf.quantization.fake_quant_with_min_max_vars(x, low, high, bits, narrow)

    def symmetric(kernel: Any, bits: int) -> Any:
        top = float(np.abs(weights[2 * place(kernel)]).max())
        return whole(kernel, -top, top, bits, narrow=True)

    def per_channel(kernel: Any) -> Any:
        top = np.abs(weights[2 * place(kernel)]).max(axis=(0, 1, 2))
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -top, top, num_bits=4, narrow_range=True
        )

    def function(image: Any) -> Any:
        x = tf.nn.conv2d(whole(image, 0.0, 1.0), per_channel(stem), 1, "SAME") + stem_bias
        x = whole(tf.nn.relu(x), 0.0, tops[0])
        x = tf.nn.depthwise_conv2d(x, symmetric(depth, 8), (1, 2, 2, 1), "SAME") + depth_bias
        x = whole(tf.nn.relu(x), 0.0, tops[1])
        x = tf.nn.conv2d(x, per_channel(point), 1, "SAME") + point_bias
        x = tf.reshape(whole(tf.nn.relu(x), 0.0, tops[2]), (1, -1))
        x = whole(tf.matmul(x, symmetric(dense, 4)) + offset, -20.0, 20.0)
        return tf.nn.softmax(x)

    return holder, function, (1, *model.inputs[0].shape[1:])
