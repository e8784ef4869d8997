"""The whole bot with all its state in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from house import open_house
from model_server import ModelServer, answer

from deploy.workspace.elements import elements_of
from deploy.workspace.state import JSON

QUESTION = "<@U0SWITCH> How do I roll back a release?"


async def test_all_state_outlives_the_data_folder_on_postgresql(
    tmp_path: Path, models_dir: Path, empty_postgres: str
) -> None:
    async with ModelServer() as server:
        server.script(*[answer("Run `robot deploy rollback`. [1]")] * 2)
        first, second = tmp_path / "first", tmp_path / "second"
        async with (
            open_house(first, models_dir, models=server, database=empty_postgres) as house,
            house.person() as maya,
        ):
            await maya.command("/model", "use test-model for me", channel="C0HELP")
            ts = await maya.post("C0HELP", QUESTION)
            reply = await maya.wait_for_reply("C0HELP", ts)
            await maya.click(reply, "feedback", value=_thumb_up(reply))
            await house.app.idle(maya)
        assert not list((first / "data").glob("*.db"))
        # Another machine: the same database, an empty data folder. The indexes are made again from SQL.
        second.mkdir()
        (first / "docs").rename(second / "docs")
        async with (
            open_house(second, models_dir, models=server, database=empty_postgres) as house,
            house.person() as maya,
        ):
            ts = await maya.post("C0HELP", QUESTION)
            reply = await maya.wait_for_reply("C0HELP", ts)
            now = house.app.core.clock()
            (total,) = await house.app.core.ledger.total(now.replace(year=now.year - 1), now)
            assert await house.app.core.feedback.counts(now.replace(year=now.year - 1), now) == (1, 0)
    assert "test-model" in str(reply)
    assert total.calls == 2


def _thumb_up(reply: JSON) -> str:
    (thumbs,) = [element for _, element in elements_of(reply["blocks"]) if element["action_id"] == "feedback"]
    return str(thumbs["positive_button"]["value"])
