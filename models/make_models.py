"""Make the models of this folder: data, training, conversion, measurement, samples.

    python models/make_models.py [digits | gesture | vibration | lstm_int8 ...]

Without a name, all of them, those of operators/ too. Needs the extra ``models`` (TensorFlow,
scikit-learn). Seeds are fixed and everything runs on one thread: on one machine the same versions
give the same bytes.
"""

from __future__ import annotations

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # before TensorFlow: fewer kernels that depend on the CPU
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import argparse
import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import operator_models
import readme
import simulate
import sklearn
import tensorflow as tf
from convert import Reference, dequantize, quantize, to_tflite
from keras import layers
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
CALIBRATION_SAMPLES = 500
THRESHOLD_PERCENTILE = 99
BATCH_SIZE = 64


@dataclass(frozen=True)
class Split:
    """A data set in real units, float32, with a leading batch axis; labels are integers."""

    train_inputs: np.ndarray
    train_labels: np.ndarray
    test_inputs: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """All that sets one model apart from the others."""

    task: str
    input_unit: str
    output_unit: str
    classes: tuple[str, ...]
    seed: int
    data: Callable[[int], Split]
    network: Callable[[], keras.Model]
    epochs: int
    samples_per_class: int
    augment: Callable[[Split], Split] = lambda split: split
    autoencoder: bool = False
    # Calibrations that went wrong, by name, for docs/ACCURACY.md: each gives one more int8 model.
    mistakes: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)


# --- digits ----------------------------------------------------------------------------------


def digits_data(seed: int) -> Split:
    """scikit-learn's handwritten digits: 1797 real images, 8 x 8 pixels of 0 to 16."""
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=450, stratify=labels, random_state=seed
    )
    return Split(train_x, train_y, test_x, test_y)


def shifted(split: Split) -> Split:
    """The training images and their copies moved by one pixel up, down, left and right."""
    padded = np.pad(split.train_inputs, ((0, 0), (1, 1), (1, 1), (0, 0)))
    moves = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    images = np.concatenate([padded[:, y : y + 8, x : x + 8] for y, x in moves])
    labels = np.tile(split.train_labels, len(moves))
    return Split(images, labels, split.test_inputs, split.test_labels)


def digits_network() -> keras.Model:
    """Depthwise-separable CNN with one residual connection: 8 x 8 at 24, then 4 x 4 at 48."""

    def separable(x: Any, name: str, filters: int, strides: int = 1) -> Any:
        x = layers.DepthwiseConv2D(3, strides, "same", use_bias=False, name=f"{name}_depthwise")(x)
        x = layers.BatchNormalization(name=f"{name}_depthwise_norm")(x)
        x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
        return layers.BatchNormalization(name=f"{name}_pointwise_norm")(x)

    image = x = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(24, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    stem = layers.ReLU(name="stem_relu")(x)
    x = layers.Add(name="residual")([stem, separable(stem, "block1", 24)])
    x = layers.ReLU(name="block1_relu")(x)
    x = layers.ReLU(name="block2_relu")(separable(x, "block2", 48, strides=2))
    x = layers.ReLU(name="block3_relu")(separable(x, "block3", 48))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    return keras.Model(image, layers.Dense(10, "softmax", name="classify")(x), name="digits")


# --- gesture ---------------------------------------------------------------------------------


def gesture_data(seed: int) -> Split:
    rng = np.random.default_rng(seed)
    train, test = simulate.gestures(6000, rng), simulate.gestures(1500, rng)
    return Split(train[0].astype(np.float32), train[1], test[0].astype(np.float32), test[1])


def gesture_network() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((simulate.GESTURE_STEPS, 6), name="motion"),
            layers.Conv1D(8, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling1D(2, name="pool1"),
            layers.Conv1D(16, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling1D(2, name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dense(len(simulate.GESTURES), activation="softmax", name="classify"),
        ],
        name="gesture",
    )


# --- vibration -------------------------------------------------------------------------------


def vibration_data(seed: int) -> Split:
    """Training has healthy bearings only; the test set is half healthy, half faulty."""
    rng = np.random.default_rng(seed)
    train = simulate.vibrations(4000, False, rng).astype(np.float32)
    healthy, faulty = (simulate.vibrations(1000, state, rng) for state in (False, True))
    test = np.concatenate([healthy, faulty]).astype(np.float32)
    return Split(train, np.zeros(len(train), int), test, np.repeat([0, 1], 1000))


def vibration_network() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((simulate.VIBRATION_BINS,), name="spectrum"),
            layers.Dense(32, activation="relu", name="encoder"),
            layers.Dense(8, name="code"),
            layers.Dense(32, activation="relu", name="decoder"),
            layers.Dense(simulate.VIBRATION_BINS, name="reconstruction"),
        ],
        name="vibration",
    )


RECIPES = {
    "digits": Recipe(
        task="handwritten digit, 8 x 8 pixels",
        input_unit="grey level, 0 (paper) to 16 (ink)",
        output_unit="probability",
        classes=tuple("0123456789"),
        seed=1,
        data=digits_data,
        network=digits_network,
        epochs=40,
        samples_per_class=10,
        augment=shifted,
        mistakes={"dim": lambda images: images / 2},
    ),
    "gesture": Recipe(
        task="gesture of a wrist, 2 s at 25 Hz, 6 axes (simulated)",
        input_unit="fraction of full scale: acceleration x y z / 4 g, rotation x y z / 500 deg/s",
        output_unit="probability",
        classes=simulate.GESTURES,
        seed=2,
        data=gesture_data,
        network=gesture_network,
        epochs=40,
        samples_per_class=25,
    ),
    "vibration": Recipe(
        task="bearing anomaly from a vibration spectrum (simulated)",
        input_unit="log10(amplitude / 0.01 m/s^2), 128 bins of 50 Hz",
        output_unit="the input, reconstructed",
        classes=("normal", "faulty"),
        seed=3,
        data=vibration_data,
        network=vibration_network,
        epochs=40,
        samples_per_class=40,
        autoencoder=True,
    ),
}


# --- training and measuring ------------------------------------------------------------------


def train(recipe: Recipe, data: Split) -> keras.Model:
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    data = recipe.augment(data)
    model = recipe.network()
    steps = recipe.epochs * -(-len(data.train_inputs) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    loss = "mse" if recipe.autoencoder else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss)
    target = data.train_inputs if recipe.autoencoder else data.train_labels
    model.fit(data.train_inputs, target, BATCH_SIZE, recipe.epochs, verbose=0)
    return model


def measure(model: Reference, data: Split, recipe: Recipe, chosen: np.ndarray) -> dict[str, Any]:
    """Figures on the whole test split; the anomaly threshold comes from the training split."""
    figures: dict[str, float] = {}
    if recipe.autoencoder:
        normal = anomaly_scores(model, data.train_inputs)
        scores = anomaly_scores(model, data.test_inputs)
        figures["threshold"] = _rounded(np.percentile(normal, THRESHOLD_PERCENTILE))
        predicted = (scores > figures["threshold"]).astype(int)
        figures["auc"] = _rounded(roc_auc_score(data.test_labels, scores))
        figures["false_alarm_rate"] = _rounded(predicted[data.test_labels == 0].mean())
        figures["detection_rate"] = _rounded(predicted[data.test_labels == 1].mean())
    else:
        predicted = model.run(_as_input(model, data.test_inputs)).argmax(axis=1)
    right = predicted == data.test_labels
    return {
        "accuracy": _rounded(right.mean()),
        **figures,
        "correct_of_samples": int(right[chosen].sum()),
    }


def anomaly_scores(model: Reference, real: np.ndarray) -> np.ndarray:
    """Mean squared difference of input and output; for int8, of both dequantized."""
    inputs = _as_input(model, real)
    outputs = model.run(inputs)
    if inputs.dtype == np.int8:
        inputs, outputs = dequantize(inputs, model.input), dequantize(outputs, model.output)
    return np.square(inputs - outputs).mean(axis=1)


def _as_input(model: Reference, real: np.ndarray) -> np.ndarray:
    return quantize(real, model.input) if model.input["dtype"] == np.int8 else real


def _rounded(number: float) -> float:
    return round(float(number), 6)


# --- files -----------------------------------------------------------------------------------


def make(name: str) -> dict[str, Any]:
    """Write all files of one model; return its entry in models.json."""
    recipe = RECIPES[name]
    data = recipe.data(recipe.seed)
    model = train(recipe, data)
    content = {
        "float32": to_tflite(model),
        "int8": to_tflite(model, calibration=data.train_inputs[:CALIBRATION_SAMPLES]),
    }
    twins = {twin: Reference(content[twin]) for twin in content}
    for mistake, spoil in recipe.mistakes.items():
        calibration = spoil(data.train_inputs[:CALIBRATION_SAMPLES])
        (HERE / f"{name}_{mistake}_int8.tflite").write_bytes(to_tflite(model, calibration))
    chosen = _first_of_each_class(data.test_labels, recipe.samples_per_class)
    samples = data.test_inputs[chosen]
    inputs = quantize(samples, twins["int8"].input)

    for twin in content:
        (HERE / f"{name}_{twin}.tflite").write_bytes(content[twin])
    np.save(HERE / f"{name}_inputs.npy", inputs)
    np.save(HERE / f"{name}_inputs_float32.npy", samples)
    np.save(HERE / f"{name}_labels.npy", data.test_labels[chosen].astype(np.int32))
    np.save(HERE / f"{name}_outputs.npy", twins["int8"].run(inputs))
    return {
        "task": recipe.task,
        "classes": list(recipe.classes),
        "input": _tensor_facts(twins["int8"].input, recipe.input_unit),
        "output": _tensor_facts(twins["int8"].output, recipe.output_unit),
        "operators": twins["int8"].operators(),
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "train_samples": len(data.train_labels),
        "test_samples": len(data.test_labels),
        "samples": len(chosen),
        "measured": {twin: measure(twins[twin], data, recipe, chosen) for twin in twins},
        "made_with": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (tf, keras, np, sklearn)},
            "machine": platform.machine(),
        },
        "files": {
            path.name: {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(HERE.glob(f"{name}_*"))
        },
    }


def _first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices, ascending, of the first `count` samples of every class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == i)[:count] for i in np.unique(labels)]))


def _tensor_facts(tensor: dict[str, Any], unit: str) -> dict[str, Any]:
    scale, zero_point = tensor["quantization"]
    shape = [int(size) for size in tensor["shape"]]
    return {"unit": unit, "shape": shape, "scale": float(scale), "zero_point": int(zero_point)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = (*RECIPES, *operator_models.FILES)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    names = parser.parse_args().names or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"no such model: {', '.join(sorted(unknown))}; there are {', '.join(known)}")

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    record = HERE / "models.json"
    facts = json.loads(record.read_text("utf-8")) if record.exists() else {}
    for name in (name for name in names if name in RECIPES):
        facts[name] = make(name)
        print(name, facts[name]["measured"])
    facts = {name: facts[name] for name in RECIPES if name in facts}
    record.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    readme.fill_in(HERE / "README.md", readme.example_lines(facts))
    operator_models.make_all([name for name in names if name in operator_models.FILES])


if __name__ == "__main__":
    main()
