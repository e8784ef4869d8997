"""Whoever waits is told how long, by what those before them took."""

from __future__ import annotations

from handlers.waiting import WaitingRoom, about


def test_how_long_somebody_waits_follows_from_who_is_before_them_and_how_fast_it_goes() -> None:
    now = [0.0]
    room = WaitingRoom(10, now=lambda: now[0])
    assert not room.enter("1", {})
    assert room.words("1") == ""
    entered = [room.enter(str(number), {}) for number in range(2, 101)]
    assert entered.count(True) == 95  # one a second until it is known how fast it goes: the first five wait no longer
    assert room.words("100") == "Many are asking just now: it will take about 2 minutes."
    now[0] = 10.0
    for number in range(1, 41):
        room.served()
        room.leave(str(number))
    assert room.words("100") == "Many are asking just now: it will take about 20 seconds."
    assert room.words("7") == ""


def test_lengths_of_time_are_told_as_people_say_them() -> None:
    assert [about(seconds) for seconds in (3, 41, 56, 61, 600)] == [
        "about 10 seconds",
        "about 50 seconds",
        "about a minute",
        "about 2 minutes",
        "about 10 minutes",
    ]
