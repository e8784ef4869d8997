"""Commands that start the bot and its workers, and bring the database up to date."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import typer

from bot.cli.common import ConfigFile, load_settings, out, run_with

app = typer.Typer()


@app.command()
def run(config: ConfigFile = None) -> None:
    """Start the bot: in Slack where tokens are set, else in a local workspace with a page."""
    from bot import running

    asyncio.run(_until_stopped(lambda stop: running.run(load_settings(config), out, stop)))


@app.command()
def work(config: ConfigFile = None) -> None:
    """Do the work by the clock that the bots hand over: refreshes, reports, learning (jobs.workers)."""
    from bot import working

    asyncio.run(_until_stopped(lambda stop: working.work(load_settings(config), out, stop)))


@app.command()
def migrate(config: ConfigFile = None) -> None:
    """Bring the database up to date, and end: a step of its own where several bots start at once."""
    from bot.migrating import migrate as bring_up_to_date

    run_with(config, lambda settings: bring_up_to_date(settings, out))


async def _until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    signals = (signal.SIGINT, signal.SIGTERM)

    def stopped() -> None:
        stop.set()
        for number in signals:  # who cannot wait sends it again
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        loop.add_signal_handler(number, stopped)
    await work(stop)
