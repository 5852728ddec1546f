"""A reader's own results: ``explain --check STEP=VALUE`` says of each whether it is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ..debug.explain import Explanation
from ..errors import BadInput

OUTPUT = "output"  # besides the steps' titles


@dataclass(frozen=True)
class Answer:
    """What a reader has for a step. Not what the step is: that would spoil the exercise."""

    step: str
    given: str
    right: bool


def judged(explanation: Explanation, answers: Sequence[str]) -> list[Answer]:
    """Each of ``answers``, "STEP=VALUE", against the explanation's steps.

    STEP is a step's title, its number where several have one title, or "output". An integer has to
    be equal; a real has to be right in the digits that were given. Raises BadInput for another
    step, or for no number.
    """
    titles = [step.title.lower() for step in explanation.steps]
    values = {str(number): step.value for number, step in enumerate(explanation.steps, 1)}
    values |= {
        title: step.value
        for title, step in zip(titles, explanation.steps, strict=True)
        if titles.count(title) == 1
    }
    values[OUTPUT] = explanation.output
    found = []
    for answer in answers:
        name, _, text = answer.partition("=")
        key = name.strip().lower()
        if key not in values:
            listed = ", ".join(f"{number} {title}" for number, title in enumerate(titles, 1))
            raise BadInput(f"--check {answer}: choose a step, or its number: {listed}, {OUTPUT}")
        try:
            given = Decimal(text.replace(",", "").strip())
        except InvalidOperation:
            given = Decimal("NaN")
        if not given.is_finite():
            raise BadInput(f"--check {answer}: expected STEP=NUMBER")
        found.append(Answer(key, text.strip(), _agrees(given, values[key])))
    return found


def _agrees(given: Decimal, value: float | bool) -> bool:
    exponent = given.as_tuple().exponent
    if not isinstance(value, float) or not isinstance(exponent, int):
        return given == int(value)
    if not math.isfinite(value) or (value != 0) == given.is_zero():  # 0 is no digit of a small one
        return False
    return abs(given - Decimal(value)) <= Decimal(1).scaleb(exponent) / 2
