"""Commands that look at the configuration and at every outside service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli.common import AsJson, ConfigFile, load_settings, out
from bot.config import Settings
from bot.config import explain as explained_settings

app = typer.Typer()
config_group = typer.Typer(help="The configuration.", no_args_is_help=True)


@config_group.command("check")
def config_check(config: ConfigFile = None) -> None:
    """Check the configuration and show every setting with its value and where it comes from."""
    from bot.doctor import check_settings

    settings = load_settings(config)
    check_settings(settings)
    table = Table(box=None, pad_edge=False)
    for title in ("setting", "value", "from"):
        table.add_column(title, overflow="fold")
    for row in explained_settings(settings, config):
        table.add_row(row.key, escape(row.value), row.origin)
    out.print(table)
    out.print("\nThe configuration is sound.")


@app.command()
def doctor(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Ping every outside service, explain every setting, and say what to do about each failure."""
    from bot.doctor import examine
    from bot.printing import print_json

    settings = load_settings(config)
    findings = asyncio.run(examine(settings))
    if as_json:
        print_json(out, [finding.as_dict() for finding in findings])
    else:
        _print_findings(settings, findings, config)
    raise typer.Exit(1 if any(finding.state == "failed" for finding in findings) else 0)


def _print_findings(settings: Settings, findings: Any, config: Path | None) -> None:
    marks = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "note": "[yellow]·[/]"}
    for finding in findings:
        out.print(f"{marks[finding.state]} [bold]{finding.name}[/]  {escape(finding.sentence)}")
        if finding.way_out:
            out.print(f"    → {escape(finding.way_out)}")
    out.print("\nSettings")
    for row in explained_settings(settings, config):
        out.print(f"  [bold]{row.key}[/] = {escape(row.value) or '(empty)'}  [dim]({row.origin})[/]")
        out.print(f"    [dim]{escape(row.help)}[/]")
