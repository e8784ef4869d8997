from __future__ import annotations

import threading

import pytest

from bot.models.units import LONGEST_WHOLE, UnitKind, sentences, split


@pytest.mark.parametrize(
    ("paragraph", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Use a key, e.g. yours. Then go.", ["Use a key, e.g. yours.", "Then go."]),
        ("Dr. Smith met J. F. Kennedy. He left.", ["Dr. Smith met J. F. Kennedy.", "He left."]),
        ("It costs 1.5 million. That is much.", ["It costs 1.5 million.", "That is much."]),
        ("Set `a.b` in x.toml and go. Done.", ["Set `a.b` in x.toml and go.", "Done."]),
        ('He said "stop." She did.', ['He said "stop."', "She did."]),
        ("Wait… and see. Now.", ["Wait… and see.", "Now."]),
        ("Das gilt z.B. hier. Und dort.", ["Das gilt z.B. hier.", "Und dort."]),
        ("第一句。第二句。", ["第一句。", "第二句。"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_a_paragraph_falls_into_its_sentences(paragraph: str, parts: list[str]) -> None:
    assert sentences(paragraph) == parts


def test_a_list_is_one_unit_with_the_sentence_that_announces_it() -> None:
    found = split("Read this first. You need:\n\n- a key\n- a token\n  with rights\n\nThen start.")
    assert [unit.kind for unit in found] == [UnitKind.SENTENCE, UnitKind.LIST, UnitKind.SENTENCE]
    assert found[1].lead == "You need:"
    assert found[1].lines == ("- a key", "- a token\n  with rights")
    assert found[1].text == "- a key\n- a token\n  with rights"


def test_code_is_one_unit_word_for_word_even_with_blank_lines_and_marks() -> None:
    code = "```bash\n# not a heading\nmake run\n\n| no table |\n- no list\n```"
    found = split(f"Run this:\n{code}\nIt starts.")
    assert [(unit.kind, unit.text) for unit in found] == [(UnitKind.CODE, code), (UnitKind.SENTENCE, "It starts.")]
    assert found[0].lead == "Run this:"


def test_code_without_an_end_is_still_code() -> None:
    assert [unit.kind for unit in split("```\nmake run")] == [UnitKind.CODE]


def test_a_table_is_one_unit_and_a_long_one_a_unit_for_each_row_with_its_header() -> None:
    head = "| name | price |\n|---|---|"
    assert [unit.text for unit in split(f"{head}\n| a | 1 |\n| b | 2 |")] == [f"{head}\n| a | 1 |\n| b | 2 |"]
    rows = [f"| model number {number} | {number} dollars |" for number in range(LONGEST_WHOLE // 20)]
    found = split("\n".join([head, *rows]))
    assert [unit.text for unit in found] == [f"{head}\n{row}" for row in rows]


def test_a_long_list_falls_into_its_items_and_a_long_item_into_its_sentences() -> None:
    short = "- a short item"
    long = "- " + " ".join(f"Sentence number {number} says something of its own." for number in range(20))
    found = split(f"{short}\n{long}")
    assert found[0].text == short
    assert found[1].kind is UnitKind.SENTENCE
    assert found[1].text == "Sentence number 0 says something of its own."
    assert len(found) == 21


def test_a_list_inside_an_item_belongs_to_it() -> None:
    found = split("- Feature gate\n  - Name: `Sidecars`\n  - Component: kubelet\n- Metrics")
    assert found[0].lines == ("- Feature gate\n  - Name: `Sidecars`\n  - Component: kubelet", "- Metrics")


def test_headings_rules_comments_and_link_targets_are_not_quoted() -> None:
    text = "## Heading\n<!-- a\nnote -->\n---\nSee [the guide](http://x/y), [![that](pic)][ref] and <https://z>."
    text += "\n\n[ref]: http://q"
    assert [unit.text for unit in split(text)] == ["See the guide, that and https://z."]


@pytest.mark.parametrize("text", ["a. " * 15_000, "[" * 40_000, "![" * 20_000, "**" * 20_000, "<!--" * 10_000])
def test_strange_text_is_split_in_time_that_grows_with_its_length(text: str) -> None:
    worker = threading.Thread(target=split, args=(text,), daemon=True)
    worker.start()
    worker.join(timeout=20)  # quadratic ways took a minute, linear ones take milliseconds
    assert not worker.is_alive()


def test_numbers_in_brackets_do_not_survive_as_false_citations() -> None:
    assert [unit.text for unit in split("Whales are large.[1] They swim [23].")] == ["Whales are large.", "They swim."]


def test_a_line_in_bold_alone_is_the_heading_of_what_follows() -> None:
    text = (
        "Costs are exact.\n\n**Costs > How do I get CSV?**\n\nType `/cost csv`. It is attached.\n\n**Note:** keep it."
    )
    found = split(text)
    assert [(unit.text, unit.heading, unit.opens) for unit in found] == [
        ("Costs are exact.", "", True),
        ("Type `/cost csv`.", "How do I get CSV?", True),
        ("It is attached.", "How do I get CSV?", False),
        ("**Note:** keep it.", "How do I get CSV?", False),
    ]
