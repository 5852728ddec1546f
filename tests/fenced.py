"""Fenced code blocks of a Markdown file, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Block:
    """One fenced block; ``line`` is the line number of its first line of content."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Command:
    """What stands behind one `$ `, and the output shown below it.

    ``status`` is the exit code; a command that is to fail says so in a comment: `# exit 1`.
    """

    line: int
    text: str
    status: int
    output: list[str]


FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S
)


def blocks(path: Path) -> list[Block]:
    content = path.read_text("utf-8")
    found = []
    for match in FENCE.finditer(content):
        line = content.count("\n", 0, match.start("text")) + 1
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.M)
        found.append(Block(path, line, match["language"], text))
    return found


def commands(block: Block) -> list[Command]:
    """The `$ ` lines of a block; without any, the whole block is one command, output unseen."""
    lines = block.text.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    if not starts:
        return [_command(block.line, block.text.rstrip("\n"), [])]
    assert starts[0] == 0, f"{block}: begins with something other than `$ `"
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        first = start + 1
        while lines[first - 1].endswith("\\") and first < end:
            first += 1
        text = "\n".join([lines[start][2:], *lines[start + 1 : first]])
        found.append(_command(block.line + start, text, lines[first:end]))
    return found


def _command(line: int, text: str, output: list[str]) -> Command:
    status = re.search(r"# exit (\d+)$", text)
    while output and not output[-1].strip():
        output = output[:-1]
    return Command(line, text, int(status[1]) if status else 0, output)


def matches(expected: list[str], actual: str) -> bool:
    """Whether the output is as shown. A line `...` is any lines, `...` inside one any text.

    Spaces at the ends of lines and empty lines at both ends do not count.
    """
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in tidy(actual))) is not None


def tidy(output: str) -> list[str]:
    return [line.rstrip() for line in output.strip("\n").splitlines()]
