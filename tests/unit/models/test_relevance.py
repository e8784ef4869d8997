import numpy as np

from bot.models.relevance import Candidate, Scored, rank
from bot.models.units import split
from knowledge.documents import Passage

TABLE = "| word | what it is |\n|---|---|\n| evidence | what was found |\n| reading | what a person does |\n"
ANSWER = "Whoever sees the answer may be reading the evidence.\n"


def passage(text: str) -> Passage:
    return Passage("c", "d", "docs", "Page", (), text, None, None, score=1.0, similarity=0.5, lexical=1.0)


def ranked(question: str, *texts: str) -> list[Scored]:
    """All units of the texts as if they were equally near in meaning."""
    candidates = [
        Candidate(number, place, unit, passage(text))
        for number, text in enumerate(texts, 1)
        for place, unit in enumerate(split(text))
    ]
    return rank(question, np.ones(1, np.float32), candidates, np.full((len(candidates), 1), 0.5, np.float32))


def test_the_words_of_a_question_have_to_meet_in_one_row_of_a_table() -> None:
    first, table = ranked("who is reading the evidence", TABLE, ANSWER)
    assert first.candidate.unit.text == ANSWER.strip()
    assert table.relevance < first.relevance


def test_a_row_that_holds_all_words_answers_as_well_as_a_sentence() -> None:
    whole = TABLE.replace("what was found", "what was found by reading")
    one, other = ranked("who is reading the evidence", whole, ANSWER)
    assert abs(one.relevance - other.relevance) < 1e-6
