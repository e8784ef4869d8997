import pytest

from handlers import text

BOT = "U0SWITCH"


def test_the_bots_mention_is_taken_out_of_the_question() -> None:
    assert text.said("<@U0SWITCH> how do I deploy?", BOT) == "how do I deploy?"


def test_slacks_entities_become_plain_words() -> None:
    said = text.said("See <https://x.example/a|the page> and <#C1|general> &amp; <https://y.example>", BOT)
    assert said == "See the page (https://x.example/a) and #general & https://y.example"


def test_code_stays_as_it_was_written() -> None:
    assert text.said("run `<@U0SWITCH> &lt;x&gt;` now", BOT) == "run `<@U0SWITCH> <x>` now"


@pytest.mark.parametrize("quoted", ["`<@U0SWITCH>`", "```\n<@U0SWITCH> hi\n```", "```<@U0SWITCH> never closed"])
def test_a_mention_inside_code_mentions_nobody(quoted: str) -> None:
    assert text.mentioned(f"look: {quoted}") == ()


def test_a_mention_outside_code_counts_beside_one_inside() -> None:
    assert text.mentioned("<@U0SWITCH> what does `<@U0LEO>` mean?") == ("U0SWITCH",)


@pytest.mark.parametrize("empty", ["", ":wave: :+1::skin-tone-2:", "🎉🎉", "?!", " \n"])
def test_emoji_and_punctuation_are_no_words(empty: str) -> None:
    assert not text.has_words(empty)


@pytest.mark.parametrize("words", ["hi", "どうすればいい", "كيف", "7"])
def test_any_script_has_words(words: str) -> None:
    assert text.has_words(words)


@pytest.mark.parametrize("thanks", ["Thanks!", "thank you :pray:", "OK.", "Danke"])
def test_thanks_want_no_answer(thanks: str) -> None:
    assert text.is_courtesy(thanks)


def test_a_question_that_begins_with_thanks_is_no_courtesy() -> None:
    assert not text.is_courtesy("Thanks, and on Windows?")


@pytest.mark.parametrize(
    "words",
    [
        "help",
        "What can you do?",
        "hey, what can you do for us? :wave:",
        "Who are you?",
        "What is this bot?",
        "Was kannst du?",
    ],
)
def test_what_the_bot_is_and_can_do_is_a_call_for_help(words: str) -> None:
    assert text.asks_for_help(words)


@pytest.mark.parametrize(
    "words",
    ["Help me reset my password", "What can you do about a failed deploy?", "Who are you calling in an incident?", "?"],
)
def test_a_question_about_anything_else_is_no_call_for_help(words: str) -> None:
    assert not text.asks_for_help(words)


@pytest.mark.parametrize("question", ["Where is it?", "どこですか？", "أين؟"])
def test_a_question_mark_of_any_script_makes_a_question(question: str) -> None:
    assert text.is_question(question)


def test_a_question_mark_in_code_asks_nothing() -> None:
    assert not text.is_question("I used `a ? b : c` there")
