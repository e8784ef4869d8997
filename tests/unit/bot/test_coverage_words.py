from __future__ import annotations

from bot.people.coverage import Topic
from bot.people.coverage_words import lines


def topic(name: str, count: int, before: int = 0, example: str = "", owner: str | None = None) -> Topic:
    return Topic(name=name, count=count, before=before, example=example, owner=owner)


VPN = topic("vpn, certificate", 5, 2, "Why is  my VPN\ncertificate expired?", "U0SAM")


def test_each_topic_is_a_line_and_those_that_do_not_fit_and_the_private_ones_are_counted() -> None:
    topics = [VPN, topic("", 4, 1), topic("lunch", 3), topic("printer", 2), topic("", 1)]
    assert lines(topics, "last week", most=1, more="`/switchboard coverage`") == [
        "15 questions of last week found no good answer.",
        "• vpn, certificate (5, 2 the week before): “Why is my VPN certificate expired?” · ask U0SAM",
        "• and 2 more topics (5 questions): `/switchboard coverage`",
        "• Asked in private (5, 1 the week before)",
    ]


def test_where_all_fit_nothing_is_left_over_and_one_is_no_plural() -> None:
    assert lines([topic("lunch", 1)], "last week", most=3, more="elsewhere") == [
        "1 question of last week found no good answer.",
        "• lunch (1, new this week)",
    ]
    assert lines([], "last week", most=3, more="elsewhere") == []


def test_persons_and_words_of_people_are_written_as_the_place_wants_and_long_ones_are_cut() -> None:
    long = topic("<vpn>", 1, example="<!channel> " + "why " * 100, owner="U0SAM")
    (_, line) = lines([long], "last week", most=3, more="", owner=lambda _: "Sam", plain=lambda text: text.upper())
    assert line.startswith("• <VPN> (1, new this week): “<!CHANNEL> WHY WHY")
    assert line.endswith("WHY…” · ask Sam")
    assert len(line) < 200
