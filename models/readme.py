"""Fill measured figures into a README.md, between its two marker comments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- begin: written by make_models.py -->", "<!-- end -->"


def fill_in(path: Path, lines: list[str]) -> None:
    text = path.read_text("utf-8")
    between = re.compile(f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", re.DOTALL)
    path.write_text(between.sub(lambda _: "\n".join(lines) + "\n", text), "utf-8")


def example_lines(facts: dict[str, Any]) -> list[str]:
    """The tables of models/README.md."""
    lines = [
        "| model | int8 bytes | float32 bytes | held-out samples "
        "| float32 accuracy | int8 accuracy |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, fact in facts.items():
        size = {twin: fact["files"][f"{name}_{twin}.tflite"]["bytes"] for twin in fact["measured"]}
        accuracy = {twin: f"{100 * fact['measured'][twin]['accuracy']:.2f} %" for twin in size}
        lines.append(
            f"| `{name}` | {size['int8']} | {size['float32']} | {fact['test_samples']} "
            f"| {accuracy['float32']} | {accuracy['int8']} |"
        )
    lines += [
        "",
        "| `vibration` | threshold | AUC | false alarms | faults found |",
        "|---|--:|--:|--:|--:|",
    ]
    for twin, measured in facts["vibration"]["measured"].items():
        lines.append(
            f"| {twin} | {measured['threshold']:.6f} | {measured['auc']:.4f} "
            f"| {100 * measured['false_alarm_rate']:.2f} % "
            f"| {100 * measured['detection_rate']:.2f} % |"
        )
    lines += ["", "| file | bytes | SHA-256 |", "|---|--:|---|"]
    for fact in facts.values():
        for file, about in fact["files"].items():
            lines.append(f"| `{file}` | {about['bytes']} | `{about['sha256']}` |")
    return lines


def operator_lines(facts: dict[str, Any]) -> list[str]:
    """The tables of models/operators/README.md."""
    lines = [
        "| model | what it does | edge | bytes | figure | float32 | quantized |",
        "|---|---|---|--:|---|--:|--:|",
    ]
    for name, fact in facts.items():
        lines.append(
            f"| `{name}` | {fact['what']} | {fact['edge']} "
            f"| {fact['files'][f'{name}.tflite']['bytes']} | {fact['figure']} "
            f"| {100 * fact['float32']:.2f} % | {100 * fact['quantized']:.2f} % |"
        )
    lines += ["", "| model | operators |", "|---|---|"]
    for name, fact in facts.items():
        lines.append(f"| `{name}` | {', '.join(fact['operators'])} |")
    lines += ["", "| file | bytes | SHA-256 |", "|---|--:|---|"]
    for fact in facts.values():
        for file, about in fact["files"].items():
            lines.append(f"| `{file}` | {about['bytes']} | `{about['sha256']}` |")
    return lines
