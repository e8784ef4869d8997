"""What can be said of an answer and a passage without a model, and what cannot."""

from __future__ import annotations

import pytest

from bot.learning.outdated import contradicted

DEPLOYS = "When do deploys run?"


@pytest.mark.parametrize(
    ("question", "answer", "passage", "sentence"),
    [
        (
            DEPLOYS,
            "Deploys run on Tuesdays and Thursdays at 10:00.",
            "# Deploys\n\nDeploys run on Mondays at 9:30. Ask the release team.",
            "Deploys run on Mondays at 9:30.",
        ),
        (DEPLOYS, "At 10:00 [1].", "Deploys run at 9:30 every day.", "Deploys run at 9:30 every day."),
        (
            "How many days of vacation are there?",
            "Everybody has 30 days of vacation a year.",
            "Everybody has **28** days of vacation a year.",
            "Everybody has 28 days of vacation a year.",
        ),
        (
            "Who leads the platform team?",
            "The platform team is led by Ana Silva.",
            "The platform team is led by Sam Okafor since May.",
            "The platform team is led by Sam Okafor since May.",
        ),
        (
            "May guests read the wiki?",
            "Guests may read the wiki.",
            "Guests may not read the wiki.",
            "Guests may not read the wiki.",
        ),
        (
            "Wie viele Urlaubstage gibt es?",
            "Alle haben 30 Urlaubstage im Jahr.",
            "Alle haben 28 Urlaubstage im Jahr.",
            "Alle haben 28 Urlaubstage im Jahr.",
        ),
        (
            "When are the files opened?",
            "Where the stamp fits, the files are opened as they are. No more is needed.",
            "Where the stamp fits, the files are not opened as they are. No more is needed.",
            "Where the stamp fits, the files are not opened as they are.",
        ),
        (  # one negation more in a sentence that has one
            "What happens on a second signal?",
            "A second signal ends it at once, and nothing is lost.",
            "A second signal ends it at once, and nothing is not lost.",
            "A second signal ends it at once, and nothing is not lost.",
        ),
    ],
)
def test_another_number_name_or_negation_in_a_sentence_on_the_same_is_seen(
    question: str, answer: str, passage: str, sentence: str
) -> None:
    assert contradicted(question, answer, passage) == sentence


@pytest.mark.parametrize(
    ("question", "answer", "passage"),
    [
        (
            DEPLOYS,
            "Deploys run on Tuesdays at 10:00.",
            "## Deploys\nOn Tuesdays, at 10:00, deploys run. Not on Fridays.",
        ),
        (DEPLOYS, "Deploys run at 10:00.", "Deploys run at 10:00 and at 16:00."),
        (DEPLOYS, "Deploys run at 10:00.", "The canteen opens at 11:30. Lunch costs 7 euros."),
        (DEPLOYS, "Deploys run at 10:00.", "In 2019 deploys run at 9:00. Since then deploys run at 10:00."),
        (DEPLOYS, "Ask the release team.", "Deploys run at 9:30."),
        ("May guests read the wiki?", "Guests may read the wiki.", "Guests read the wiki. They may not write there."),
        (DEPLOYS, "Deploys run at 10:00.", "## When deploys run at 9:30\n\nAsk Ana."),
        (DEPLOYS, "Deploys run at 10:00.", "**Deploys > Deploys run at 9:30**\n\nAsk Ana."),
        (
            "What is a KEP?",
            "Every KEP follows the process.",
            "The board asks that every new idea for the product that is larger than\nusual follows the GEP process.",
        ),
        (DEPLOYS, "", "Deploys run at 9:30."),
        (DEPLOYS, "Deploys run at 10:00.", ""),
    ],
)
def test_what_says_the_same_more_or_something_else_is_no_contradiction(
    question: str, answer: str, passage: str
) -> None:
    assert contradicted(question, answer, passage) is None


def test_a_line_that_ends_in_the_middle_of_a_sentence_hides_no_other_number_and_an_entry_of_a_list_is_a_sentence() -> (
    None
):
    wrapped = "Since the spring of this year\ndeploys run on Tuesdays\nat 9:30."
    assert contradicted(DEPLOYS, "Deploys run on Tuesdays at 10:00.", wrapped) == wrapped.replace("\n", " ")
    listed = "Our rules:\n- Ask Ana about the lift\n- Deploys run at 9:30\n- Lunch is at noon"
    assert contradicted(DEPLOYS, "Deploys run at 10:00.", listed) == "- Deploys run at 9:30"


def test_what_the_document_says_still_elsewhere_is_not_out_of_date() -> None:
    answer, passage = "Deploys run on Tuesdays at 10:00.", "On Saturdays deploys run at 9:30."
    assert contradicted(DEPLOYS, answer, passage) == passage
    whole = f"# Deploys\n\nThe usual deploys run at 10:00, always\non Tuesdays.\n\n{passage}"
    assert contradicted(DEPLOYS, answer, passage, whole) is None
    for other in (
        whole.replace("10:00", "11:00"),
        whole.replace("Tuesdays", "Mondays"),
        whole.replace("run", "do not"),
    ):
        assert contradicted(DEPLOYS, answer, passage, other) == passage


def test_what_is_said_in_other_words_cannot_be_seen() -> None:
    passage = "Releases leave the house twice a week."
    assert contradicted(DEPLOYS, "Deploys run on Tuesdays, Thursdays and Fridays.", passage) is None


def test_what_stands_above_a_passage_tells_what_it_speaks_of() -> None:
    asked, answer = "How long is it in the Berlin office?", "The notice period is 28 days."
    passage = "The notice period is 42 days."
    assert contradicted(asked, answer, passage) is None
    assert contradicted(asked, answer, passage, about="Paris office") is None
    assert contradicted(asked, answer, passage, about="Berlin office") == passage
