from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from local_slack import LocalSlack

from bot.domain import Audience, Place, PlaceKind, Question
from deploy.workspace.state import BOT_USER, JSON, Channel, Person
from handlers.audience import UNKNOWN, Places
from handlers.cache import Remembered
from handlers.roster import Roster

ANA, BEN, GUEST, STRANGER, GONE = "U1", "U2", "U3", "U4", "U5"
MEMBERS = frozenset({"everyone", "outsiders"})


class Slack(LocalSlack):
    """A public and a private channel, one with a guest, one that is shared, a group, and a clock."""

    def __init__(self) -> None:
        people = [Person(id, id.lower(), id) for id in (ANA, BEN)]
        people += [
            Person(GUEST, "guest", "Guest", is_restricted=True),
            Person(STRANGER, "stranger", "Stranger", team_id="T0OTHER"),
            Person(GONE, "gone", "Gone", deleted=True),
        ]
        channels = [
            Channel("C1", "general", [ANA, BEN, BOT_USER]),
            Channel("C2", "with-guest", [ANA, GUEST, BOT_USER]),
            Channel("C3", "shared", [ANA, BOT_USER], is_ext_shared=True),
            Channel("G1", "secret", [ANA, GONE, BOT_USER], is_private=True),
            Channel("G2", "more-secret", [ANA, BEN, BOT_USER], is_private=True),
            Channel("G9", "group", [ANA, BEN, BOT_USER], is_private=True, is_mpim=True),
        ]
        super().__init__(people, channels)
        self.now = 0.0
        self.places = Places(self, now=lambda: self.now)
        self.deliveries.listener = self.places.told

    async def scopes(self, channel: str, person: str = ANA, *, private: bool = False) -> frozenset[str]:
        """The scopes of whoever reads an answer there now."""
        place = await self.places.place("T0LOCAL", channel)
        return (await self.places.audience(place, person, private=private)).scopes

    async def told(self) -> None:
        """Waits until the events were heard."""
        await self.core.app.quiet()


@pytest.fixture
async def slack() -> Slack:
    return Slack()


def question(channel: str, kind: PlaceKind, asker: str = ANA, *, private: bool = False) -> Question:
    place = Place(workspace="T0LOCAL", channel=channel, kind=kind, thread="1.0")
    now = datetime.now(UTC)
    return Question(
        id="q", text="?", asker=asker, place=place, audience=Audience.everyone(), asked_at=now, private=private
    )


async def test_a_channel_of_full_members_reads_what_everyone_reads_and_its_own(slack: Slack) -> None:
    assert await slack.scopes("C1") == MEMBERS | {"channel:C1"}
    assert await slack.scopes("G1") == MEMBERS | {"channel:G1"}  # a closed account reads nothing


@pytest.mark.parametrize("channel", ["C2", "C3"])
async def test_where_a_guest_or_another_company_reads_only_outsiders_knowledge_is_used(
    slack: Slack, channel: str
) -> None:
    assert await slack.scopes(channel) == {"outsiders", f"channel:{channel}"}


async def test_somebody_alone_reads_by_what_they_are(slack: Slack) -> None:
    channels = {f"channel:{id}" for id in ("C1", "C2", "C3", "G1", "G2", "G9")}
    assert await slack.scopes("D1") == MEMBERS | {f"user:{ANA}"} | channels
    assert await slack.scopes("C2", GUEST, private=True) == {"outsiders", f"user:{GUEST}", "channel:C2"}
    assert await slack.scopes("D4", STRANGER) == {"outsiders", f"user:{STRANGER}"}
    assert await slack.scopes("D5", GONE) == frozenset()


async def test_a_group_reads_what_each_of_it_reads_alone(slack: Slack) -> None:
    assert await slack.scopes("G9") == MEMBERS | {"channel:C1", "channel:G2", "channel:G9"}
    slack.core.people.change(BEN, {"is_restricted": True})
    await slack.told()
    assert await slack.scopes("G9") == {"outsiders", "channel:C1", "channel:G2", "channel:G9"}


async def test_an_event_counts_at_once(slack: Slack) -> None:
    core = slack.core
    await slack.scopes("C1"), await slack.scopes("G2"), await slack.scopes("D2", BEN)
    core.membership.join(core.state.channels["C1"], GUEST)
    core.people.change(ANA, {"is_restricted": True})
    core.membership.leave(core.state.channels["G2"], BEN)
    await slack.told()
    assert await slack.scopes("C1") == {"outsiders", "channel:C1"}
    assert await slack.scopes("G2") == {"outsiders", "channel:G2"}
    assert "channel:G2" not in await slack.scopes("D2", BEN)
    core.people.change(ANA, {"is_restricted": False})
    core.membership.leave(core.state.channels["C1"], GUEST)
    core.changes.share(core.state.channels["G2"], True)
    await slack.told()
    assert await slack.scopes("C1") == MEMBERS | {"channel:C1"}
    assert await slack.scopes("G2") == {"outsiders", "channel:G2"}


async def test_an_account_that_is_opened_again_reads_at_once_where_it_was(slack: Slack) -> None:
    slack.core.state.channels["C1"].members.append(GONE)
    assert await slack.scopes("C1") == MEMBERS | {"channel:C1"}
    slack.core.people.change(GONE, {"deleted": False, "is_restricted": True})
    await slack.told()
    assert await slack.scopes("C1") == {"outsiders", "channel:C1"}


async def test_a_change_that_no_event_told_of_counts_within_a_minute(slack: Slack) -> None:
    await slack.scopes("C1"), await slack.scopes("G2"), await slack.scopes("D2", BEN)
    slack.deliveries.deaf = True
    slack.core.membership.join(slack.core.state.channels["C1"], GUEST)
    slack.core.people.change(BEN, {"is_restricted": True})
    await slack.told()
    slack.now = 59.9
    assert "everyone" in await slack.scopes("C1")
    slack.now = 60.0
    assert await slack.scopes("C1") == {"outsiders", "channel:C1"}
    assert await slack.scopes("G2") == {"outsiders", "channel:G2"}
    assert "everyone" not in await slack.scopes("D2", BEN)


async def test_where_slack_tells_nothing_the_narrowest_counts_and_the_asker_is_told(slack: Slack) -> None:
    place = await slack.places.place("T0LOCAL", "C1")
    slack.silent, slack.now = True, 60.0
    here = await slack.places.audience(place, ANA)
    alone = await slack.places.audience(place, ANA, private=True)
    assert here.scopes == {"outsiders", "channel:C1"}
    assert alone.scopes == {"outsiders", f"user:{ANA}"}
    assert here.note == alone.note == UNKNOWN
    assert not await slack.places.may_read(ANA, question("C1", PlaceKind.CHANNEL))
    assert (await slack.places.place("T0LOCAL", "C1")).kind is PlaceKind.PRIVATE_CHANNEL


async def test_who_may_see_what_became_of_a_question_is_who_can_read_its_place_now(slack: Slack) -> None:
    may_read = slack.places.may_read
    in_public, in_secret = question("C1", PlaceKind.CHANNEL), question("G2", PlaceKind.PRIVATE_CHANNEL)
    assert [await may_read(each, in_public) for each in (ANA, BEN, GUEST, STRANGER)] == [True, True, False, False]
    assert await may_read(GUEST, question("C2", PlaceKind.CHANNEL))
    assert await may_read(BEN, in_secret)
    slack.core.membership.leave(slack.core.state.channels["G2"], ANA)
    await slack.told()
    assert not await may_read(ANA, in_secret)  # who asked there and left
    assert await may_read(ANA, question("G2", PlaceKind.PRIVATE_CHANNEL, private=True))
    assert not await may_read(BEN, question("C1", PlaceKind.CHANNEL, private=True))
    assert not await may_read(BEN, question("x", PlaceKind.CONSOLE))


async def test_an_earlier_question_is_asked_again_only_for_those_who_would_read_it_now(slack: Slack) -> None:
    audience_of = slack.places.audience_of
    assert (await audience_of(question("C1", PlaceKind.CHANNEL))).scopes == MEMBERS | {"channel:C1"}
    assert (await audience_of(question("C1", PlaceKind.PRIVATE_CHANNEL))).scopes == {"outsiders"}
    assert (await audience_of(question("G2", PlaceKind.PRIVATE_CHANNEL, GUEST))).scopes == {"outsiders"}
    assert f"user:{BEN}" in (await audience_of(question("C1", PlaceKind.CHANNEL, BEN, private=True))).scopes


async def test_people_of_an_organisation_are_members_of_each_workspace_that_they_are_in(slack: Slack) -> None:
    roster = Roster(slack)
    of_another = slack.core.state.people[BEN]
    of_another.team_id = "T0SECOND"
    assert (await roster.standing(BEN)).value == "outsider"
    assert await roster.any_outsider([ANA, BEN])
    user: JSON = {"id": BEN, "team_id": "T0SECOND", "enterprise_user": {"teams": ["T0SECOND", "T0LOCAL"]}}
    await roster.told(user)
    assert not await roster.any_outsider([ANA, BEN])
    await roster.told({**user, "enterprise_user": {"teams": ["T0SECOND"]}})
    assert await roster.any_outsider([ANA, BEN])


async def test_many_people_that_no_list_names_are_taken_for_outsiders(slack: Slack) -> None:
    roster = Roster(slack)
    assert not await roster.any_outsider([ANA, BEN])
    new = [f"U9{number}" for number in range(21)]
    slack.core.state.people |= {id: Person(id, id, id) for id in new}
    assert not await roster.any_outsider(new[:20])
    assert await roster.any_outsider(new)


async def test_what_is_forgotten_while_it_is_asked_for_is_asked_for_again() -> None:
    asked, answers = asyncio.Event(), ["old", "new"]
    go_on = asyncio.Event()

    async def load(key: str) -> str:
        said = answers.pop(0)
        asked.set()
        await go_on.wait()
        return said

    remembered = Remembered(load, 60.0)
    getting = asyncio.create_task(remembered.get("C1"))
    await asked.wait()
    remembered.forget("C1")
    go_on.set()
    assert await getting == "new"
    assert await remembered.get("C1") == "new"
    assert answers == []


async def test_the_age_of_what_slack_said_counts_from_when_it_was_asked() -> None:
    clock, said = [0.0], ["old", "new"]

    async def load(key: str) -> str:
        clock[0] += 10.0  # Slack takes its time
        return said.pop(0)

    remembered = Remembered(load, 60.0, now=lambda: clock[0])
    assert await remembered.get("C1") == "old"
    clock[0] = 59.0
    assert await remembered.get("C1") == "old"
    clock[0] = 60.0
    assert await remembered.get("C1") == "new"
