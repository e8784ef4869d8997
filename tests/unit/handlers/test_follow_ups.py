import pytest

from handlers.messages import speaks_to_the_bot

BOT = "U0SWITCH"
MAYA, LEO = "U0MAYA", "U0LEO"
ASKED = (("user", MAYA), ("assistant", ""))


def test_the_asker_goes_on_asking() -> None:
    assert speaks_to_the_bot("And on Fridays?", MAYA, ASKED, BOT)


def test_two_questions_in_a_row_from_the_only_person_are_both_meant() -> None:
    assert speaks_to_the_bot("One more thing: where?", MAYA, ASKED[:1], BOT)


@pytest.mark.parametrize("text", ["<@U0LEO> can you check?", "<!here> look", "Thanks!", ":tada:"])
def test_words_to_somebody_else_and_thanks_are_not_meant(text: str) -> None:
    assert not speaks_to_the_bot(text, MAYA, ASKED, BOT)


def test_another_person_in_the_thread_speaks_to_the_asker() -> None:
    assert not speaks_to_the_bot("I think so too", LEO, ASKED, BOT)


def test_after_another_person_spoke_the_asker_speaks_to_them() -> None:
    turns = (*ASKED, ("user", LEO))
    assert not speaks_to_the_bot("Since when?", MAYA, turns, BOT)


def test_right_after_the_bots_answer_the_one_who_asked_it_is_meant_again() -> None:
    turns = (*ASKED, ("user", LEO), ("assistant", ""))
    assert speaks_to_the_bot("Until when?", LEO, turns, BOT)
