"""The groups of the command tree: they know the table, and import a command only to parse or run it."""

from importlib import import_module
from typing import Any

import asyncclick as click

from tmuxorc import __version__
from tmuxorc.cli._click import AnyDeclared, Job, Leaf, global_options, instance_of, json_of
from tmuxorc.cli._output import terminal_width
from tmuxorc.cli._tree import ROOT, SECTIONS, Entry, Noun

PROGRAM = "tmux-orc"

ROOT_HELP = """Run a supervised team of terminal agents in tmux.

Without a command: the state of things in ten lines, and what to type next."""

ROOT_EPILOG = """Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 refused, 6 timed out,
7 supervisor unreachable."""


def load(entry: Entry) -> AnyDeclared:
    """Import the command behind an entry of the table."""
    declared: AnyDeclared = getattr(import_module(f"tmuxorc.cli.{entry.module}"), entry.attribute)
    return declared


class Table(click.Group):
    """A group over a table of the tree."""

    def __init__(self, name: str, table: dict[str, Entry] | dict[str, Entry | Noun], **more: Any) -> None:
        super().__init__(name, params=global_options(), **more)
        self.table: dict[str, Entry | Noun] = dict(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        node = self.table.get(cmd_name)
        if isinstance(node, Entry):
            return Leaf(cmd_name, load(node))
        return None if node is None else Table(cmd_name, node.commands, help=node.summary, no_args_is_help=True)

    async def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=self.table, ctx=ctx)
        return await super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, node.summary) for name, node in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from asyncclick.shell_completion import CompletionItem

        items = [CompletionItem(n, help=node.summary) for n, node in self.table.items() if n.startswith(incomplete)]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


class Root(Table):
    """``tmux-orc`` itself."""

    def __init__(self) -> None:
        super().__init__(
            PROGRAM, ROOT, help=ROOT_HELP, epilog=ROOT_EPILOG, invoke_without_command=True, callback=_overview
        )
        self.params.append(click.version_option(__version__, prog_name=PROGRAM)(click.Command(None)).params[0])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, table in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, node.summary) for name, node in table.items()], col_max=12)


async def _overview(**_: Any) -> Job | None:
    """The job of the bare program; None when a command follows."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is not None:
        return None
    return Job(load(Entry("status", "overview", "")), {}, instance_of(ctx), json_of(ctx))


def _help_width() -> int:
    return max(50, min(terminal_width(), 80) - 2)


async def parse(words: list[str]) -> Job:
    """The job these words ask for.

    Raises:
        click.ClickException: they make no sense.
        click.exceptions.Exit: they asked for help or the version, which has been printed.
    """
    root = Root()
    # asyncclick would import shutil for the width, and parsing eats the list it is given.
    async with await root.make_context(PROGRAM, list(words), terminal_width=_help_width()) as ctx:
        job: Job = await root.invoke(ctx)
    return job
