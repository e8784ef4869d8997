"""A secret that somebody sends is masked before anything reads or keeps it, and they are told."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from connected_bot import SWITCHBOARD
from house import House, open_house
from made_up_secrets import made_up
from model_server import ModelServer

from bot.storage.columns import metadata
from knowledge.access import MEMBERS

_, _, TOKEN = next(each for each in made_up() if each[0] == "GitHub token")
_, _, KEY = next(each for each in made_up() if each[0] == "Stripe key")
_, _, WEBHOOK = next(each for each in made_up() if each[0] == "Stripe webhook secret")


async def kept(house: House) -> str:
    """All that the tables of the bot hold, in one text."""
    found = []
    async with house.app.core.engine.connect() as connection:
        for table in metadata.sorted_tables:
            found += [str(tuple(row)) for row in await connection.execute(sa.select(table))]
    return "\n".join(found)


async def test_a_secret_in_a_message_a_file_or_a_comment_goes_nowhere_and_its_sender_is_told(
    tmp_path: Path, models_dir: Path
) -> None:
    async with (
        ModelServer() as server,
        open_house(tmp_path, models_dir, models=server) as house,
        house.person("U0MAYA") as maya,
    ):
        server.script(f"You wrote {TOKEN} [1].")  # it cannot know it, and may not say it either
        asked = f"{SWITCHBOARD} model:test-model strategy:rag How do I roll back a release with {TOKEN}?"
        ts = await maya.post("C0HELP", asked, files={"notes.txt": f"The release key is {KEY} today.".encode()})
        answer = await maya.wait_for_reply("C0HELP", ts)
        assert answer["text"].startswith("You wrote [secret: GitHub token]")
        under = json.dumps(answer["blocks"])
        assert under.count("Your message held what looks like a GitHub token.") == 1
        assert "notes.txt held what looks like a Stripe key." in under
        sent = server.chats[-1].prompt
        assert "with [secret: GitHub token]?" in sent
        assert "The release key is [secret: Stripe key] today." in sent
        await maya.post("C0HELP", f"By the way, the hook is {WEBHOOK}.", thread=ts)
        await maya.wait_for_reply("C0HELP", ts, lambda m: m["ts"] > answer["ts"])
        await house.app.idle(maya)
        core = house.app.core
        await core.feedback.give("q", "U0MAYA", -1, f"It should say {KEY}.")
        await core.examples.save("How?", f"Take {KEY}.", frozenset({"everyone"}), "U0MAYA")
        everything = await kept(house)
        for secret in (TOKEN, KEY, WEBHOOK):
            assert secret not in everything
            assert all(secret not in json.dumps(request.body) for request in server.requests)
        assert "Take [secret: Stripe key]." in everything
        turns = await core.conversations.turns("C0HELP", ts, MEMBERS)
        assert any("the hook is [secret: Stripe webhook secret]" in turn.text for turn in turns)
