"""Which setting holds for a question, on both databases: pins, allow-lists, trials and the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.domain import Audience, Place, PlaceKind, Question, StrategyName
from bot.errors import ModelNotFound, ModelUnauthorized, NotAllowed, UnknownModel
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE, Catalogue, Provider, load_catalogue
from bot.models.registry import Models
from bot.selection.allow_lists import AllowLists
from bot.selection.channels import Channels
from bot.selection.data_rules import NO_CHANNEL, NOT_LISTED, STAYS, DataRules
from bot.selection.pins import EVERYWHERE, Pins, thread_key
from bot.selection.switches import Switched, Switches
from bot.selection.trials import Trials

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HERE = "C0HELP"
KEYS = {"thread": thread_key(HERE, "1.1"), "person": "U0ANA", "channel": HERE, "workspace": EVERYWHERE}


@dataclass
class Desk:
    """What decides, over a catalogue of four models that are called nowhere; `now` is the trials' clock."""

    pins: Pins
    lists: AllowLists
    channels: Channels
    trials: Trials
    rules: DataRules
    models: Models
    now: datetime = NOW

    def switches(self, default: str = "auto") -> Switches:
        return Switches(self.pins, self.trials, self.rules, self.models, default)

    async def of(self, default: str = "auto", **fields: object) -> Switched:
        place = Place(workspace="T1", channel=HERE, kind=PlaceKind.CHANNEL, thread="1.1")
        question = Question(id="q1", text="?", asker="U0ANA", place=place, audience=Audience.everyone(), asked_at=NOW)
        return await self.switches(default).of(replace(question, **fields))  # type: ignore[arg-type]


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    house = Provider(name="house", base_url="http://127.0.0.1:9/v1", local=True)
    paid = Provider(name="paid", base_url="http://198.51.100.1:9/v1", api_key_env="PAID_KEY")
    cards = [
        ModelCard(name=name, provider=provider, context_window=8000, task=task)
        for name, provider, task in (
            ("small", "house", "chat"),
            ("large", "house", "chat"),
            ("cloud", "paid", "chat"),
            ("drawer", "house", "image"),
        )
    ]
    shipped = load_catalogue()
    catalogue = Catalogue([*cards, shipped.get(OFFLINE)], [house, paid, shipped.providers[OFFLINE]])
    models = Models(catalogue, keys={"paid": SecretStr("key")}, embedder=WordsEmbedder())
    lists, channels = AllowLists(engine, lambda: NOW), Channels(engine, lambda: NOW)
    found: Desk

    def clock() -> datetime:
        return found.now

    rules = DataRules(channels, models, lists)
    found = Desk(Pins(engine, lambda: NOW), lists, channels, Trials(engine, clock), rules, models)
    return found


async def test_the_strongest_setting_holds_and_the_others_are_told_as_overruled(desk: Desk) -> None:
    await desk.trials.start(HERE, "cloud", 0.999, by="U9")
    for scope, model in (("workspace", "small"), ("channel", "large"), ("person", "small"), ("thread", "LARGE")):
        await desk.pins.set(scope, KEYS[scope], model=model, by="U9", reason=f"of the {scope}")  # type: ignore[arg-type]
    order = ["question", "thread", "person", "trial", "channel", "workspace", "configured"]
    found = await desk.of(default="small", model="small")
    assert [setting.pin.scope for setting in found.settings] == order
    assert [setting.state for setting in found.settings] == ["applies"] + ["overruled"] * 6
    holding = []
    for scope in order[1:-1]:
        told = await desk.of(default="small")
        assert told.holding is not None
        holding.append((told.holding.pin.scope, told.model, told.holding.pin.why))
        if scope == "trial":
            await desk.trials.stop(HERE, "U9")
        else:
            await desk.pins.clear(scope, KEYS[scope], by="U0ANA")  # type: ignore[arg-type]
    assert holding == [
        ("thread", "large", "of the thread"),
        ("person", "small", "of the person"),
        ("trial", "cloud", ""),
        ("channel", "large", "of the channel"),
        ("workspace", "small", "of the workspace"),
    ]
    assert (await desk.of(default="small")).model == "small"
    assert (await desk.of()).holding is None


async def test_both_lists_hold_and_each_can_be_taken_back(desk: Desk) -> None:
    assert await desk.rules.barred(HERE) == {}
    await desk.lists.set("workspace", "", ["provider:house"], by="U9", reason="the contract")
    await desk.lists.set("channel", HERE, ["small", "cloud"], by="U8")
    assert await desk.rules.barred(HERE) == {"large": NOT_LISTED["channel"], "cloud": NOT_LISTED["workspace"]}
    assert await desk.rules.barred("C0OTHER") == {"cloud": NOT_LISTED["workspace"]}
    assert await desk.rules.barred(NO_CHANNEL) == {"cloud": NOT_LISTED["workspace"]}
    assert [(one.scope, one.entries, one.by, one.at, one.why) for one in await desk.lists.of(HERE)] == [
        ("workspace", ("provider:house",), "U9", NOW, "the contract"),
        ("channel", ("small", "cloud"), "U8", NOW, ""),
    ]
    assert await desk.lists.channels() == {HERE}
    await desk.lists.set("channel", HERE, ["large"], by="U9")
    assert set(await desk.rules.barred(HERE)) == {"small", "cloud"}
    assert await desk.lists.clear("channel", HERE, by="U8")
    assert not await desk.lists.clear("channel", HERE, by="U8")
    assert await desk.lists.clear("workspace", "", by="U9")
    assert await desk.rules.barred(HERE) == {}


async def test_what_stays_here_and_what_is_not_listed_are_both_kept_out(desk: Desk) -> None:
    await desk.channels.set_local(HERE, True, "U9")
    await desk.lists.set("channel", HERE, ["small", "cloud"], by="U9")
    assert await desk.rules.barred(HERE) == {"large": NOT_LISTED["channel"], "cloud": STAYS}
    with pytest.raises(NotAllowed, match=r"“large” is one of them, so it cannot be asked\. These may be used: “small”"):
        await desk.rules.check(HERE, desk.models.card("large"))
    await desk.rules.check(HERE, desk.models.card("small"))


@pytest.mark.parametrize("scope", ["thread", "person", "channel", "workspace"])
async def test_a_fixed_model_that_is_not_allowed_is_passed_over_for_the_next_that_is(desk: Desk, scope: str) -> None:
    await desk.pins.set(scope, KEYS[scope], model="large", strategy=StrategyName.RAG, by="U9")  # type: ignore[arg-type]
    await desk.lists.set("workspace", "", ["small"], by="U9")
    found = await desk.of(default="small")
    assert found.refusal is None
    assert found.model == "small"
    assert [(setting.pin.scope, setting.state) for setting in found.settings] == [
        (scope, "barred"),
        ("configured", "applies"),
    ]
    assert [pin.strategy for pin in found.pins if pin.scope == scope] == [StrategyName.RAG]
    assert len(found.said) == 1
    assert "“large” is" in found.said[0]
    assert "passed over: the workspace's allow-list leaves some models out" in found.said[0]


async def test_a_configured_model_that_is_not_allowed_leaves_the_choice_to_the_selector_and_says_so(desk: Desk) -> None:
    await desk.lists.set("channel", HERE, ["small"], by="U9")
    found = await desk.of(default="large")
    assert found.model is None
    assert found.holding is None
    assert found.said[0].startswith("“large” is the configured default model, but cannot be asked here")


async def test_a_model_asked_for_with_the_question_is_refused_where_it_is_not_allowed(desk: Desk) -> None:
    await desk.lists.set("channel", HERE, ["small"], by="U9")
    await desk.pins.set("channel", HERE, model="small", by="U9")
    refusal = (await desk.of(model="large")).refusal
    assert isinstance(refusal, NotAllowed)
    assert "This channel's allow-list leaves some models out." in str(refusal)


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("lrge", UnknownModel, "Did you mean large"),
        ("drawer", ModelNotFound, "“drawer” answers no questions"),
        ("cloud", ModelUnauthorized, "set PAID_KEY and start again"),
    ],
)
async def test_a_model_that_cannot_be_asked_is_refused_with_the_way_out(
    engine: AsyncEngine, desk: Desk, name: str, error: type[Exception], sentence: str
) -> None:
    desk.models = Models(desk.models.catalogue, keys={}, embedder=WordsEmbedder())
    refusal = (await desk.of(model=name)).refusal
    assert isinstance(refusal, error)
    assert sentence in str(refusal)
    await desk.pins.set("channel", HERE, model=name, by="U9")
    found = await desk.of()
    assert isinstance(found.refusal, error)
    assert [setting.state for setting in found.settings] == ["broken"]


async def test_a_trial_takes_its_share_of_what_the_channel_asks_and_leaves_the_rest_as_before(desk: Desk) -> None:
    await desk.pins.set("channel", HERE, model="small", by="U9")
    trial = await desk.trials.start(HERE, "large", 0.3, by="U9", reason="is it better?")
    assert trial is not None
    models = {number: (await desk.of(id=f"q{number}")) for number in range(60)}
    drawn = {number for number, found in models.items() if found.model == "large"}
    assert drawn == {number for number in range(60) if trial.draws(f"q{number}")}
    assert 5 < len(drawn) < 35
    for number, found in models.items():
        assert found.arm is not None
        assert found.arm.drawn is (number in drawn)
        other_side = next(pin.model for pin in found.arm.others if pin.scope in ("channel", "trial"))
        assert other_side == ("small" if number in drawn else "large")
    other = next(found for number, found in models.items() if number not in drawn)
    assert other.model == "small"
    assert other.said == (
        "A trial of “large” runs in this channel; this question is among the other 70%, which are answered as before.",
    )
    told = await desk.of(id="")
    assert [(setting.pin.scope, setting.state) for setting in told.settings] == [
        ("trial", "share"),
        ("channel", "applies"),
    ]
    elsewhere = Place(workspace="T1", channel="C0OTHER", kind=PlaceKind.CHANNEL)
    assert (await desk.of(place=elsewhere)).trial is None


@pytest.mark.parametrize("stronger", ["question", "thread", "person"])
async def test_a_question_with_a_model_of_its_own_is_no_part_of_a_trial(desk: Desk, stronger: str) -> None:
    await desk.trials.start(HERE, "large", 0.999, by="U9")
    if stronger in ("thread", "person"):
        await desk.pins.set(stronger, KEYS[stronger], model="small", by="U1")  # type: ignore[arg-type]
    found = await desk.of(model="small" if stronger == "question" else None)
    assert found.model == "small"
    assert found.arm is None


@pytest.mark.parametrize("rule", ["list", "local"])
async def test_a_trial_pauses_while_its_model_may_not_be_asked(desk: Desk, rule: str) -> None:
    await desk.trials.start(HERE, "cloud", 0.999, by="U9")
    if rule == "list":
        await desk.lists.set("workspace", "", ["small"], by="U9")
    else:
        await desk.channels.set_local(HERE, True, "U9")
    found = await desk.of()
    assert found.model is None
    assert found.arm is None
    assert [setting.state for setting in found.settings] == ["barred"]
    assert found.said[0].startswith("“cloud” is on trial in this channel, but cannot be asked here")


async def test_one_trial_runs_at_a_time_and_ends_by_itself(desk: Desk) -> None:
    first = await desk.trials.start(HERE, "large", 0.2, by="U9", ends_at=NOW + timedelta(days=14))
    assert first is not None
    assert await desk.trials.start(HERE, "small", 0.2, by="U9") is None
    assert await desk.trials.start("C0OTHER", "small", 0.2, by="U9") is not None
    assert {trial.channel for trial in await desk.trials.all_running()} == {HERE, "C0OTHER"}
    desk.now = NOW + timedelta(days=14)
    assert await desk.trials.running(HERE) is None
    assert await desk.trials.stop(HERE, "U9") is None
    assert (await desk.of()).trial is None
    last = await desk.trials.last(HERE)
    assert last == first
    assert not first.runs(desk.now)
    second = await desk.trials.start(HERE, "small", 0.5, by="U8", reason="again")
    assert second is not None
    stopped = await desk.trials.stop(HERE, "U7")
    assert stopped == replace(second, stopped_by="U7", stopped_at=desk.now)
    assert await desk.trials.stop(HERE, "U7") is None
    assert await desk.trials.last("C0NOBODY") is None
