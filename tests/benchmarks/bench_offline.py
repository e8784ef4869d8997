"""What the offline model answers over XQuAD.

The paragraphs (retrieval/xquad.en.json and xquad.de.json of the trial data) are one small Markdown file each in one
real knowledge base. Each question is asked twice: of all that the search finds, and with the paragraph left out that
it was written for. Then another paragraph may still answer, seldom, and is counted as if it did not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from options import Options, run_alone
from results import Measure, Result
from small_store import small_store

from bot.domain import Prompt, StrategyName, TextDelta
from bot.models.catalogue import OFFLINE, load_catalogue
from bot.models.offline import LABEL, NOTHING_FOUND, UNSURE, OfflineModel
from knowledge.access import PUBLIC
from knowledge.documents import Passage
from knowledge.knowledge_base import KnowledgeBase

LANGUAGES = {"en": "English", "de": "German"}
LIMIT = 300
SHORT = 12
PASSAGES = 6
SPARE = 6  # a paragraph may be more than one passage; so many more are searched for, to leave it out
MAX_TOKENS = 1200
HOLDS = "the quotes hold the answer"
REFUSED = "refused though the paragraph is there"
LEFT_OUT_REFUSED = "paragraph left out: refused"
LEAST = {HOLDS: 75.0, LEFT_OUT_REFUSED: 90.0}  # of the English questions
MOST = {REFUSED: 10.0}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the file (without its ending) that it was written for, and the answers that count."""

    text: str
    file: str
    gold: tuple[str, ...]


def read(file: Path) -> tuple[dict[str, str], list[Asked]]:
    """The pages by the name of their file, and the questions."""
    pages: dict[str, str] = {}
    questions: list[Asked] = []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            name = f"{len(pages):04}"
            pages[name] = paragraph["context"]
            for asked in paragraph["qas"]:
                gold = tuple(answer["text"] for answer in asked["answers"])
                questions.append(Asked(asked["question"], name, gold))
    return pages, questions


def spread_evenly(questions: Sequence[Asked], limit: int) -> list[Asked]:
    """At most `limit` of the questions, from the first to the last at even distances."""
    count = min(limit, len(questions))
    return [questions[place * len(questions) // count] for place in range(count)]


async def answer(model: OfflineModel, question: str, passages: Sequence[Passage]) -> str:
    """What the model says to the question with these passages."""
    prompt = Prompt(strategy=StrategyName.RAG, question=question, messages=(), passages=tuple(passages[:PASSAGES]))
    events = [event async for event in model.stream(prompt, max_tokens=MAX_TOKENS)]
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def manner(said: str) -> str:
    """Whether an answer is `refused`, `unsure` (told to be) or `sure`."""
    if said.startswith(NOTHING_FOUND):
        return "refused"
    return "unsure" if said.startswith(UNSURE) else "sure"


def holds(said: str, gold: Sequence[str]) -> bool:
    """Whether a gold answer stands in the quotes, whatever its case and spaces."""
    quotes = " ".join(said.removeprefix(UNSURE).replace(LABEL, "").casefold().split())
    return manner(said) != "refused" and any(" ".join(text.casefold().split()) in quotes for text in gold)


async def ask_all(knowledge: KnowledgeBase, questions: Sequence[Asked]) -> tuple[Counter[str], Counter[str]]:
    """Counts of manners, and of `holds` and `found`, with all that is found and with each one's paragraph left out."""
    model = OfflineModel(load_catalogue().get(OFFLINE), knowledge.embedder)
    whole, without = Counter[str](), Counter[str]()
    for asked in questions:
        passages = (await knowledge.search(asked.text, scopes=PUBLIC, k=PASSAGES + SPARE)).passages
        others = [passage for passage in passages if Path(passage.title).stem != asked.file]
        said = await answer(model, asked.text, passages)
        right = holds(said, asked.gold)
        whole.update([manner(said), f"{manner(said)}, {'right' if right else 'wrong'}"])
        whole["holds"] += right
        whole["found"] += any(Path(passage.title).stem == asked.file for passage in passages[:PASSAGES])
        without.update([manner(await answer(model, asked.text, others))])
    return whole, without


async def bench(options: Options, result: Result) -> None:
    """Adds the shares of each language whose questions are there."""
    for language, name in LANGUAGES.items():
        file = options.data / "retrieval" / f"xquad.{language}.json"
        if not file.is_file():
            result.note(f"{name} was not measured: retrieval/{file.name} is not in the trial data.")
            continue
        pages, every = read(file)
        questions = spread_evenly(every, SHORT if options.short else LIMIT)
        if options.short:
            pages = {page: text for page, text in pages.items() if page in {asked.file for asked in questions}}
        files = {f"{page}.md": text for page, text in pages.items()}
        async with small_store(files, options.models_dir) as store:
            whole, without = await ask_all(store.knowledge, questions)
        result.note(f"{name}: {len(questions)} of {len(every):,} questions, {len(pages)} paragraphs.")
        for measure in shares(name, whole, without, len(questions), is_marked=not options.short):
            result.add(measure)
    if not result.measures:
        result.absent = "The questions (retrieval/xquad.en.json and xquad.de.json of the trial data) are not here."


def shares(
    language: str, whole: Counter[str], without: Counter[str], questions: int, *, is_marked: bool
) -> Iterator[Measure]:
    """The counts as percent of the questions."""
    if not whole["found"]:
        raise RuntimeError("no question's own paragraph was found: the titles are not what this benchmark expects")
    counts = {
        "the paragraph is among the passages": whole["found"],
        HOLDS: whole["holds"],
        REFUSED: whole["refused"],
        "said to be unsure": whole["unsure"],
        "said as sure, but does not hold the answer": whole["sure, wrong"],
        LEFT_OUT_REFUSED: without["refused"],
        "paragraph left out: said to be unsure": without["unsure"],
        "paragraph left out: said as sure": without["sure"],
    }
    marked = is_marked and language == LANGUAGES["en"]
    for name, count in counts.items():
        yield Measure(
            name=f"{language}: {name}",
            unit="%",
            value=100 * count / questions,
            samples=questions,
            mark=MOST.get(name) if marked else None,
            least=LEAST.get(name) if marked else None,
        )


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "offline", "What the offline model answers")
