"""Circuit breakers, with a clock that the test winds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.models.breakers import (
    FAULTS,
    LEAST_CALLS,
    LONGEST_PAUSE_SECONDS,
    PAUSE_SECONDS,
    PROBE_SECONDS,
    WINDOW_SECONDS,
    Breakers,
)
from bot.models.cards import ModelCard

START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
WRITER = ModelCard(name="writer", provider="house", context_window=8192)
OTHER = ModelCard(name="other", provider="house", context_window=8192)


@dataclass
class Watch:
    """Seconds that went by, as both clocks tell them."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def breakers(watch: Watch) -> Breakers:
    return Breakers(clock=watch.now, zone=ZoneInfo("Europe/Berlin"), monotonic=watch.monotonic)


def note(breakers: Breakers, *outcomes: str, card: ModelCard = WRITER) -> None:
    for outcome in outcomes:
        breakers.note(card.provider, card.name, outcome)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_model_that_fails_half_of_its_last_calls_is_left_alone_and_the_sentence_says_until_when(
    breakers: Breakers, fault: str
) -> None:
    note(breakers, *["answered"] * 4, fault, fault, fault)
    assert breakers.broken([WRITER]) == {}
    note(breakers, fault)
    assert breakers.broken([WRITER, OTHER]) == {
        "writer": "“writer” failed 4 of its last 8 calls; it is tried again at 14:01."
    }
    assert not breakers.claim(WRITER)


def test_a_few_calls_say_nothing(breakers: Breakers) -> None:
    note(breakers, *["unavailable"] * (LEAST_CALLS - 1))
    assert breakers.claim(WRITER)


@pytest.mark.parametrize("outcome", ["unauthorized", "not_found", "context_too_long", "stopped", "failed"])
def test_what_no_pause_mends_or_a_person_stopped_does_not_count(breakers: Breakers, outcome: str) -> None:
    note(breakers, *[outcome] * 20)
    assert breakers.broken([WRITER]) == {}


def test_failures_of_long_ago_are_forgotten(breakers: Breakers, watch: Watch) -> None:
    note(breakers, *["unavailable"] * (LEAST_CALLS - 1))
    watch.seconds = WINDOW_SECONDS + 1
    note(breakers, "unavailable")
    assert breakers.broken([WRITER]) == {}


def test_a_model_that_begins_too_late_is_left_alone_like_one_that_fails(breakers: Breakers) -> None:
    for _ in range(3):
        breakers.note("house", "writer", "answered", slow=True)
    note(breakers, "timed_out")
    breakers.overtaken(WRITER)
    why = breakers.broken([WRITER])["writer"]
    assert why == "“writer” failed 1 and began too late in 4 of its last 5 calls; it is tried again at 14:01."


def test_after_the_pause_one_call_tries_it_and_closes_the_breaker_where_it_goes_well(
    breakers: Breakers, watch: Watch
) -> None:
    note(breakers, *["unavailable"] * LEAST_CALLS)
    watch.seconds = PAUSE_SECONDS
    assert breakers.broken([WRITER]) == {}
    assert breakers.claim(WRITER)
    assert breakers.broken([WRITER])["writer"].endswith("it is being tried again just now.")
    assert not breakers.claim(WRITER)
    note(breakers, "answered")
    assert breakers.broken([WRITER]) == {}
    note(breakers, *["unavailable"] * (LEAST_CALLS - 1))
    assert breakers.claim(WRITER)  # what was before does not count any more


def test_each_try_in_vain_doubles_the_pause_up_to_a_quarter_of_an_hour(breakers: Breakers, watch: Watch) -> None:
    note(breakers, *["unavailable"] * LEAST_CALLS)
    pause, pauses = PAUSE_SECONDS, []
    for _ in range(6):
        watch.seconds += pause
        assert breakers.claim(WRITER)
        note(breakers, "timed_out")
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        pauses.append(pause)
        watch.seconds += pause - 1
        assert not breakers.claim(WRITER)
        watch.seconds -= pause - 1
    assert pauses == [120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize("outcome", ["stopped", "unauthorized"])
def test_a_probe_that_says_nothing_about_the_model_leaves_the_next_one_to_tell(
    breakers: Breakers, watch: Watch, outcome: str
) -> None:
    note(breakers, *["unavailable"] * LEAST_CALLS)
    watch.seconds = PAUSE_SECONDS
    assert breakers.claim(WRITER)
    note(breakers, outcome)
    assert breakers.claim(WRITER)


def test_a_probe_of_which_nothing_was_heard_is_given_up(breakers: Breakers, watch: Watch) -> None:
    note(breakers, *["unavailable"] * LEAST_CALLS)
    watch.seconds = PAUSE_SECONDS
    assert breakers.claim(WRITER)
    watch.seconds += PROBE_SECONDS
    assert breakers.claim(WRITER)


def test_calls_that_end_late_change_nothing_while_the_model_is_left_alone(breakers: Breakers, watch: Watch) -> None:
    note(breakers, *["unavailable"] * LEAST_CALLS)
    watch.seconds = PAUSE_SECONDS - 1
    note(breakers, "answered", "unavailable")
    assert not breakers.claim(WRITER)
    watch.seconds = PAUSE_SECONDS
    assert breakers.claim(WRITER)


def test_a_server_that_fails_all_calls_to_two_models_takes_all_its_models_out(breakers: Breakers) -> None:
    third = WRITER.model_copy(update={"name": "third"})
    elsewhere = WRITER.model_copy(update={"name": "elsewhere", "provider": "abroad"})
    note(breakers, *["unavailable"] * 3)
    note(breakers, "timed_out", "unavailable", card=OTHER)
    said = "The models of “house” failed 5 of their last 5 calls; they are tried again at 14:01."
    assert breakers.broken([WRITER, OTHER, third, elsewhere]) == dict.fromkeys(("writer", "other", "third"), said)


def test_one_model_that_answers_shows_that_the_server_is_up(breakers: Breakers) -> None:
    note(breakers, "answered", card=OTHER)
    note(breakers, *["unavailable"] * 4)
    note(breakers, "unavailable", card=OTHER)
    assert breakers.broken([OTHER]) == {}


def test_what_an_earlier_process_tried_is_taken_in(breakers: Breakers, watch: Watch) -> None:
    ago = timedelta(seconds=30)
    breakers.recall([("house", "writer", "unavailable", START - ago)] * 5)
    assert breakers.broken([WRITER])["writer"] == "“writer” failed 5 of its last 5 calls; it is tried again at 14:01."


@pytest.mark.parametrize(
    ("ago", "newest"), [(WINDOW_SECONDS + 60, "unavailable"), (30.0, "answered"), (-30.0, "unavailable")]
)
def test_what_is_old_or_went_well_in_the_end_or_has_not_been_yet_is_not_held_against_it(
    breakers: Breakers, ago: float, newest: str
) -> None:
    at = START - timedelta(seconds=ago)
    breakers.recall([*[("house", "writer", "unavailable", at)] * 5, ("house", "writer", newest, at)])
    assert breakers.broken([WRITER]) == {}


def test_a_wall_clock_that_jumps_back_keeps_no_model_away_for_longer(watch: Watch) -> None:
    jumps = iter([START, START - timedelta(days=1), START - timedelta(days=1)])
    breakers = Breakers(clock=lambda: next(jumps), monotonic=watch.monotonic)
    note(breakers, *["unavailable"] * LEAST_CALLS)
    watch.seconds = PAUSE_SECONDS
    assert breakers.claim(WRITER)
