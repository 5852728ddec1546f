"""docs/OPERATORS.md is what ``make operators`` would write now, but for the numbers."""

from __future__ import annotations

from pathlib import Path

import operators_table
from microinfer.ops import OPS

FILE = Path(__file__).resolve().parent.parent / "docs" / "OPERATORS.md"


def _rows() -> list[list[str]]:
    lines = FILE.read_text("utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1:]]


def test_the_table_lists_what_there_is() -> None:
    fixed = len(operators_table.row("ADD"))
    assert [tuple(cells[:fixed]) for cells in _rows()] == [operators_table.row(op) for op in OPS]


def test_every_operator_was_compared_in_both_profiles_and_in_c() -> None:
    for cells in _rows():
        if not operators_table.kernels(cells[0]):
            continue  # nothing is computed
        numbers = [int(cell.split()[0].replace(",", "")) for cell in cells[-4:]]
        assert min(numbers) > 0, cells


def test_a_run_that_failed_writes_nothing_and_one_that_left_operators_out_says_so(
    tmp_path: Path,
) -> None:
    file = tmp_path / "OPERATORS.md"
    counts = [[op, "tflm", "numpy", "tflm", 5, 0] for op in OPS if op != "ADD"]
    assert "not written" in operators_table.write(file, counts, failed=True)
    assert not file.exists()
    assert operators_table.write(file, counts, failed=False).endswith("without numbers for ADD")


def test_numbers_are_added_up_and_name_their_runtime() -> None:
    counts = [[op, "tflm", "numpy", "litert", 5, 0] for op in OPS for _ in range(300)]
    assert "| 1,500 LiteRT |  |" in operators_table.text(counts)
