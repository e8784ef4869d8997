"""A server for training runs that is away, or is none: training goes on, and people read what lacks there."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import ThingsEmbedder, plain_questions
from training_rows import NOW, row

from bot.tuning.datasets import Datasets, made
from bot.tuning.gathering import Gathered
from bot.tuning.mlflow import Mlflow
from bot.tuning.runs import Runs
from bot.tuning.tracking import PAUSE, Tracking
from bot.tuning.tuner import Look, Parameters


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A port on which each request is refused as one by a stranger, or answered with a page for people."""

    async def stranger(_: web.Request) -> web.Response:
        return web.json_response({"error_code": "PERMISSION_DENIED"}, status=403)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Log in</html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/closed/{rest:.*}", stranger)
    app.router.add_get("/page/{rest:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def nobody() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


async def ordered(engine: AsyncEngine, folder: Path) -> str:
    gathered = Gathered([row(text, f"With tool {n}.", n) for n, text in enumerate(plain_questions(20))])
    data = await made(gathered, (), ["everyone"], ThingsEmbedder())
    await Datasets(engine, folder).keep(data, by="ana", at=NOW)
    values = {"tuner": "local", "dataset": data.id, "base": "tiny", "held": None, "by": "ana", "at": NOW}
    return (await Runs(engine).order(parameters=Parameters().plain(), **values)).id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/closed", "lets us not in. Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and"),
        ("/page", "What answers at {where} is no MLflow: see `tuning.mlflow`. Training goes on."),
        ("", "MLflow at {where} cannot be reached (ClientConnectorError). Training goes on."),
    ],
)
async def test_a_server_that_does_not_take_it_is_told_once_and_what_lacks_at_the_end(
    engine: AsyncEngine, tmp_path: Path, port: int, path: str, says: str
) -> None:
    id = await ordered(engine, tmp_path)
    where = f"127.0.0.1:{port if path else nobody()}"
    told: list[str] = []
    now = [0.0]
    server = Mlflow(f"http://{where}{path}", "switchboard", {"Authorization": "Bearer s3cret"})
    tracking = Tracking(server, Runs(engine), Datasets(engine, tmp_path), told.append, lambda: now[0])
    for _ in range(3):
        await tracking.follow(id)
        now[0] += PAUSE
    await Runs(engine).end(id, Look(state="succeeded"), cost=None, at=NOW, by="training")
    await tracking.finish(id)
    await server.close()
    assert says.format(where=where) in told[0]
    assert told[1:] == [f"MLflow lacks some of the run {id}: `switchboard tune resume {id}` sends it."]
    assert "s3cret" not in str(told)
