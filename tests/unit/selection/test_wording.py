from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain import Audience, Place, PlaceKind, Question, Turn
from bot.errors import UnusableQuestion
from bot.selection.wording import MAX_CHARACTERS, is_own_affair, leans, plain, search_text, sought, usable


def asked(text: str, *history: Turn) -> Question:
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    audience = Audience.everyone()
    return Question(id="q", text=text, asker="U1", place=place, audience=audience, asked_at=now, history=history)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("<@U0SWITCH> How do we deploy?", "How do we deploy?"),
        ("<@U0SWITCH|switchboard> how do we deploy", "how do we deploy"),
        ("@switchboard how do we deploy", "how do we deploy"),
        ("Hey team, how do we deploy? Thanks!", "how do we deploy?"),
        ("hi there <@U0SWITCH> - quick question: how do we deploy? thanks a lot", "how do we deploy?"),
        ("Good morning everyone! How do we deploy? Many thanks in advance :)", "How do we deploy?"),
        ("Hi Maya, sorry to bother you: how do we deploy? Much appreciated!", "how do we deploy?"),
        ("Hello! Hope you are well. How do we deploy? Have a great day :wave:", "How do we deploy?"),
        ("Dear colleagues, how do we deploy? Thanks for your help", "how do we deploy?"),
        ("morning! how do we deploy? thanks, Leo", "how do we deploy?"),
        ("Quick question about deploying", "Quick question about deploying"),
        ("Who is the morning person?", "Who is the morning person?"),
        ("What does it say, thanks or please?", "What does it say, thanks or please?"),
        ("Hallo zusammen, wie deployen wir? Danke im voraus", "wie deployen wir?"),
        ("History of the release process", "History of the release process"),
        ("What did <@U0MAYA> decide?", "What did decide?"),
        ("Why is our thanks page broken", "Why is our thanks page broken"),
        ("Highlight the yolk: thankless", "Highlight the yolk: thankless"),
        ("thanks!", "thanks!"),
        ("hello", "hello"),
        ("mail me@example.com about it", "mail me@example.com about it"),
    ],
)
def test_only_mentions_greetings_and_thanks_are_taken_off(text: str, own: str) -> None:
    assert plain(text) == own


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("Could you please tell me how we deploy?", "how we deploy?"),
        ("hey, does anyone here know how we deploy? thx", "how we deploy?"),
        ("I was wondering, how do we deploy?", "how do we deploy?"),
        ("Hi! I have a question: how do we deploy?", "how do we deploy?"),
        ("Kannst du mir bitte sagen, wie wir deployen?", "wie wir deployen?"),
        ("Can you tell me?", "?"),
        ("Does the bot know Python?", "Does the bot know Python?"),
    ],
)
def test_requests_to_be_told_are_not_searched_for(text: str, searched: str) -> None:
    assert sought(text) == (searched if searched != "?" else text)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Who is on call for our database?", True),
        ("How do we rotate the signing key?", True),
        ("Wann ist unser nächstes Release?", True),
        ("What was decided in <#C0OPS|ops>?", True),
        ("What is the capital of France?", False),
        ("Write a poem about our new office", False),
        ("Translate “we are late” into French", False),
        ("What " + "is said about our company in this long text " * 6, False),
    ],
)
def test_questions_about_the_team_itself_are_told_by_their_words(text: str, own: bool) -> None:
    assert is_own_affair(text) is own


def test_line_breaks_and_code_of_a_question_stay() -> None:
    code = "```\nif ready:\n    make  run\n```"
    assert plain(f"Hi, why does this fail?\n{code}") == f"why does this fail?\n{code}"


@pytest.mark.parametrize("text", ["", "  ", "<@U1>", ":tada: :+1:", "🎉", "?!", "<@U1> <!here>"])
def test_what_has_no_words_is_no_question(text: str) -> None:
    with pytest.raises(UnusableQuestion, match="no question"):
        usable(asked(text))


def test_the_longest_question_is_read_and_a_longer_one_refused_with_the_limit() -> None:
    assert usable(asked("x" * MAX_CHARACTERS))
    with pytest.raises(UnusableQuestion, match="12,001 characters; I can read up to 12,000"):
        usable(asked("x" * (MAX_CHARACTERS + 1)))


def test_the_ends_of_a_long_question_are_cleaned_too() -> None:
    body = "word " * 2000 + "end?"
    assert plain(f"Hi team, {body} Thanks!") == body


def test_a_short_follow_up_is_searched_for_behind_the_persons_last_words() -> None:
    history = (Turn("user", "<@U1> How do we deploy?", "U1"), Turn("assistant", "With robotctl.", ""))
    assert search_text(asked("And on staging?", *history)) == "How do we deploy? And on staging?"
    whole = "How long does a canary release take in the end?"
    assert search_text(asked(whole, *history)) == whole
    assert search_text(asked("And on staging?")) == "And on staging?"


@pytest.mark.parametrize(
    ("text", "leans_on_it"),
    [
        ("And on staging?", True),
        ("What about the servers in the second data centre then?", True),
        ("Who has to be asked before anybody may start it?", True),
        ("How long does that take on the release host?", True),
        ("Does the rollback of the database work like that?", True),
        ("Und wie lange dauert es in der Nacht auf Sonntag?", True),
        ("Is it possible to connect a second workspace to one bot?", False),
        ("Are there any holidays on which nobody may deploy anything?", False),
        ("How many days of vacation does an engineer in Berlin have?", False),
    ],
)
def test_a_question_leans_on_its_thread_where_it_points_to_it_or_goes_on(text: str, leans_on_it: bool) -> None:
    history = (Turn("user", "How do we roll back?", "U1"), Turn("assistant", "With robotctl.", ""))
    assert leans(asked(text, *history)) is leans_on_it
    assert not leans(asked(text))


def test_a_chain_of_follow_ups_is_searched_for_behind_the_question_that_stands_alone() -> None:
    said = ("Who repairs the arm?", "How do we deploy the web shop to the customers?", "And on staging?")
    history = tuple(Turn("user", text, "U1") for text in said)
    assert search_text(asked("How long?", *history)) == (
        "How do we deploy the web shop to the customers? And on staging? How long?"
    )
