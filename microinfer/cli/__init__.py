"""The command line: one verb per file, loaded when it is asked for.

Data goes to stdout, notes and errors to stderr. Exit code 0: fine; 1: a difference was found;
2: wrong usage or unsupported input; 130: interrupted.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from difflib import get_close_matches
from typing import Any

import click

from ..errors import BadInput, MicroinferError
from .failure import error_text
from .failure import report as print_error  # there is a verb of that name

VERBS = {
    "inspect": "Show a model's layers, cost and memory map.",
    "run": "Run a model on inputs, as the device would.",
    "codegen": "Write a model as standalone C.",
    "verify": "Compare the C with the interpreter, layer by layer.",
    "diff": "Find where two runs of a model part, and why.",
    "explain": "Show how one number of a layer came about, step by step.",
    "accuracy": "Find the layers that lose accuracy to their integers.",
    "report": "Write one page about a model: error, values, memory, cost.",
    "bench": "Count what one inference costs on an emulated core.",
}

INTERRUPTED = 130
BROKEN_PIPE = 141  # as a program that SIGPIPE ends


class _Verbs(click.Group):
    """Finds the verbs, and turns every way to fail into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f".{cmd_name}", __name__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS and not args[0].startswith("-"):
            close = get_close_matches(args[0], VERBS, n=1)
            known = f"did you mean {close[0]}?" if close else f"there are {', '.join(VERBS)}"
            raise click.UsageError(f"no such command {args[0]!r}; {known}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ENOSPC):
                raise
            # What is left cannot be printed: let Python flush it into nothing when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if error.errno == errno.EPIPE:
                return BROKEN_PIPE
            raise BadInput(f"cannot print: {error.strerror}") from None
        return code

    def main(self, *args: Any, **kwargs: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        kwargs = {"prog_name": "microinfer", **kwargs, "standalone_mode": False}
        try:
            code = super().main(*args, **kwargs) or 0
        except click.Abort:
            print_error("interrupted")
            code = INTERRUPTED
        except click.ClickException as error:
            print_error(_click_text(error))
            code = 2
        except MicroinferError as error:
            print_error(error_text(error))
            code = 2
        sys.exit(code)


def _click_text(error: click.ClickException) -> str:
    """Click's message in our form, with the command that explains the usage."""
    text = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        text = f"no such option {error.option_name!r}"
        if error.possibilities:
            text += f"; did you mean {' or '.join(sorted(error.possibilities))}?"
    if isinstance(error, click.MissingParameter):  # its choices stand on lines of their own
        text = " ".join(text.split())
    text = text.replace("not a valid integer range", "not a whole number")
    text = text[:1].lower() + text[1:]
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text += f"\ntry: {error.ctx.command_path} --help"
    return text


@click.group(
    "microinfer",
    cls=_Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  microinfer inspect kws.tflite
  microinfer run kws.tflite --input samples.npy
  microinfer codegen kws.tflite -o firmware/kws
  microinfer verify kws.tflite
  microinfer diff kws.tflite --input x.npy --against board.log
  microinfer explain kws.tflite --input samples.npy --layer 3
  microinfer bench kws.tflite --target cortex-m4

Exit codes: 0 fine, 1 a difference was found, 2 wrong usage or unsupported input.
`microinfer COMMAND --help` says more.""",
)
@click.version_option(package_name="microinfer", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """int8 .tflite models: a NumPy interpreter and standalone C, equal bit for bit."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
