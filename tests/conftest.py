"""Pytest's own set-up, for all tests."""

from __future__ import annotations

pytest_plugins = ["strict_skips"]
