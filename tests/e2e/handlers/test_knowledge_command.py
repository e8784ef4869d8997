"""`/knowledge`: what is known, what is added to it, found in it and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from connected_bot import ConnectedBot

from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from knowledge import access


async def told(person: Driver, words: str, channel: str = "C0GENERAL", *, after: str = "") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(
        channel, lambda m: words in m["text"] or words in str(m.get("blocks")), after=after
    )


@pytest.fixture
def guides(tmp_path: Path) -> Path:
    folder = tmp_path / "guides"
    folder.mkdir()
    (folder / "mugs.md").write_text("# Mugs\n\nThe blue mugs belong to the robot team.\n", encoding="utf-8")
    return folder


async def add(person: Driver, text: str, channel: str = "C0GENERAL", **values: str) -> JSON:
    """Types `/knowledge add`, and submits the modal with these values; gives the modal."""
    before = len(person.events)
    await person.command("/knowledge", f"add {text}", channel=channel)
    view = await person.wait_for_view(after=before)
    assert await person.submit_view(view, values) == {}
    return view


async def test_the_sources_are_listed_with_their_documents_and_the_next_refresh(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await bot.core.knowledge.refresh()  # behind the one that every start begins with
    await maya.command("/knowledge")
    shown = str((await told(maya, "*docs*"))["blocks"])
    assert "2 documents, 2 passages · read just now" in shown
    assert "I look for changes again " in shown
    assert "Embedding costs nothing: it runs on this machine." in shown
    assert "*finance* · folder · only for <#G0FIN>" in shown
    await leo.command("/knowledge", "list")
    assert "finance" not in str((await told(leo, "*docs*"))["blocks"])


async def test_one_source_is_told_in_full_and_a_mistyped_one_named(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/knowledge", "status DOCS")
    assert "It stands in the configuration." in str((await told(maya, "The last look took"))["blocks"])
    await maya.command("/knowledge", "status dosc")
    await told(maya, "Did you mean “docs”?")


async def test_a_search_finds_what_the_person_may_read(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await maya.command("/knowledge", "search robot budget")
    await told(maya, "41,000 euros")
    await leo.command("/knowledge", "search robot budget")
    await told(leo, "about “robot budget”")
    assert "41,000" not in str([event for event in leo.events if event["type"] == "message"])


async def test_a_search_is_narrowed_to_a_source_and_a_time(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/knowledge", "search vacation days in:finance")
    assert "vacation.md" not in str((await told(maya, "days in:finance”"))["blocks"])
    await maya.command("/knowledge", 'search vacation days since:2020-05 in:"docs"')
    assert "30 days of vacation" in str((await told(maya, "since:2020-05"))["blocks"])
    await maya.command("/knowledge", "search vacation days since:2999")
    await told(maya, "I found nothing about")
    await maya.command("/knowledge", "search vacation since:yesterday")
    await told(maya, "“since:yesterday” is no date.")
    await maya.command("/knowledge", "search vacation in:dcos")
    await told(maya, "Did you mean “docs”?")


async def test_an_admin_adds_a_folder_for_the_members_of_a_channel(
    bot: ConnectedBot, maya: Driver, leo: Driver, guides: Path
) -> None:
    view = await add(maya, str(guides), "G0FIN", name="mugs")
    assert "This is a *folder*" in str(view["blocks"])
    await told(maya, "I have read *mugs*: 1 document can be found from now on.", "G0FIN")
    await maya.command("/knowledge", "search blue mugs")
    await told(maya, "belong to the robot team")
    await leo.command("/knowledge", "search blue mugs")
    shown = await told(leo, "about “blue mugs”")
    assert "robot team" not in str(shown["blocks"])


async def test_a_name_that_is_taken_is_refused_in_the_modal(bot: ConnectedBot, maya: Driver, guides: Path) -> None:
    await maya.command("/knowledge", f"add {guides}")
    view = await maya.wait_for_view()
    answer = await maya.submit_view(view, {"name": "docs"})
    assert "There is a source called “docs” already." in answer["errors"]["name"]


async def test_a_source_that_has_nothing_to_read_is_said_to_have_nothing(
    bot: ConnectedBot, maya: Driver, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    await add(maya, str(tmp_path / "empty"), name="empty")
    await told(maya, "I could not read anything of *empty*.")


async def test_who_is_no_admin_adds_only_channels_that_they_are_in(
    bot: ConnectedBot, leo: Driver, guides: Path
) -> None:
    await leo.command("/knowledge", f"add {guides}")
    await told(leo, "Only an admin can add to what I know.")
    await leo.command("/knowledge", "add #finance")
    await told(leo, "I see no such channel that both you and I are in.")
    await leo.post("C0GENERAL", "The coffee machine on floor three is repaired by Ines on Mondays.")
    view = await add(leo, "#general")
    assert "Everyone: the channel is public" in str(view["blocks"])
    await told(leo, "I have read *#general*")
    await leo.command("/knowledge", "search who repairs the coffee machine")
    await told(leo, "by Ines on Mondays")


async def test_a_private_channel_is_for_its_members_and_unknown_to_others(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.post("G0FIN", "The auditors of Brass and Sons come on the fourth of March at nine.")
    view = await add(maya, "#finance")
    assert "Everyone" not in str(view["blocks"])
    await told(maya, "I have read *#finance*")
    await maya.command("/knowledge", "search when do the auditors come")
    await told(maya, "fourth of March")
    await leo.command("/knowledge")
    assert "#finance" not in str((await told(leo, "*docs*"))["blocks"])
    await leo.command("/knowledge", "forget #finance")
    await told(leo, "There is no source called “#finance”.")


async def test_what_nobody_can_make_sense_of_is_said_with_how_to_add(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/knowledge", "add the wiki")
    await told(maya, "I do not know what “the wiki” is.")
    await maya.command("/knowledge", "add")
    await told(maya, "Write what to add after it")


async def test_a_source_is_forgotten_after_a_question_and_stays_forgotten(
    bot: ConnectedBot, maya: Driver, guides: Path
) -> None:
    await add(maya, str(guides), name="mugs")
    await told(maya, "I have read *mugs*")
    await maya.command("/knowledge", "forget mugs")
    await maya.click(await told(maya, "Shall I forget *mugs* with its 1 document?"), "forget_source")
    await told(maya, "*mugs* and all that came from it are forgotten.")
    await maya.command("/knowledge", "search blue mugs")
    assert "robot team" not in str((await told(maya, "about “blue mugs”"))["blocks"])
    assert [added.spec.name for added in await bot.core.sources.all()] == ["docs", "finance"]


async def test_a_configured_source_says_where_it_is_removed(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await maya.command("/knowledge", "forget docs")
    await told(maya, "“docs” stands in the configuration")
    await leo.command("/knowledge", "forget docs")
    await told(leo, "Only an admin, or who added it, can forget “docs”.")


async def test_a_refresh_is_for_admins_and_says_what_changed(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await leo.command("/knowledge", "refresh")
    await told(leo, "Only an admin can refresh the knowledge.")
    await maya.command("/knowledge", "refresh docs")
    answer = await told(maya, "2 unchanged")
    assert "finance" not in str(answer["blocks"])


async def test_the_button_beside_a_source_refreshes_it(bot: ConnectedBot, maya: Driver, tmp_path: Path) -> None:
    await maya.command("/knowledge")
    listing = await told(maya, "*docs*")
    (tmp_path / "docs" / "news.md").write_text("# News\n\nThe lift is blue.\n", encoding="utf-8")
    await maya.click(listing, "refresh_source")
    await told(maya, "1 new, 2 unchanged")


@pytest.mark.parametrize("place", ["/knowledge", "Home"])
async def test_the_button_flags_the_examples_that_the_changed_document_contradicts(
    bot: ConnectedBot, maya: Driver, tmp_path: Path, place: str
) -> None:
    words = "Everybody has 30 days of vacation a year."
    await bot.core.examples.save("How many days of vacation are there?", words, access.PUBLIC, "U0MAYA")
    await bot.core.checking_examples.run()  # as the clock has before
    (tmp_path / "docs" / "vacation.md").write_text(f"# Vacation\n\n{words.replace('30', '28')}\n", encoding="utf-8")
    if place == "Home":
        await maya.open_home()
        there = await maya.wait_for_home(lambda view: "refresh_source" in str(view["blocks"]))
    else:
        await maya.command("/knowledge")
        there = await told(maya, "*docs*")
    await maya.click(there, "refresh_source")
    await bot.idle(maya)
    await maya.command("/examples", "flagged")
    await told(maya, "Vacation says “Everybody has 28 days of vacation a year.”")


async def test_home_shows_admins_a_button_that_refreshes_a_source(
    bot: ConnectedBot, maya: Driver, leo: Driver, tmp_path: Path
) -> None:
    await leo.open_home()
    assert "refresh_source" not in str((await leo.wait_for_home())["blocks"])
    await maya.open_home()
    home = await maya.wait_for_home(lambda view: "2 documents" in str(view["blocks"]))
    (tmp_path / "docs" / "news.md").write_text("# News\n\nThe lift is blue.\n", encoding="utf-8")
    await maya.click(home, "refresh_source")
    await maya.wait_for_home(lambda view: "3 documents" in str(view["blocks"]))


async def test_a_mistyped_word_is_answered_with_the_nearest(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/knowledge", "serach mugs")
    await told(maya, "Did you mean `/knowledge search`?")
