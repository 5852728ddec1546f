"""``explain --check``: a reader's results, right and wrong. The numbers are docs/CONVOLUTION.md's,
which has them by hand."""

from __future__ import annotations

import pytest

from command_line import DIGITS, DIGITS_INPUTS, Said, microinfer

RIGHT = {
    "accumulator": "51049",
    "high multiply": "33428",
    "shift right": "131",
    "zero point": "3",
    "output": "3",
    "real multiplier": "0.002557889",
    "2": "51,049",
}


def check(*answers: str, more: tuple[str, ...] = ()) -> Said:
    given = [part for answer in answers for part in ("--check", answer)]
    element = ("--input", DIGITS_INPUTS, "--layer", "0", "--at", "4,4,21")
    return microinfer("explain", DIGITS, *element, *given, *more)


def test_right_answers() -> None:
    said = check(*(f"{step}={value}" for step, value in RIGHT.items()))
    assert (said.code, said.stderr) == (0, "")
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["right"] * len(RIGHT)


@pytest.mark.parametrize(
    "answer",
    [
        "accumulator=51048",
        "output=-3",
        "real multiplier=0.002557890",
        "real multiplier=0.00",
        "clamp=3.5",
    ],
)
def test_a_wrong_answer_is_named_and_not_corrected(answer: str) -> None:
    said = check(answer, "zero point=3")
    assert (said.code, said.stderr) == (1, "")
    step, _, value = answer.partition("=")
    wrong, right = said.stdout.splitlines()
    assert wrong.split() == ["wrong", *step.split(), value]
    assert right.split() == ["right", "zero", "point", "3"]


def test_in_json() -> None:
    said = check("output=3", "output=4", more=("--json",))
    assert said.code == 1
    assert [answer["right"] for answer in said.json["answers"]] == [True, False]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("nonsense=1", "choose a step, or its number: 1 sum of products, 2 accumulator"),
        ("output", "expected STEP=NUMBER"),
        ("output=three", "expected STEP=NUMBER"),
        ("output=nan", "expected STEP=NUMBER"),
    ],
)
def test_what_is_no_answer(answer: str, message: str) -> None:
    said = check(answer)
    assert (said.code, said.stdout) == (2, "")
    assert message in said.stderr
