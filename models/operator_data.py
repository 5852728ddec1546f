"""Data of the operator models: blobs and sweeps that are simulated, and digits in three shapes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import simulate
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

BLOB_PIXELS = 16
SWEEP_BANDS = 8
SWEEP_FRAMES = 7  # what the streaming model sees at a time
SWEEPS = ("none", "rising", "falling")


class Data(NamedTuple):
    """In real units, float32, samples first. A target for each output of the network."""

    train: np.ndarray
    train_targets: tuple[np.ndarray, ...]
    test: np.ndarray
    test_targets: tuple[np.ndarray, ...]


def postures(seed: int) -> Data:
    """A resting accelerometer [3], in g with noise; the label is the face that is up, of six."""
    rng = np.random.default_rng(seed)
    gravity = rng.normal(0, 1, (2400, 3))
    gravity /= np.linalg.norm(gravity, axis=1, keepdims=True)
    axis = np.abs(gravity).argmax(axis=1)
    labels = 2 * axis + (np.take_along_axis(gravity, axis[:, None], axis=1)[:, 0] < 0)
    measured = (gravity + rng.normal(0, 0.03, gravity.shape)).astype(np.float32)
    return Data(measured[:2000], (labels[:2000],), measured[2000:], (labels[2000:],))


def gestures(seed: int) -> Data:
    """Six axes, every second of 50 steps; the label is the gesture."""
    rng = np.random.default_rng(seed)
    (train, train_labels), (test, test_labels) = (simulate.gestures(n, rng) for n in (3000, 600))
    thinned = (motion[:, ::2].astype(np.float32) for motion in (train, test))
    return Data(next(thinned), (train_labels,), next(thinned), (test_labels,))


def digits(seed: int) -> Data:
    """scikit-learn's handwritten digits, [8, 8, 1], 0 to 1."""
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1).astype(np.float32) / 16
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=450, stratify=labels, random_state=seed
    )
    return Data(train, (train_labels,), test, (test_labels,))


def digit_rows(seed: int) -> Data:
    """The same as eight steps of eight values."""
    data = digits(seed)
    return data._replace(train=data.train[..., 0], test=data.test[..., 0])


def blob_masks(seed: int) -> Data:
    """Noisy pictures [16, 16, 1] of an ellipse; the target is its mask, 0 or 1."""
    rng = np.random.default_rng(seed)
    (train, train_masks, _), (test, test_masks, _) = (_blobs(n, rng) for n in (1500, 200))
    return Data(train, (train_masks,), test, (test_masks,))


def blob_places(seed: int) -> Data:
    """The same pictures; targets are a map [8, 8, 1] of where the centre is, and the radii [2]."""
    rng = np.random.default_rng(seed)
    (train, _, train_places), (test, _, test_places) = (_blobs(n, rng) for n in (1500, 200))
    return Data(train, train_places, test, test_places)


def _blobs(
    count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Pictures, masks, and (heat maps, radii in pixels / 8)."""
    centre = rng.uniform(3, BLOB_PIXELS - 3, (count, 2))
    radii = rng.uniform(2, 5, (count, 2))
    y, x = np.mgrid[:BLOB_PIXELS, :BLOB_PIXELS] + 0.5
    row, column = (centre[:, axis, None, None] for axis in range(2))
    tall, wide = (radii[:, axis, None, None] for axis in range(2))
    masks = ((y - row) / tall) ** 2 + ((x - column) / wide) ** 2 < 1
    bright = rng.uniform(0.25, 0.6, (count, 1, 1)) * masks + rng.uniform(0, 0.3, (count, 1, 1))
    pictures = np.clip(bright + rng.normal(0, 0.12, masks.shape), 0, 1)
    cells = np.arange(BLOB_PIXELS // 2) * 2 + 1
    distance = (cells[None, :, None] - row) ** 2 + (cells[None, None, :] - column) ** 2
    heat = np.exp(-distance / 4)[..., None].astype(np.float32)
    return (
        pictures[..., None].astype(np.float32),
        masks[..., None].astype(np.float32),
        (heat, (radii / 8).astype(np.float32)),
    )


def sweeps(seed: int) -> Data:
    """Windows [7, 8] of band levels to train with, and one stream [frames, 8] to test with.

    The label of a window is the tone that moves through it; that of a frame is the label of the
    window that it ends.
    """
    rng = np.random.default_rng(seed)
    (stream, labels), (test, test_labels) = (_stream(n, rng) for n in (900, 60))
    windows = np.lib.stride_tricks.sliding_window_view(stream, SWEEP_FRAMES, axis=0)
    windows = np.ascontiguousarray(windows.swapaxes(1, 2))
    return Data(windows, (labels[SWEEP_FRAMES - 1 :],), test, (test_labels,))


def _stream(events: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Levels (frames, 8), 0 to about 1, and labels (frames,): sweeps with noise between them."""
    frames, labels = [], []
    bands = np.arange(SWEEP_BANDS)
    for label in rng.integers(0, len(SWEEPS), events):
        pause = int(rng.integers(2, 6))
        tone = np.linspace(0, SWEEP_BANDS - 1, SWEEP_FRAMES) + rng.normal(0, 0.4, SWEEP_FRAMES)
        tone = {0: rng.uniform(0, 7, SWEEP_FRAMES), 1: tone, 2: tone[::-1]}[int(label)]
        level = rng.uniform(0.3, 1) * np.exp(-((bands - tone[:, None]) ** 2) / 1.5)
        frames += [level, np.zeros((pause, SWEEP_BANDS))]
        # A sweep is told once its last frame has come; before that it is none.
        labels += [0] * (SWEEP_FRAMES - 1) + [int(label)] + [0] * pause
    levels = np.concatenate(frames)
    levels += np.abs(rng.normal(0, 0.12, levels.shape))
    return levels.astype(np.float32), np.array(labels)
