from dataclasses import replace

import pytest
from week_reports import empty, question, report, total

from bot.costs.report_words import as_text, headline


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        ("4.18", "4.75", "Last week cost $4.18, 12% less than the week before, for 231 answers."),
        ("4.18", "4", "Last week cost $4.18, 4% more than the week before, for 231 answers."),
        ("0.0042", "0.0042", "Last week cost $0.0042, the same as the week before, for 231 answers."),
        ("4.001", "4", "Last week cost $4.00, about the same as the week before, for 231 answers."),
        ("40", "0.5", "Last week cost $40.00, 80 times as much as the week before, for 231 answers."),
        ("4", "0", "Last week cost $4.00, after a week that cost nothing, for 231 answers."),
        ("0", "0", "Last week's 231 answers cost nothing, like the week before."),
        ("0", "0.5", "Last week's 231 answers cost nothing (the week before $0.50)."),
    ],
)
def test_the_headline_tells_the_cost_and_its_change(now: str, before: str, sentence: str) -> None:
    assert headline(report(total=total(now), previous=total(before))) == sentence


def test_the_first_week_is_compared_with_nothing() -> None:
    first = report(previous=total(calls=0), answers=1)
    assert headline(first) == "Last week cost $4.18, for 1 answer."
    assert first.change is None


def test_a_week_with_unknown_prices_is_a_lower_bound_and_has_no_change() -> None:
    week = report(total=total("4.18", unknown=3))
    assert headline(week) == "Last week cost at least $4.18 (the week before $4.75), for 231 answers."
    assert week.change is None


def test_a_week_of_unknown_prices_alone_never_says_it_was_free() -> None:
    sentence = headline(report(total=total("0", unknown=3)))
    assert sentence == "What last week's 231 answers cost is unknown: 3 calls had no known price."


def test_a_week_before_with_unknown_prices_makes_no_false_change() -> None:
    sentence = headline(report(previous=total("1", unknown=1)))
    assert sentence == "Last week cost $4.18 (the week before at least $1.00), for 231 answers."


def test_the_change_is_exact() -> None:
    assert report(total=total("0.3"), previous=total("0.1")).change == 2


def test_an_empty_week_says_so_in_one_line() -> None:
    assert as_text(empty()) == "No model was called last week (9–15 November 2026), so it cost nothing."


def test_the_text_tells_everything_but_what_was_asked() -> None:
    text = as_text(report(by_model=(total("4.18", "large", calls=2), total("0", "mine", calls=1, unknown=1))))
    assert "By model: large $4.18 (2 calls), mine unknown (1 call)." in text
    assert "By strategy: rag $4.10 (290 calls), none $0.08 (10 calls)." in text
    assert "By channel: C1 $4.00 (200 calls), direct messages $0.18 (100 calls)." in text
    assert "Dearest questions: $0.0312 in C1 (q1), $0.0042 in a direct message (q2)." in text
    assert "Failed calls: 2 rate limited, 1 timed out." in text
    assert "Price unknown: mine (1 call)." in text
    assert "Thumbs: 41 up, 6 down." in text


def test_a_question_in_a_direct_message_does_not_tell_where() -> None:
    text = as_text(report(dearest=(question("q9", "1", channel="D777", kind="dm"),)))
    assert "D777" not in text


def test_the_text_ends_with_who_chooses_where_that_is_known() -> None:
    sentence = "No difference worth routing for: everything goes to rag · small."
    assert as_text(report(said=(sentence,))).splitlines()[-1] == sentence
    assert as_text(report()).splitlines()[-1].startswith("Thumbs:")


def test_an_empty_week_says_who_chooses_and_what_shadow_runs_say_all_the_same() -> None:
    week = replace(empty(), said=("Learning is used.", "Shadow runs: 2 questions."))
    assert as_text(week).splitlines()[1:] == ["Learning is used.", "Shadow runs: 2 questions."]


def test_what_calls_were_for_is_a_sum_of_its_own() -> None:
    week = report(by_purpose=(total("4.15", "answer", calls=286), total("0.03", "shadow", calls=14)))
    assert "By purpose: answer $4.15 (286 calls), shadow $0.03 (14 calls)." in as_text(week)
