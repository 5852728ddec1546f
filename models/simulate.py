"""Simulated sensor signals: a wrist-worn IMU and a rolling bearing. Nothing here was measured.

Both are small physical models in NumPy, so that the data sets of ``gesture`` and ``vibration``
can be made again from a seed. Every parameter that a real person or machine would vary is drawn
at random; the ranges are ours, chosen to be plausible and to overlap between the classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# --- gesture: accelerometer and gyroscope on a wrist -----------------------------------------

GESTURES = ("wave", "twist", "double-tap")
GESTURE_STEPS = 50
GESTURE_HERTZ = 25.0
ACCEL_FULL_SCALE = 4.0  # g
GYRO_FULL_SCALE = 500.0  # degrees per second

_OVERSAMPLING = 8  # the motion is computed at 200 Hz; the sensor averages 8 steps into one
_GRAVITY = 9.81  # m/s^2


def gestures(count: int, rng: np.random.Generator) -> tuple[Array, Labels]:
    """Readings (count, 50, 6) and labels (count,).

    Columns: acceleration x y z, then rotation rate x y z, as fractions of the full scale (4 g and
    500 degrees/s), between -1 and 1. Body frame: x along the forearm, z out of the back of the
    hand.
    """
    labels = np.arange(count) % len(GESTURES)
    time = np.arange(GESTURE_STEPS * _OVERSAMPLING) / (GESTURE_HERTZ * _OVERSAMPLING)
    rate = _hand_sway(rng, count, time)
    shock = np.zeros_like(rate)
    lever = np.zeros((count, 1, 3))  # from the axis of rotation to the sensor, metres
    wave, twist, tap = (np.flatnonzero(labels == i) for i in range(len(GESTURES)))

    # Wave: the forearm swings about the elbow, a forearm's length from the sensor.
    rate[wave] += _oscillation(rng, wave.size, time, (0, 0, 1), degrees=(6, 35), hertz=(0.8, 2.5))
    lever[wave, :, 0] = rng.uniform(0.05, 0.3, (wave.size, 1))
    # Twist: the forearm rolls about its own length; the sensor sits just beside that axis.
    rate[twist] += _oscillation(
        rng, twist.size, time, (1, 0, 0), degrees=(12, 70), hertz=(0.6, 2.2)
    )
    lever[twist, :, 2] = rng.uniform(0.02, 0.05, (twist.size, 1))
    # Double tap: two knocks on a hand that is nearly still.
    shock[tap] += _double_tap(rng, tap.size, time)

    force = _specific_force(rng, rate, lever, time[1]) + shock
    mounting = _small_rotations(rng, count, degrees=30)
    accel = np.einsum("nij,ntj->nti", mounting, force) / _GRAVITY / ACCEL_FULL_SCALE
    gyro = np.einsum("nij,ntj->nti", mounting, np.degrees(rate)) / GYRO_FULL_SCALE
    return _sensor(rng, np.concatenate([accel, gyro], axis=2)), labels


def _oscillation(
    rng: np.random.Generator,
    count: int,
    time: Array,
    axis: tuple[int, int, int],
    degrees: tuple[float, float],
    hertz: tuple[float, float],
) -> Array:
    """Rotation rate (count, time, 3) in rad/s of a swing that fades in, and out if it is short."""
    axes = np.array(axis) + rng.normal(0, 0.25, (count, 3))  # nobody turns about one axis only
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    amplitude = np.radians(np.exp(rng.uniform(*np.log(degrees), (count, 1))))
    omega = 2 * np.pi * rng.uniform(*hertz, (count, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    start = rng.uniform(0, 0.7, (count, 1))
    stop = start + rng.uniform(0.7, 1.8, (count, 1))
    envelope = 1 / (1 + np.exp(-(time - start) / 0.04)) / (1 + np.exp((time - stop) / 0.04))
    angle_rate = amplitude * omega * np.cos(omega * time + phase) * envelope
    return angle_rate[:, :, None] * axes[:, None, :]


def _hand_sway(rng: np.random.Generator, count: int, time: Array) -> Array:
    """Slow unintended rotation (count, time, 3) in rad/s: two tones per axis below 1.5 Hz."""
    hertz = rng.uniform(0.1, 1.5, (count, 1, 3, 2))
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 3, 2))
    peak = np.radians(rng.uniform(0, 25, (count, 1, 3, 2)))
    return (peak * np.sin(2 * np.pi * hertz * time[:, None, None] + phase)).sum(axis=3)


def _double_tap(rng: np.random.Generator, count: int, time: Array) -> Array:
    """Two decaying shocks (count, time, 3) in m/s^2, 0.15 to 0.5 s apart, mostly along z."""
    first = rng.uniform(0.1, 1.4, (count, 1))
    gap = rng.uniform(0.15, 0.5, (count, 1))
    direction = np.array([0, 0, -1]) + rng.normal(0, 0.35, (count, 3))
    ringing = 2 * np.pi * rng.uniform(10, 30, (count, 1))
    pulse = np.zeros((count, time.size))
    for start in (first, first + gap):
        peak = _GRAVITY * np.exp(rng.uniform(*np.log((0.8, 8)), (count, 1)))
        after = np.maximum(time - start, 0)
        pulse += peak * np.sin(ringing * after) * np.exp(-after / 0.02)
    return pulse[:, :, None] * direction[:, None, :]


def _specific_force(rng: np.random.Generator, rate: Array, lever: Array, step: float) -> Array:
    """What an accelerometer feels (count, time, 3) in m/s^2, on a rigid body with `rate` in rad/s.

    Gravity's reaction, turned by the motion, plus the Euler and the centripetal acceleration.
    """
    up = rng.normal(size=(rate.shape[0], 3))  # the hand may start in any orientation
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    reaction = np.empty_like(rate)
    for i in range(rate.shape[1]):
        reaction[:, i] = _GRAVITY * up
        up = up + step * np.cross(up, rate[:, i])
        up /= np.linalg.norm(up, axis=1, keepdims=True)
    turning = np.gradient(rate, step, axis=1)
    return reaction + np.cross(turning, lever) + np.cross(rate, np.cross(rate, lever))


def _small_rotations(rng: np.random.Generator, count: int, degrees: float) -> Array:
    """Rotation matrices (count, 3, 3) of up to `degrees` about random axes: a loose strap."""
    axis = rng.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(rng.uniform(0, degrees, (count, 1, 1)))
    cross = np.cross(np.eye(3), axis[:, None, :])  # Rodrigues: I + sin K + (1 - cos) K^2
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _sensor(rng: np.random.Generator, motion: Array) -> Array:
    """Average down to 25 Hz, add offset and noise, clip at full scale."""
    count, steps, axes = motion.shape
    readings = motion.reshape(count, steps // _OVERSAMPLING, _OVERSAMPLING, axes).mean(axis=2)
    readings += rng.normal(0, 0.01, (count, 1, axes)) + rng.normal(0, 0.005, readings.shape)
    return np.clip(readings, -1, 1)


# --- vibration: an accelerometer on a bearing housing ----------------------------------------

VIBRATION_HERTZ = 12_800.0
VIBRATION_SAMPLES = 8192  # 0.64 s
VIBRATION_BINS = 128  # 50 Hz each

# Outer-race passes per shaft turn of a bearing with 9 balls, ball/pitch diameter 0.2, contact 0:
# 9/2 * (1 - 0.2).
_OUTER_RACE_ORDER = 3.6


def vibrations(count: int, faulty: bool, rng: np.random.Generator) -> Array:
    """Spectra (count, 128): decades above 0.01 m/s^2, one number per 50 Hz bin, 50 to 6400 Hz."""
    return np.stack([_spectrum(_bearing(rng, faulty)) for _ in range(count)])


def _bearing(rng: np.random.Generator, faulty: bool) -> Array:
    """Acceleration (8192,) in m/s^2: shaft, gear mesh, rolling noise, fault impacts."""
    time = np.arange(VIBRATION_SAMPLES) / VIBRATION_HERTZ
    shaft_hertz = rng.uniform(24, 30)
    load = rng.uniform(0.3, 1)
    impacts = np.zeros(time.size)
    if faulty:
        severity = np.exp(rng.uniform(*np.log((2, 30))))  # from just begun to obvious
        impacts = severity * load * _outer_race_impacts(rng, shaft_hertz)
    rolling = load * rng.lognormal(0, 0.2) * rng.normal(size=time.size)
    signal = _housing(rng, rolling, impacts) + rng.normal(0, 0.03, time.size)
    # Unbalance and misalignment (1 to 4 per turn), and a 23-tooth gear with its second harmonic.
    for order, peak in ((1, 0.5), (2, 0.25), (3, 0.1), (4, 0.05), (23, 0.4), (46, 0.15)):
        amplitude = peak * load * rng.lognormal(0, 0.4)
        phase = rng.uniform(0, 2 * np.pi)
        signal += amplitude * np.cos(2 * np.pi * order * shaft_hertz * time + phase)
    return signal


def _outer_race_impacts(rng: np.random.Generator, shaft_hertz: float) -> Array:
    """Unit impulses (8192,), one per ball that rolls over the defect; the balls slip by 1 %."""
    period = VIBRATION_HERTZ / (_OUTER_RACE_ORDER * shaft_hertz)
    gaps = period * rng.normal(1, 0.01, int(VIBRATION_SAMPLES / period))
    at = (rng.uniform(0, period) + np.cumsum(gaps)).astype(int)
    impacts = np.zeros(VIBRATION_SAMPLES)
    impacts[at[at < VIBRATION_SAMPLES]] = 1
    return impacts


def _housing(rng: np.random.Generator, rolling: Array, impacts: Array) -> Array:
    """The housing's answer in m/s^2: three resonances (Hz, damping ratio, gain), each a bit off.

    Rolling noise falls off above 800 Hz; impacts are broadband and so excite all resonances.
    """
    hertz = np.fft.rfftfreq(VIBRATION_SAMPLES, 1 / VIBRATION_HERTZ)
    force = np.fft.rfft(rolling) / (1 + 1j * hertz / 800) + np.fft.rfft(impacts)
    answer = np.zeros(hertz.size, complex)
    for mode, damping, gain in ((620, 0.08, 0.05), (1900, 0.05, 0.03), (3600, 0.03, 0.05)):
        ratio = hertz / (mode * rng.normal(1, 0.02))
        answer += gain / (1 - ratio**2 + 2j * damping * ratio)
    return np.fft.irfft(force * answer, VIBRATION_SAMPLES)


def _spectrum(signal: Array) -> Array:
    """log10(amplitude / 0.01 m/s^2) per bin (128,), mean of 63 half-overlapping Hann windows."""
    size = 2 * VIBRATION_BINS
    window = np.hanning(size)
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[:: size // 2]
    amplitude = np.abs(np.fft.rfft(frames * window)) * 2 / window.sum()
    return np.log10(amplitude.mean(axis=0)[1:] / 0.01)
