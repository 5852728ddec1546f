"""The models of operators/: small networks of every kind of layer, to test operators with.

``make_models.py`` makes them; see README.md there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import operator_data
import operator_networks as networks
import readme
import tensorflow as tf
from convert import dequantize, quantize
from operator_data import Data

FOLDER = Path(__file__).resolve().parent / "operators"
CALIBRATION_SAMPLES = 300
INT8 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
INT16 = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8

Outputs = list[np.ndarray]


# --- figures: real outputs and targets to one number -----------------------------------------


def right_class(outputs: Outputs, targets: Outputs) -> float:
    """Share of samples whose largest output is the label's."""
    return float((outputs[0].argmax(axis=-1).reshape(-1) == targets[0]).mean())


def right_pixels(outputs: Outputs, targets: Outputs) -> float:
    """Share of pixels on the right side of 0.5."""
    return float(((outputs[0] > 0.5) == (targets[0] > 0.5)).mean())


def right_place(outputs: Outputs, targets: Outputs) -> float:
    """Share of pictures whose highest cell is the true one or next to it."""
    found, true = (
        np.stack(np.unravel_index(maps.reshape(len(maps), -1).argmax(axis=1), (8, 8)))
        for maps in (next(o for o in outputs if o.ndim == 4), targets[0])
    )
    return float((np.abs(found - true).max(axis=0) <= 1).mean())


# --- recipes ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """What is trained once, whatever number of files it becomes."""

    data: Callable[[int], Data]
    build: Callable[[], keras.Model]
    seed: int
    epochs: int
    losses: tuple[str, ...] = ("sparse_categorical_crossentropy",)
    figure: Callable[[Outputs, Outputs], float] = right_class
    # Model to (its variables, function, input shape), where it is not converted as it is.
    rewrite: (
        Callable[[keras.Model], tuple[tf.Module, Callable[..., Any], tuple[int, ...]]] | None
    ) = None
    stream: bool = False  # the samples follow each other; else each begins with a reset


@dataclass(frozen=True)
class File:
    """One .tflite of a network."""

    what: str
    network: Network
    samples: int
    edge: tf.DType = field(default=tf.int8)
    operators: tf.lite.OpsSet = INT8
    open_batch: bool = False


BLOBS = dict(epochs=12, losses=("binary_crossentropy",), figure=right_pixels)
LSTM = Network(
    operator_data.gestures, networks.lstm, seed=11, epochs=12, rewrite=networks.fused_lstm
)
SWEEP = Network(
    operator_data.sweeps, networks.sweep, 12, 6, rewrite=networks.streaming, stream=True
)
UNET = Network(operator_data.blob_masks, networks.unet, seed=13, **BLOBS)
DETECTOR = Network(
    operator_data.blob_places,
    networks.detector,
    14,
    25,
    ("binary_crossentropy", "mse"),
    right_place,
)
GRU = Network(operator_data.digit_rows, networks.gru, seed=15, epochs=25)
UNROLLED = Network(operator_data.digit_rows, networks.lstm_unrolled, seed=16, epochs=25)
MOBILENET = Network(operator_data.digits, networks.mobilenet, seed=17, epochs=20)
TRANSFORMER = Network(operator_data.digit_rows, networks.transformer, seed=18, epochs=25)
ATTENTION = Network(operator_data.digit_rows, networks.attention, seed=21, epochs=25)
CNN = Network(operator_data.digits, networks.small_cnn, seed=19, epochs=20)
SEPARABLE = Network(operator_data.digits, networks.depthwise_cnn, seed=20, epochs=20)
POSTURE = Network(operator_data.postures, networks.posture, seed=22, epochs=60)
FOUR_BITS = Network(
    operator_data.digits, networks.depthwise_cnn, 20, 20, rewrite=networks.four_bits
)

FILES = {
    "lstm_int8": File("gesture by one LSTM operator with an int16 cell", LSTM, 12),
    "lstm_unrolled_int8": File("digit by an LSTM unrolled into basic operators", UNROLLED, 20),
    "gru_int8": File("digit by a GRU unrolled into basic operators", GRU, 20),
    "gru_int16": File("the same with int16 activations", GRU, 20, tf.int16, INT16),
    "streaming_int8": File("tone sweeps, frame by frame, with two ring buffers", SWEEP, 150),
    "streaming_int16": File("the same with int16 activations", SWEEP, 150, tf.int16, INT16),
    "unet_int8": File("mask of a blob, by a U-Net", UNET, 8),
    "unet_int16": File("the same with int16 activations", UNET, 8, tf.int16, INT16),
    "detector_int8": File("place and size of a blob, two outputs", DETECTOR, 12),
    "mobilenet_int8": File("digit, by hard swish and squeeze-and-excite", MOBILENET, 20),
    "transformer_int8": File("digit, by attention with two heads", TRANSFORMER, 20),
    "attention_int16": File(
        "digit, by attention without normalization, int16 activations",
        ATTENTION,
        20,
        tf.int16,
        INT16,
    ),
    "separable_int8": File("digit, by a depthwise-separable CNN", SEPARABLE, 20),
    "separable_int4": File("the same, int4 weights in all but the depthwise layer", FOUR_BITS, 20),
    "posture_int8": File("which side of a device is up; for an 8-bit core", POSTURE, 20),
    "open_batch_uint8": File("digit, batch left open, uint8 edge", CNN, 20, tf.uint8, INT8, True),
    "open_batch_float32": File(
        "digit, batch left open, float32 edge", CNN, 20, tf.float32, INT8, True
    ),
}


# --- training, conversion, reference ---------------------------------------------------------

_trained: dict[str, tuple[Data, keras.Model]] = {}


def train(network: Network) -> tuple[Data, keras.Model]:
    """The same weights for all files of a network."""
    key = f"{network.build.__name__} {network.seed}"
    if key not in _trained:
        keras.backend.clear_session()
        keras.utils.set_random_seed(network.seed)
        data, model = network.data(network.seed), network.build()
        steps = network.epochs * -(-len(data.train) // 32)
        rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
        model.compile(keras.optimizers.Adam(rate), list(network.losses))
        model.fit(data.train, list(data.train_targets), 32, network.epochs, verbose=0)
        _trained[key] = data, model
    return _trained[key]


def convert(file: File, data: Data, model: keras.Model) -> bytes:
    network = file.network
    if network.rewrite is None:
        holder, shape = tf.Module(), (None if file.open_batch else 1, *model.inputs[0].shape[1:])
        holder.weights = [variable.value for variable in model.variables]

        def function(inputs: Any) -> Any:
            return model(inputs, training=False)
    else:
        holder, function, shape = network.rewrite(model)
    spec = tf.TensorSpec(shape, tf.float32, name="input")
    concrete = tf.function(function, input_signature=[spec]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    samples = data.test if network.stream else data.train  # a stream, not windows of one
    converter.representative_dataset = lambda: (
        [sample[None]] for sample in samples[-CALIBRATION_SAMPLES:]
    )
    converter.target_spec.supported_ops = [file.operators]
    converter.inference_input_type = converter.inference_output_type = file.edge
    converter.experimental_enable_resource_variables = network.stream
    converter._experimental_variable_quantization = network.stream
    return bytes(converter.convert())


def run(interpreter: Any, samples: np.ndarray, stream: bool) -> Outputs:
    """Each output for all samples; with a reset before each, or only before the first."""
    results = []
    (source,) = interpreter.get_input_details()
    interpreter.reset_all_variables()
    for sample in samples:
        if not stream:
            interpreter.reset_all_variables()
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        results.append(
            [interpreter.get_tensor(o["index"])[0] for o in interpreter.get_output_details()]
        )
    return [np.stack(arrays) for arrays in zip(*results, strict=True)]


def make(name: str) -> dict[str, Any]:
    """Write the two files of one model; return its entry in models.json."""
    file = FILES[name]
    data, model = train(file.network)
    content = convert(file, data, model)
    interpreter = tf.lite.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    ends = interpreter.get_output_details()
    inputs = data.test if file.edge == tf.float32 else quantize(data.test, source)
    outputs = run(interpreter, inputs, file.network.stream)
    real = [
        array if end["dtype"] is np.float32 else dequantize(array, end)
        for array, end in zip(outputs, ends, strict=True)
    ]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.tflite").write_bytes(content)
    np.savez_compressed(
        FOLDER / f"{name}.npz",
        input=inputs[: file.samples],
        **{f"output_{i}": array[: file.samples] for i, array in enumerate(outputs)},
    )
    return {
        "what": file.what,
        "operators": sorted(
            {op["op_name"] for op in interpreter._get_ops_details()} - {"DELEGATE"}
        ),
        "edge": source["dtype"].__name__,
        "stream": file.network.stream,
        "samples": file.samples,
        "test_samples": len(data.test),
        "seed": file.network.seed,
        "epochs": file.network.epochs,
        "figure": file.network.figure.__name__.replace("_", " "),
        "float32": round(_float_figure(file.network, data, model), 6),
        "quantized": round(file.network.figure(real, list(data.test_targets)), 6),
        "made_with": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "files": {
            path.name: {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in (FOLDER / f"{name}.npz", FOLDER / f"{name}.tflite")
        },
    }


def _float_figure(network: Network, data: Data, model: keras.Model) -> float:
    """The same figure of the trained model; for a stream, of its windows."""
    inputs, targets = data.test, list(data.test_targets)
    if network.stream:
        size = operator_data.SWEEP_FRAMES
        inputs = np.lib.stride_tricks.sliding_window_view(inputs, size, axis=0).swapaxes(1, 2)
        targets = [target[size - 1 :] for target in targets]
    outputs = model(inputs, training=False)
    return network.figure(
        [np.asarray(o) for o in (outputs if isinstance(outputs, list) else [outputs])], targets
    )


def make_all(names: list[str]) -> None:
    record = FOLDER / "models.json"
    facts = json.loads(record.read_text("utf-8")) if record.exists() else {}
    for name in names:
        facts[name] = make(name)
        print(name, *(f"{key} {facts[name][key]}" for key in ("figure", "float32", "quantized")))
    facts = {name: facts[name] for name in FILES if name in facts}
    record.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    readme.fill_in(FOLDER / "README.md", readme.operator_lines(facts))
