"""What of a channel is knowledge, and what is small talk."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.sources.slack.noise import addresses, is_spoken, says_something

SOMETHING = [
    "The staging cluster moved to eu-west-2 last night, use the new kubeconfig",
    "Error E4711 means that the queue is full, so restart the worker",
    "fixed: `make clean`",
    "<https://runbooks.example/queue>",
    "hey everybody, the build server is down until three, please do not push to main",
    "本番環境のデプロイは毎週火曜日の十時です",
    "次の会議は午後三時に始まります",
]
SMALL_TALK = [
    "hi",
    "good morning everyone! :wave: :sunny:",
    "thanks a lot for all the help with that today",
    "Happy birthday <@U0LEO>, have a wonderful day with your family",
    ":tada: :tada: :tada:",
    "lunch at 12?",
    "<!here> anyone?",
    "+1",
    "",
    "おはよう",
]


@pytest.mark.parametrize("text", SOMETHING)
def test_a_message_that_says_something_is_kept(text: str) -> None:
    assert says_something({"text": text})


@pytest.mark.parametrize("text", SMALL_TALK)
def test_small_talk_is_left_out(text: str) -> None:
    assert not says_something({"text": text})


def test_a_file_or_a_forwarded_message_says_something_without_words() -> None:
    assert says_something({"text": "", "files": [{"id": "F1", "name": "plan.pdf"}]})
    assert says_something({"text": "", "attachments": [{"is_share": True, "text": "The port is 8443."}]})
    assert not says_something({"text": "", "attachments": [{"text": "a preview of a link"}]})


@pytest.mark.parametrize(
    "message",
    [
        {"user": "U0MAYA", "subtype": "channel_join"},
        {"user": "U0MAYA", "subtype": "channel_topic"},
        {"user": "U0BOT", "bot_id": "B1"},
        {"subtype": "bot_message", "username": "ci"},
        {"user": "USLACKBOT"},
        {"user": "USLACKBOT", "subtype": "tombstone"},
    ],
)
def test_what_programs_and_slack_itself_say_is_not_spoken(message: dict[str, Any]) -> None:
    assert not is_spoken({"text": "A long message that would say something by its words alone", **message})


@pytest.mark.parametrize("subtype", [None, "file_share", "me_message", "thread_broadcast"])
def test_what_people_say_is_spoken(subtype: str | None) -> None:
    assert is_spoken({"user": "U0MAYA", "text": "yes", "subtype": subtype})


def test_a_message_to_the_bot_is_known_with_and_without_a_label() -> None:
    assert addresses({"text": "<@U0SWITCH> when?"}, "U0SWITCH")
    assert addresses({"text": "and <@U0SWITCH|switchboard>?"}, "U0SWITCH")
    assert not addresses({"text": "<@U0SWITCHER> when?"}, "U0SWITCH")
