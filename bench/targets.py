"""Count what the models cost on emulated cores, beside what is known of other runtimes.

    python bench/targets.py [--json] [--target NAME ...]

Instructions are the emulator's own count, the same in every run; cycles are modelled, without wait
states. The image is all of the flash, start-up included; RAM is arena, variables and stack. What
others take are facts from peers.toml, with their source, and ratio is ours to theirs. Exit 2 if
../shared/models is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from microinfer.errors import MicroinferError
from microinfer.targets import targets
from microinfer.targets.bench import bench
from microinfer.tflite import read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "models"
MODELS = {
    "kws": "mlperf_kws_int8",
    "vww": "mlperf_vww_int8",
    "ic": "mlperf_ic_int8",
    "ad": "mlperf_ad_int8",
    "person": "tflm_person_detect_int8",
    "hello": "tflm_hello_world_int8",
}


@dataclass(frozen=True)
class Row:
    """One model on one target; ``lacks`` says why there are no figures."""

    model: str
    target: str
    macs: int = 0
    instructions: int = 0
    cycles: int | None = None
    image_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    lacks: str = ""


def measure(model: str, target: str) -> Row:
    graph = read_file(SHARED / f"{MODELS[model]}.tflite")
    try:
        own = bench(graph, targets()[target])
    except MicroinferError as error:
        return Row(model, target, lacks=str(error))
    return Row(
        *(model, target, own.plan.macs, own.total.instructions, own.total.cycles),
        *(own.flash_bytes + own.start_bytes, own.ram_bytes, own.stack_bytes),
    )


def figure(value: float | None) -> str:
    return "" if not value else f"{value:,.0f}"


def cost_table(rows: Sequence[Row], peers: dict[str, Any]) -> Table:
    best = "tflm_cmsis_nn"
    table = Table(title="One inference; ratio: to TFLM + CMSIS-NN", title_justify="left")
    for heading in ("model", "target", "instructions", "per MAC", "ratio", "cycles"):
        table.add_column(heading, justify="left" if heading in ("model", "target") else "right")
    for heading in ("image", "ratio", "RAM", "ratio"):
        table.add_column(heading, justify="right")
    for row in rows:
        theirs = peers.get(row.target, {}).get(best, {})

        def ratio(
            what: str, ours: float, theirs: dict[str, Any] = theirs, model: str = row.model
        ) -> str:
            figures = theirs.get(what, {})
            return f"{ours / figures[model]:.2f}" if model in figures else ""

        if row.lacks:
            table.add_row(row.model, row.target, f"does not fit: {row.lacks.partition(': ')[2]}")
            continue
        table.add_row(
            *(row.model, row.target, figure(row.instructions)),
            f"{row.instructions / row.macs:.2f}",
            ratio("instructions", row.instructions),
            figure(row.cycles),
            *(figure(row.image_bytes), ratio("image_bytes", row.image_bytes)),
            *(figure(row.ram_bytes), ratio("ram_bytes", row.ram_bytes)),
        )
    return table


def peer_table(peers: dict[str, Any]) -> Table:
    table = Table(
        title="Others: instructions of one inference",
        title_justify="left",
        caption="; ".join({own["source"]: None for own in peers.values()}),
        caption_justify="left",
    )
    table.add_column("target")
    table.add_column("runtime")
    for model in MODELS:
        table.add_column(model, justify="right")
    for target, own in peers.items():
        for peer in (value for value in own.values() if isinstance(value, dict)):
            counts = peer["instructions"]
            table.add_row(target, peer["name"], *(figure(counts.get(model)) for model in MODELS))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--target", nargs="+", choices=list(targets()), default=list(targets()))
    arguments = parser.parse_args()
    missing = [name for name in MODELS.values() if not (SHARED / f"{name}.tflite").exists()]
    if missing:
        print(
            f"error: {SHARED / missing[0]}.tflite is missing\n"
            "The models have to be in shared/models, beside this checkout.",
            file=sys.stderr,
        )
        return 2
    pairs = [(model, target) for target in arguments.target for model in MODELS]
    notes = Console(stderr=True)
    with ThreadPoolExecutor() as pool:
        work = pool.map(lambda pair: measure(*pair), pairs)
        quiet = not notes.is_terminal
        rows = list(
            track(work, "Counting", len(pairs), console=notes, transient=True, disable=quiet)
        )
    peers = tomllib.loads((HERE / "peers.toml").read_text())
    peers = {target: own for target, own in peers.items() if target in arguments.target}
    if arguments.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "peers": peers}, indent=2))
        return 0
    console = Console(width=140)
    console.print(cost_table(rows, peers))
    if peers:
        console.print(peer_table(peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
