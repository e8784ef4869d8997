from handlers import markdown


def test_a_short_answer_stays_one_message() -> None:
    assert markdown.split("First.\n\nSecond.") == ["First.\n\nSecond."]


def test_a_long_answer_is_cut_at_the_ends_of_paragraphs() -> None:
    paragraphs = [f"{number} " + "word " * 30 for number in range(10)]
    parts = markdown.split("\n\n".join(paragraphs), limit=400)
    assert all(len(part) <= 400 for part in parts)
    assert [p.strip() for part in parts for p in part.split("\n\n")] == [p.strip() for p in paragraphs]


def test_a_code_block_goes_whole_into_the_next_message() -> None:
    code = "```python\n" + "print(1)\n\n" * 20 + "```"
    parts = markdown.split("word " * 30 + "\n\n" + code, limit=260)
    assert parts[1] == code


def test_a_code_block_longer_than_a_message_is_closed_and_opened_again() -> None:
    code = "```sql\n" + "\n".join(f"select {n};" for n in range(60)) + "\n```"
    parts = markdown.split(code, limit=200)
    assert len(parts) > 1
    assert all(part.startswith("```sql\n") and part.endswith("\n```") and len(part) <= 200 for part in parts)
    lines = [line for part in parts for line in part.splitlines() if not line.startswith("```")]
    assert lines == [f"select {n};" for n in range(60)]


def test_one_endless_word_is_cut_hard_and_nothing_is_lost() -> None:
    parts = markdown.split("x" * 1000, limit=300)
    assert "".join(parts) == "x" * 1000
    assert all(len(part) <= 300 for part in parts)


def test_a_table_becomes_slacks_table_between_the_texts() -> None:
    text = "Before\n\n| Name | Cost |\n|:--|--:|\n| a | 1 |\n| [b](https://b.example) | **2** |\n\nAfter"
    before, table, after = markdown.blocks(text)
    assert before == {"type": "markdown", "text": "Before"}
    assert after == {"type": "markdown", "text": "After"}
    assert [column["align"] for column in table["column_settings"]] == ["left", "right"]
    assert table["rows"][0] == [{"type": "raw_text", "text": "Name"}, {"type": "raw_text", "text": "Cost"}]
    link = table["rows"][2][0]["elements"][0]["elements"][0]
    assert link == {"type": "link", "url": "https://b.example", "text": "b"}
    bold = table["rows"][2][1]["elements"][0]["elements"][0]
    assert bold == {"type": "text", "text": "2", "style": {"bold": True}}


def test_an_empty_cell_is_still_a_cell() -> None:
    (table,) = markdown.blocks("| a | b |\n|---|---|\n| 1 | |")
    assert table["rows"][1][1] == {"type": "raw_text", "text": " "}


def test_two_tables_never_share_a_message() -> None:
    table = "| a |\n|---|\n| 1 |"
    assert markdown.split(f"{table}\n\ntext\n\n{table}") == [f"{table}\n\ntext", table]


def test_a_table_of_more_rows_than_slack_takes_is_continued_with_its_head() -> None:
    rows = "\n".join(f"| {n} |" for n in range(250))
    parts = markdown.split(f"| n |\n|---|\n{rows}")
    tables = [markdown.blocks(part)[0]["rows"] for part in parts]
    assert all(len(table) <= 100 and table[0][0]["text"] == "n" for table in tables)
    assert [row[0]["text"] for table in tables for row in table[1:]] == [str(n) for n in range(250)]


def test_a_pipe_in_a_code_block_is_no_table() -> None:
    assert not markdown.has_table("```\n| a |\n|---|\n| 1 |\n```")


def test_escaping_leaves_no_way_to_mention_or_link() -> None:
    assert markdown.escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_a_shortened_text_keeps_within_its_limit() -> None:
    assert markdown.shorten("abcdef", 4) == "abc…"
    assert markdown.shorten("abcd", 4) == "abcd"
