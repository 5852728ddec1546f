"""Count what the models cost on emulated cores, beside what is known of other runtimes.

    python bench/targets.py [--json] [--target NAME ...]

Instructions are the emulator's own count, the same in every run; cycles are modelled, without wait
states. The image is all of the flash, start-up included; RAM is arena, variables and stack. What
others take are facts from peers.toml, with their source, and ratio is ours to theirs. With
CMSIS_NN_PATH set, each core that has CMSIS-NN is counted with its kernels as well. The models of
MLPerf Tiny and TFLM are counted if they are in ../shared/models, under the names below.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from microinfer.cmsis_nn import VARIABLE, checkout
from microinfer.emit import CMSIS_NN, OWN
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
OWN_MODELS = HERE.parent / "models"
MODELS = {
    "kws": SHARED / "mlperf_kws_int8.tflite",
    "vww": SHARED / "mlperf_vww_int8.tflite",
    "ic": SHARED / "mlperf_ic_int8.tflite",
    "ad": SHARED / "mlperf_ad_int8.tflite",
    "person": SHARED / "tflm_person_detect_int8.tflite",
    "hello": SHARED / "tflm_hello_world_int8.tflite",
    "digits": OWN_MODELS / "digits_int8.tflite",
    "gesture": OWN_MODELS / "gesture_int8.tflite",
    "vibration": OWN_MODELS / "vibration_int8.tflite",
}


@dataclass(frozen=True)
class Row:
    """One model on one target; ``lacks`` says why there are no figures."""

    model: str
    target: str
    kernels: str
    macs: int = 0
    instructions: int = 0
    cycles: int | None = None
    image_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    lacks: str = ""


def measure(model: str, target: str, kernels: str) -> Row:
    graph = read_file(MODELS[model])
    try:
        own = bench(graph, targets()[target], kernels=kernels)
    except MicroinferError as error:
        return Row(model, target, kernels, lacks=str(error))
    return Row(
        *(model, target, kernels, own.plan.macs, own.total.instructions, own.total.cycles),
        *(own.flash_bytes + own.start_bytes, own.ram_bytes, own.stack_bytes),
    )


def figure(value: float | None) -> str:
    return "" if not value else f"{value:,.0f}"


def cost_table(rows: Sequence[Row], peers: dict[str, Any]) -> Table:
    best = "tflm_cmsis_nn"
    title = "One inference; ratio: to TFLM + CMSIS-NN at -O2, of its image to that at -Os"
    table = Table(title=title, title_justify="left")
    for heading in ("model", "target", "kernels"):
        table.add_column(heading)
    for heading in ("instructions", "per MAC", "ratio", "cycles"):
        table.add_column(heading, justify="right")
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
            lacks = row.lacks.partition(" it lacks ")[2].split(", ")[0]
            table.add_row(
                row.model, row.target, row.kernels, f"lacks {lacks}" if lacks else row.lacks
            )
            continue
        table.add_row(
            *(row.model, row.target, row.kernels, figure(row.instructions)),
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
    runtimes = [
        (target, peer)
        for target, own in peers.items()
        for peer in own.values()
        if isinstance(peer, dict)
    ]
    known = [m for m in MODELS if any(m in peer["instructions"] for _, peer in runtimes)]
    for model in known:
        table.add_column(model, justify="right")
    for target, peer in runtimes:
        counts = peer["instructions"]
        table.add_row(target, peer["name"], *(figure(counts.get(model)) for model in known))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--target", nargs="+", choices=list(targets()), default=list(targets()))
    arguments = parser.parse_args()
    there = [model for model, path in MODELS.items() if path.exists()]
    if len(there) < len(MODELS):
        names = ", ".join(path.name for model, path in MODELS.items() if model not in there)
        print(f"not counted, as they are not in {SHARED}: {names}", file=sys.stderr)
    sets = [OWN, CMSIS_NN] if os.environ.get(VARIABLE) else [OWN]
    if CMSIS_NN in sets:
        try:
            checkout()
        except MicroinferError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    runs = [
        (model, target, kernels)
        for target in arguments.target
        for model in there
        for kernels in sets
        if kernels == OWN or targets()[target].cmsis_nn
    ]
    notes = Console(stderr=True)
    with ThreadPoolExecutor() as pool:
        work = pool.map(lambda run: measure(*run), runs)
        quiet = not notes.is_terminal
        rows = list(
            track(work, "Counting", len(runs), console=notes, transient=True, disable=quiet)
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
