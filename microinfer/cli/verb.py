"""A verb's options: one that takes a single value may be given once."""

from __future__ import annotations

import click


class Verb(click.Command):
    """Refuses an option that is repeated, where click would take the last in silence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for option in given:
            single = isinstance(option, click.Option) and not (option.multiple or option.is_flag)
            if single and given.count(option) > 1:
                name = max(option.opts, key=len)
                raise click.UsageError(f"{name} is given twice; it takes one value", ctx)
        return super().parse_args(ctx, args)
