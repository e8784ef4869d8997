"""Commands on the keys that secrets are encrypted with."""

from __future__ import annotations

import typer

from bot.cli.common import ConfigFile, out, run_with

group = typer.Typer(help="The keys that secrets in the database are encrypted with.", no_args_is_help=True)


@group.command("new")
def keys_new() -> None:
    """Print a new key: put it first in SWITCHBOARD_KEYS, then `switchboard keys rotate`."""
    from bot.keeping import print_new

    print_new(out)


@group.command("rotate")
def keys_rotate(config: ConfigFile = None) -> None:
    """Encrypt everything that is kept encrypted anew, with the first key of SWITCHBOARD_KEYS."""
    from bot.keeping import rotate_all

    run_with(config, lambda settings: rotate_all(settings, out))
