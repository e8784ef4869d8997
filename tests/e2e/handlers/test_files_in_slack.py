"""Files, pictures and voice messages that come with a question in Slack, and pictures that are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from connected_bot import SWITCHBOARD
from house import House, open_house
from media_house import MEDIA_CARDS
from model_server import ModelServer, refused_content
from sample_files import CSV, huge_picture, locked_pdf, m4a, png, zipped

from bot.storage.cost_tables import ledger
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from knowledge.access import MEMBERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP, ENG = "C0HELP", "C0ENG"
TOTAL = f"{SWITCHBOARD} What did Platform cost in February?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, models_dir: Any, server: ModelServer) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("media")
    async with open_house(folder, models_dir, models=server, more_cards=MEDIA_CARDS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def maya(house: House) -> AsyncIterator[Driver]:
    async with house.person("U0MAYA") as driver:
        yield driver


def words(message: JSON) -> str:
    """Everything that stands in a message."""

    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for each in value.values():
                yield from inside(each)
        elif isinstance(value, list):
            for each in value:
                yield from inside(each)
        elif isinstance(value, str):
            yield value

    return "\n".join([message["text"], *inside(message.get("blocks", []))])


async def last_call(house: House) -> Any:
    async with house.app.core.engine.connect() as connection:
        return (await connection.execute(sa.select(ledger).order_by(ledger.c.id.desc()).limit(1))).one()


async def test_a_table_with_a_hostile_name_is_read_and_its_name_harms_nobody(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script("It cost 1,350. [1]")
    name = "../../<!channel> *b* =cmd()\u202e.csv"
    ts = await maya.post(HELP, TOTAL, files={name: CSV})
    answer = await maya.wait_for_reply(HELP, ts)
    assert "It cost 1,350. [1]" in answer["text"]
    assert "[1] *the attached ‹channel› ·b· =cmd().csv*" in words(answer)
    assert "<!channel" not in words(answer)
    assert "| Platform | February | 1350 |" in server.chats[-1].prompt
    assert "\u202e" not in server.chats[-1].prompt
    server.script("Again: 1,350. [1]")
    await maya.click(answer, "another_way")
    view = await maya.wait_for_view()
    await maya.submit_view(view)
    again = await maya.wait_for_reply(HELP, ts, lambda m: "Again" in m["text"] and not m.get("streaming"))
    assert "the attached" in words(again)
    assert "| Platform | February | 1350 |" in server.chats[-1].prompt


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"huge.png": png() + b"\0" * 30_000_000}, "huge.png has 30 MB; I read files of up to 20 MB."),
        ({"bomb.png": huge_picture()}, "more pixels than a photograph"),
        ({"bomb.docx": zipped({"word/document.xml": b"\0" * 130_000_000})}, "bomb.docx would unpack to 130 MB"),
        ({"locked.pdf": locked_pdf()}, "locked.pdf is an encrypted PDF."),
        ({"fake.pdf": b"\0\1\2\3"}, "fake.pdf is damaged, or not a PDF at all."),
        ({"holiday.png": zipped({"a": b"b"})}, "holiday.png is an archive of files, so I left it closed."),
    ],
    ids=["30 MB", "picture bomb", "zip bomb", "password", "not what it says", "an archive"],
)
async def test_a_bad_file_ends_in_a_sentence_in_its_thread(
    house: House, maya: Driver, server: ModelServer, files: dict[str, bytes], said: str
) -> None:
    asked = len(server.chats)
    ts = await maya.post(HELP, f"{SWITCHBOARD} What is in here?", files=files)
    answer = await maya.wait_for_reply(HELP, ts)
    assert said in answer["text"]
    assert "eference" in words(answer)
    assert len(server.chats) == asked


async def test_a_file_that_is_gone_or_from_another_workspace_is_asked_for_first(
    house: House, maya: Driver, server: ModelServer
) -> None:
    gone = {"id": "F0GONE", "name": "gone.csv", "mimetype": "text/csv", "size": 9, "url_private": "http://evil.example"}
    ts = await maya.post(maya.dm, "thanks")
    event = {"type": "message", "subtype": "file_share", "channel": maya.dm, "channel_type": "im", "user": "U0MAYA"}
    await maya.control("event", event={**event, "ts": ts, "text": "What does it cost?", "files": [gone]})
    answer = await maya.wait_for_reply(maya.dm, ts, lambda m: "gone.csv" in m["text"])
    assert "gone.csv was deleted, or is not shown to me, so I could not read it." in answer["text"]
    house.workspace.core.state.channels[ENG].is_ext_shared = True
    server.script("1,350 [1]")
    ts = await maya.post(ENG, TOTAL, files={"shared.csv": CSV})
    answer = await maya.wait_for_reply(ENG, ts)
    (told,) = [e["event"] for e in await maya.sent("app_mention") if e["event"]["ts"] == ts]
    assert set(told["files"][0]) == {"id", "created", "timestamp", "file_access"}
    assert "the attached shared.csv" in words(answer)


async def test_the_bots_token_goes_to_slack_alone(
    house: House, maya: Driver, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, known = house.workspace.core.messages, house.workspace.core.messages.file_object

    def elsewhere(file: Any) -> JSON:
        return {**known(file), "url_private": f"{server.url}/x", "url_private_download": f"{server.url}/x"}

    monkeypatch.setattr(messages, "file_object", elsewhere)
    asked = len(server.requests)
    ts = await maya.post(maya.dm, "What does it cost?", files={"budget.csv": CSV})
    answer = await maya.wait_for_reply(maya.dm, ts)
    assert "budget.csv does not lie with Slack, so it is not read." in answer["text"]
    assert len(server.requests) == asked


async def test_a_picture_is_shown_to_a_model_that_sees(house: House, maya: Driver, server: ModelServer) -> None:
    server.script("A red rectangle.")
    ts = await maya.post(maya.dm, "What is on this picture?", files={"shot.png": png()})
    answer = await maya.wait_for_reply(maya.dm, ts)
    assert "A red rectangle." in answer["text"]
    assert "*test-eye*" in words(answer)
    assert server.chats[-1].images[0].startswith("data:image/png;base64,")


async def test_a_voice_message_is_answered_and_its_words_are_remembered(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script_transcripts("How many days of holiday are there?")
    server.script("30 days. [1]")
    ts = await maya.post(maya.dm, "", files={"audio_message.m4a": m4a(6_000)})
    answer = await maya.wait_for_reply(maya.dm, ts)
    assert "30 days." in answer["text"]
    assert "I heard: “How many days of holiday are there?”" in words(answer)
    await house.app.idle(maya)
    turns = await house.app.core.conversations.turns(maya.dm, ts, MEMBERS)
    assert turns[0].text == "How many days of holiday are there?"
    ts = await maya.post(HELP, SWITCHBOARD, files={"audio_message.m4a": m4a(6_000)})
    server.script("Use `robot deploy rollback`. [1]")
    await maya.wait_for_reply(HELP, ts, lambda m: "robot deploy" in m["text"])
    await house.app.idle(maya)
    server.script_transcripts("Who may deploy?")
    server.script("Engineering. [1]", "Engineering. [1]")
    await maya.post(HELP, "", thread=ts, files={"audio_message.m4a": m4a(6_000)})
    answer = await maya.wait_for_reply(HELP, ts, lambda m: "I heard: “Who may deploy?”" in words(m))
    ts = await maya.post(maya.dm, "", files={"audio_message.m4a": b"\0\0\0\x18ftypM4A broken"})
    server.script_transcripts({"text": ""})
    answer = await maya.wait_for_reply(maya.dm, ts)
    assert "heard no words in it. Record it again, or write your question." in answer["text"]
    ts = await maya.post(maya.dm, "", files={"budget.csv": CSV})
    answer = await maya.wait_for_reply(maya.dm, ts)
    assert "I see budget.csv. What would you like to know?" in answer["text"]


async def test_a_picture_is_drawn_into_the_thread_with_who_asked_and_what_it_cost(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script_pictures(png(64, 64))
    ts = await maya.post(HELP, f"{SWITCHBOARD} draw a red <fox> & *two* cubs")
    drawn = await maya.wait_for_reply(HELP, ts, lambda m: bool(m.get("files")))
    assert drawn["text"].startswith("Drawn for <@U0MAYA> · *test-brush* · $0.03")
    (file,) = drawn["files"]
    assert (file["title"], file["alt_txt"]) == ("a red <fox> & *two* cubs",) * 2
    assert (await maya.file(file)).startswith(b"\x89PNG")
    row = await last_call(house)
    assert (row.purpose, row.images, row.asker, row.channel) == ("image", 1, "U0MAYA", HELP)
    await house.app.idle(maya)
    told = [call["args"]["status"] for call in await maya.calls("assistant.threads.setStatus")]
    assert told[-2:] == ["is drawing …", ""]


async def test_ask_draw_brings_the_picture_in_a_direct_message(house: House, maya: Driver, server: ModelServer) -> None:
    server.script_pictures(png(64, 64))
    await maya.command("/ask", "draw a red fox", channel=HELP)
    drawn = await maya.wait_for_message(maya.dm, lambda m: bool(m.get("files")) and "Drawn" in m["text"])
    assert drawn["files"][0]["title"] == "a red fox"
    await maya.wait_for_ephemeral(HELP, lambda m: "Your picture is in our direct messages." in m["text"])


async def test_a_message_is_drawn_and_its_files_are_asked_about_from_its_menu(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script_pictures(png(64, 64))
    ts = await maya.post(HELP, "A lighthouse at night", files={"budget.csv": CSV})
    message = {"channel": HELP, "ts": ts}
    await maya.shortcut("draw_this", message)
    drawn = await maya.wait_for_reply(HELP, ts, lambda m: bool(m.get("files")))
    assert drawn["files"][0]["title"] == "A lighthouse at night"
    server.script("It cost 1,350. [1]")
    await maya.shortcut("ask_about", message)
    view = await maya.wait_for_view()
    assert "(budget.csv)" in str(view["blocks"])
    await maya.submit_view(view, {"question": "What did Platform cost in February?"})
    answer = await maya.wait_for_ephemeral(HELP, lambda m: "1,350" in m["text"])
    assert "the attached budget.csv" in words(answer)
    silent = await maya.post(HELP, ":tada:")
    await maya.shortcut("draw_this", {"channel": HELP, "ts": silent})
    await maya.wait_for_ephemeral(HELP, lambda m: "no words in that message that I could draw" in m["text"])


async def test_what_will_not_be_drawn_is_told_in_the_providers_words(
    house: House, maya: Driver, server: ModelServer
) -> None:
    server.script_pictures(refused_content())
    ts = await maya.post(HELP, f"{SWITCHBOARD} draw something bad")
    told = await maya.wait_for_reply(HELP, ts)
    assert "“test-brush” will not draw this: Your request was rejected by the safety system." in told["text"]
    assert "Reference" in told["text"]
    server.script_pictures(refused_content())
    await maya.command("/ask", "draw something bad", channel=HELP)
    await maya.wait_for_ephemeral(HELP, lambda m: "will not draw this" in m["text"])
