"""How fast the bot acknowledges, begins to show text and finishes: `python tests/benchmarks/bench_questions.py`.

A question comes as a mention over signed HTTP; the model answers without delay, so what is measured is the bot's own.
Beside it, in the same run, the least that a Bolt app can do (echo_app.py).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from bot_process import bot_running, clean_environment, configure
from child import Child, started
from options import ROOT, Options, run_alone
from prepared import Prepared, prepare
from results import Measure, Result, spread
from slack_side import Asked, SlackSide, slack_side

from deploy.workspace.server import BOT_TOKEN, SIGNING_SECRET

sys.path.append(str(ROOT / "tests" / "support"))
from model_server import ModelServer, Reply

ECHO = "the echo app"
ANSWER = "The document says how this is planned, tested and rolled out, stage by stage, and who decides on it. [1] " * 2
A_SECOND = 50
STEADY_SECONDS = 10
ACK_MARK, TEXT_MARK = 50.0, 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """How one app did with one kind of load."""

    asked: list[Asked]
    acks: list[float]
    failures: int
    cpu_seconds: float

    @property
    def first_texts(self) -> list[float]:
        return [one.first_text for one in self.asked if one.first_text is not None]

    @property
    def finished(self) -> list[float]:
        return [one.finished for one in self.asked if one.finished is not None]


async def bench(options: Options, result: Result) -> None:
    """Measures the echo app, then the bot."""
    prepared = await prepare(options)
    loads = {1: 5, 10: 10} if options.short else {1: 40, 10: 100, 50: 150}
    steady = 2 * A_SECOND // 10 if options.short else STEADY_SECONDS * A_SECOND
    async with slack_side() as slack:
        async with echo_running(options, slack) as child:
            print("  the echo app", flush=True)
            echo = await rounds(slack, child, prepared.questions, loads, steady)
        await slack.delivery.close()
        async with answering_bot(options, prepared, slack) as (child, model):
            print(f"  the bot, with {prepared.chunks:,} chunks of {prepared.documents} documents", flush=True)
            bot = await rounds(slack, child, prepared.questions, loads, steady)
            going_on = await while_the_model_writes(slack, model, prepared.questions[: 5 if options.short else 20])
    result.note(f"The bot knows {prepared.chunks:,} chunks of {prepared.documents} documents.")
    tell(result, bot, echo, options.short)
    mark = None if options.short else TEXT_MARK
    result.add(spread("first text while the model goes on writing, 1 at once", going_on, mark=mark))


def tell(result: Result, bot: dict[str, Round], echo: dict[str, Round], short: bool) -> None:
    """Every load's figures, the bot's against the echo app's."""
    for load, ours in bot.items():
        theirs, steady = echo[load], load == f"{A_SECOND} a second"
        ack_mark = ACK_MARK if steady and not short else None
        text_mark = TEXT_MARK if load == "1 at once" and not short else None
        result.add(spread(f"ack, p99, {load}", ours.acks, headline=99, mark=ack_mark, against=theirs.acks, to=ECHO))
        result.add(spread(f"first text, {load}", ours.first_texts, mark=text_mark, against=theirs.first_texts, to=ECHO))
        result.add(spread(f"finished, {load}", ours.finished, against=theirs.finished, to=ECHO))
        each, least = ours.cpu_seconds / len(ours.asked), theirs.cpu_seconds / len(theirs.asked)
        result.add(
            Measure(
                name=f"CPU time a question, {load}",
                unit="ms",
                value=each * 1000,
                samples=len(ours.asked),
                ratio=each / least if least else None,
                to=ECHO,
            )
        )
        if ours.failures or theirs.failures:
            result.note(f"{load}: {ours.failures} events were not acknowledged ({theirs.failures} by {ECHO}).")


async def rounds(
    slack: SlackSide, child: Child, questions: Sequence[str], loads: dict[int, int], steady: int
) -> dict[str, Round]:
    """All loads, lightest first; `loads`: how many at once → how many in all."""
    texts = cycle(questions)
    await slack.at_once(list(islice(texts, 5)), 1)
    found = {}
    for width, count in loads.items():
        found[f"{width} at once"] = await one_round(slack, child, list(islice(texts, count)), width)
    found[f"{A_SECOND} a second"] = await one_round(slack, child, list(islice(texts, steady)), None)
    return found


async def one_round(slack: SlackSide, child: Child, texts: list[str], width: int | None) -> Round:
    """`width` at once, or without it steadily."""
    delivery = slack.delivery
    delivery.acks.clear()
    delivery.failures.clear()
    before = child.cpu_seconds
    asked = await (slack.steadily(texts, A_SECOND) if width is None else slack.at_once(texts, width))
    return Round(asked, list(delivery.acks), len(delivery.failures), child.cpu_seconds - before)


async def while_the_model_writes(slack: SlackSide, model: ModelServer, texts: Sequence[str]) -> list[float]:
    """When text is first seen of an answer whose model says a word at once and the rest much later."""
    seconds: list[float] = []
    for text in texts:
        gate = asyncio.Event()
        model.script(Reply(text=ANSWER, gate=gate))
        asked = slack.ask(text)
        async with asyncio.timeout(20):
            await asked.showing.wait()
        gate.set()
        async with asyncio.timeout(20):
            await asked.done.wait()
        seconds.append(asked.first_text or 0.0)
    return seconds


@asynccontextmanager
async def echo_running(options: Options, slack: SlackSide) -> AsyncIterator[Child]:
    """The echo app, reached."""
    command = [sys.executable, str(Path(__file__).with_name("echo_app.py")), slack.api_url]
    env = clean_environment() | {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    async with started(command, env=env, cwd=options.work) as child:
        line = await child.line("listening on ")
        slack.reach(line.split()[-1])
        yield child


@asynccontextmanager
async def answering_bot(
    options: Options, prepared: Prepared, slack: SlackSide
) -> AsyncIterator[tuple[Child, ModelServer]]:
    """The bot with the prepared knowledge and a model that answers at once, reached."""
    async with ModelServer(reply=Reply(text=ANSWER)) as model:
        config = configure(
            options, prepared.copy_of_data(options.work / "data"), prepared.folders, models_url=model.url
        )
        async with bot_running(options, config, slack.api_url) as (child, url):
            slack.reach(url)
            yield child, model


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "questions", "Questions: acknowledged, first text, finished")
