"""How long the bot takes to be ready: `python tests/benchmarks/bench_start.py`.

Every start here is a second one: packages, models and knowledge are in place, as after the first `make run`.
"""

from __future__ import annotations

import re
import sys
import time

from bot_process import KNOWS, bot_running, clean_environment, configure
from child import started
from options import Options, run_alone
from prepared import prepare
from results import Measure, Result, spread
from slack_side import slack_side

STARTS = 7
MARK = 5000.0
LARGEST = 5
_IMPORT = re.compile(r"import time:\s*\d+ \|\s*(\d+) \|( *)(\S+)")


async def bench(options: Options, result: Result) -> None:
    """Starts and stops the bot several times, then looks at what it imports."""
    prepared = await prepare(options)
    config = configure(options, prepared.copy_of_data(options.work / "data"), prepared.folders)
    ready: list[float] = []
    known: list[float] = []
    async with slack_side() as slack:
        for _ in range(1 if options.short else STARTS):
            began = time.perf_counter()
            async with bot_running(options, config, slack.api_url) as (child, _url):
                ready.append(time.perf_counter() - began)
                await child.line(KNOWS)
                known.append(time.perf_counter() - began)
    result.note(f"The bot knows {prepared.chunks:,} chunks of {prepared.documents} documents.")
    result.add(spread("ready for questions", ready, mark=None if options.short else MARK))
    result.add(spread("looked through all documents for changes", known))
    for name, milliseconds in await largest_imports(options):
        result.add(Measure(name=f"of that, importing {name}", unit="ms", value=milliseconds))


async def largest_imports(options: Options) -> list[tuple[str, float]]:
    """The packages of others that take longest to import, with all that they import first themselves; in ms."""
    command = [sys.executable, "-X", "importtime", "-c", "import bot.running"]
    async with started(command, env=clean_environment(), cwd=options.work) as child:
        lines = await child.ended(within=60)
    ours = ("bot", "handlers", "knowledge", "deploy")
    seconds: dict[str, float] = {}
    for line in lines:
        if found := _IMPORT.match(line):
            package = found[3].partition(".")[0]
            if package not in ours:
                seconds[package] = max(seconds.get(package, 0.0), int(found[1]) / 1000)
    return sorted(seconds.items(), key=lambda entry: -entry[1])[:LARGEST]


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "start", "Start")
