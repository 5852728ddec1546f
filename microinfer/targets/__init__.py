"""Cores that the generated C runs on: facts, programs, emulators, and the line to a real board."""

from __future__ import annotations

from .device import Device
from .emulator import emulated
from .facts import HOST, Target, target, targets
from .serial_port import on_serial_port

__all__ = ["HOST", "Device", "Target", "emulated", "on_serial_port", "target", "targets"]
