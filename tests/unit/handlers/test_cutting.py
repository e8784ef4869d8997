from handlers.cutting import open_fence, take


def test_what_fits_is_taken_whole() -> None:
    assert take("shown", " more", 20) == (" more", "")


def test_the_cut_is_at_the_last_paragraph_end_that_fits() -> None:
    assert take("", "one\n\ntwo\n\nthree three three", 14) == ("one\n\ntwo", "three three three")


def test_a_full_message_leaves_everything_to_the_next() -> None:
    assert take("x" * 20, "and more", 20) == ("", "and more")


def test_an_open_code_block_is_closed_here_and_opened_there() -> None:
    head, rest = take("```python\nline 1\n", "line 2\nline 3\nline 4\n```", 35)
    assert head.endswith("\n```")
    assert rest.startswith("```python\n")
    assert "line 4\n```" in rest
    assert "line 2" in head + rest


def test_a_paragraph_end_inside_code_is_no_place_to_cut() -> None:
    head, rest = take("", "text\n\n```\na\n\nb\n\nc\n```\n\nend of it", 18)
    assert head == "text"
    assert rest == "```\na\n\nb\n\nc\n```\n\nend of it"


def test_one_paragraph_longer_than_a_message_is_cut_in_itself() -> None:
    head, rest = take("", "word " * 50, 60)
    assert len(head) <= 60
    assert (head + " " + rest).split() == ["word"] * 50


def test_a_fence_is_open_until_it_is_closed_by_its_like() -> None:
    assert open_fence("```py\na") == "```py"
    assert open_fence("```py\na\n```") == ""
    assert open_fence("~~~\n```\n") == "~~~"
