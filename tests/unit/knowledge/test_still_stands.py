from __future__ import annotations

import pytest

from knowledge.still_stands import Text, Word

RULES = (
    "Deploys run on Tuesdays and Thursdays at 10:00. Nobody deploys on Fridays, and it is not allowed to skip a test."
)
STEPS = "1. Open the board and look at every light that is there.\n2. Press the button for 30 seconds."
TABLE = "| Level | Days of holiday | Notice |\n|---|---|---|\n| Junior engineer | 28 | two weeks |\n| Senior | 30 | - |"
CODE = "```sh\nrobotctl rollback --to previous\n\nrobotctl status --release 41 --verbose --wait 5\n```"
PAGE = [
    (("Handbook", "Deploys"), f"{RULES}\n\n{STEPS}"),
    (("Handbook", "Holidays"), TABLE),
    (("Handbook", "Rollback"), CODE),
]


def whole(*texts: str) -> Text:
    return Text([(("Handbook", "Deploys"), text) for text in texts])


def lacks(text: Text, passage: str, heading: tuple[str, ...] = ("Handbook", "Deploys")) -> bool:
    return bool(text.lacks(heading, passage))


@pytest.mark.parametrize("passage", [RULES, STEPS, TABLE, CODE, f"{RULES}\n\n**Holidays**\n\n{TABLE}"])
def test_what_nobody_touched_stands(passage: str) -> None:
    assert not lacks(Text(PAGE), passage)


@pytest.mark.parametrize(
    "now",
    [
        RULES.replace(" ", "\n"),
        RULES.replace("Thursdays", "**Thursdays**").replace("Fridays", "[Fridays](https://a.example/b)"),
        RULES.replace("Deploys run", "deploys  run").replace(". Nobody", " — nobody"),
        f"An introduction that is new.\n\n{RULES}\n\nAnd what comes after it.",
    ],
)
def test_line_breaks_markup_case_and_what_stands_around_are_no_change(now: str) -> None:
    assert not lacks(whole(now), RULES)


def test_a_text_in_other_pieces_and_sections_in_another_order_still_stand() -> None:
    assert not lacks(whole(*RULES.split(" and ", 1)[:1], "and " + RULES.split(" and ", 1)[1]), RULES)
    assert not lacks(Text(list(reversed(PAGE))), f"{RULES}\n\n{STEPS}\n\n**Holidays**\n\n{TABLE}")


def test_the_head_of_a_table_and_a_speaker_may_be_said_again_or_no_more() -> None:
    head, rule, *rows = TABLE.splitlines()
    cut = whole("\n".join([head, rule, rows[0]]), "\n".join([head, rule, rows[1]]))
    assert not lacks(cut, TABLE)
    assert not lacks(Text(PAGE), "\n".join([head, rule, rows[1]]), ("Handbook", "Holidays"))
    said = "**Maya** (2026-01-02): We roll back on the release host.\n\nIt takes four minutes, and needs the manager."
    assert not lacks(whole(said.replace("\n\n", "\n\n**Maya** (2026-01-02): ")), said)


def test_an_item_more_before_it_changes_the_numbers_of_a_list_alone() -> None:
    more = STEPS.replace("2.", "3.").replace("1.", "2.")
    assert not lacks(whole(f"1. Put on the helmet.\n\n{more}"), STEPS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10:00", "10:30"),
        ("Tuesdays", "Mondays"),
        ("it is not allowed", "it is allowed"),
        ("Nobody deploys", "Maya deploys"),
        ("a test.", "a test. That is not so for hotfixes, which Sam may deploy."),
    ],
)
def test_another_number_name_or_negation_is_a_change_unless_it_stands_behind(old: str, new: str) -> None:
    assert lacks(whole(RULES.replace(old, new)), RULES) == (not new.startswith(old))


@pytest.mark.parametrize(
    ("passage", "old", "new"),
    [(TABLE, "| 28 |", "| 27 |"), (CODE, "41", "42"), (STEPS, "30 seconds", "30 minutes"), (CODE, "--wait 5", "")],
)
def test_a_cell_a_line_of_code_and_a_step_that_change_are_seen(passage: str, old: str, new: str) -> None:
    now = [(headings, text.replace(old, new)) for headings, text in PAGE]
    assert lacks(Text(now), passage, ("Handbook",))


def test_a_few_words_that_changed_are_not_taken_for_the_same_words_elsewhere() -> None:
    page = "Level 3 engineers have a holiday of 30 days, as the contract says.\n\n30 days\n\nThe trial period of all."
    now = page.replace("\n\n30 days\n\n", "\n\n28 days\n\n")
    assert lacks(whole(now), "30 days\n\nThe trial period of all.")


def test_a_section_that_has_another_name_is_a_change_and_a_page_that_has_is_none() -> None:
    renamed = Text([(("Handbook", "Deploys to staging"), RULES)])
    assert [each.before for each in renamed.lacks(("Handbook", "Deploys"), RULES)] == [(Word("Deploys", True),)]
    assert not lacks(Text([(("The handbook", "Deploys"), RULES)]), RULES)
    assert not lacks(Text([(("The handbook",), RULES)]), RULES, ("Handbook",))


def test_what_stands_there_now_is_shown_beside_what_did_with_its_words_marked() -> None:
    now = whole("Something else altogether stands here.", RULES.replace("Thursdays at 10:00", "Fridays at 11:00"))
    (difference,) = now.lacks((), RULES)
    assert [word.text for word in difference.before if word.differs] == ["Thursdays", "10:00."]
    assert [word.text for word in difference.after if word.differs] == ["Fridays", "11:00."]
    assert len(difference.after) > 8


def test_of_a_text_that_is_gone_nothing_stands_in_its_place() -> None:
    (difference,) = whole("Holidays are thirty days for everybody who works here.").lacks((), RULES)
    assert difference.after == ()
    assert all(word.differs for word in difference.before)
