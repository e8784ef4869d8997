"""Data sets: named by their content, kept with the lineage of each row, whole until words are withdrawn."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import ThingsEmbedder, asked, plain_questions
from training_rows import NOW, row

from bot.audit import Action, Audit
from bot.config import Retention
from bot.errors import UnusableTraining
from bot.holdings.forgetting import Forgetting
from bot.holdings.subject import Subject
from bot.jobs.retention_job import retention_job
from bot.models.cards import ModelCard
from bot.news import News
from bot.storage.direct import transaction
from bot.storage.whole import plain_tables
from bot.tuning.consents import Consents
from bot.tuning.datasets import SHORT, Datasets, Made, made
from bot.tuning.gathering import Gathered

TUNABLE = ModelCard(name="writer", provider="own", context_window=4096, training_rate=Decimal(3))


def rows(count: int = 40) -> Gathered:
    found = Gathered()
    for n, question in enumerate(plain_questions(count)):
        asker = "U0CAT" if n % 10 == 0 else "U0ANA"
        found.rows.append(row(question, f"With tool number {n}, by hand.", n, asker=asker))
    found.preferences.append(row("How do we sell?", "Well.", 99, "choice", rejected="Badly."))
    return found


async def new(gathered: Gathered, golden: tuple[str, ...] = ("How do we restart the vpn?",)) -> Made:
    return await made(gathered, golden, ["everyone"], ThingsEmbedder(), TUNABLE)


async def kept(engine: AsyncEngine, folder: Path) -> tuple[Datasets, str, Path]:
    datasets, one = Datasets(engine, folder), await new(rows())
    return datasets, one.id, await datasets.keep(one, by="ana", at=NOW)


async def test_a_data_set_is_kept_with_its_files_and_the_lineage_of_each_row(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    datasets, id, folder = await kept(engine, tmp_path)
    texts = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())}
    assert sorted(texts) == ["preferences.jsonl", "train.jsonl", "validation.jsonl"]
    digest = hashlib.sha256(b"everyone")
    for name in ("train.jsonl", "validation.jsonl", "preferences.jsonl"):
        digest.update(b"\0" + texts[name].encode())
    assert (digest.hexdigest(), folder.name) == (id, id[:SHORT])
    parts = await datasets.rows(id)
    assert [len(parts[part]) for part in ("train", "validation", "preferences")] == [32, 7, 1]
    asked = [json.loads(line)["messages"][1]["content"] for line in texts["train.jsonl"].splitlines()]
    assert asked == [one.question for one in parts["train"]]
    assert "How do we restart the vpn?" not in asked
    first = parts["train"][0]
    assert (first.subject, first.asker, first.author, first.said_at, first.origin) == (
        "s0",
        "U0CAT",
        "U0BEN",
        NOW,
        "example",
    )
    # No topic is in both parts.
    things = [{one.question.split()[-1] for one in parts[part]} for part in ("train", "validation")]
    assert things[0] & things[1] == set()


async def test_the_same_content_is_one_data_set_and_other_content_another(engine: AsyncEngine, tmp_path: Path) -> None:
    datasets, id, folder = await kept(engine, tmp_path)
    (folder / "train.jsonl").unlink()
    assert await datasets.keep(await new(rows()), by="ben", at=NOW) == folder
    assert (folder / "train.jsonl").is_file()
    assert [(one.id, one.made_by) for one in await datasets.all()] == [(id, "ana")]
    changed = rows()
    changed.rows[3] = row(changed.rows[3].question, "By somebody else.", 3)
    await datasets.keep(await new(changed), by="ana", at=NOW)
    assert len(await datasets.all()) == 2


async def test_what_it_costs_is_told_and_what_is_not_known_is_not_zero() -> None:
    report = (await new(rows())).report
    assert report.price == Decimal(3 * report.tokens) / 1_000_000
    assert any(sentence.startswith("Price: $0.0") for sentence in report.sentences())
    unknown = TUNABLE.model_copy(update={"training_rate": None})
    report = (await made(rows(), (), ["everyone"], ThingsEmbedder(), unknown)).report
    assert report.price is None
    assert "Price: unknown: state `training_rate` on the card of writer." in report.sentences()


@pytest.mark.parametrize(
    ("gathered", "says"),
    [
        (rows(9), "9 rows cannot be trained on: at least 10 are needed"),
        (Gathered(), "0 rows cannot be trained on"),
        (Gathered(rows=[row(q, "Ask Sam.", n) for n, q in enumerate(plain_questions(20))]), "have the same answer"),
    ],
    ids=["nine", "none", "one label"],
)
async def test_what_cannot_be_trained_on_is_refused_and_not_kept(
    engine: AsyncEngine, tmp_path: Path, gathered: Gathered, says: str
) -> None:
    one = await made(gathered, (), ["everyone"], ThingsEmbedder())
    assert says in one.report.sentences()[-1]
    with pytest.raises(UnusableTraining, match=says):
        await Datasets(engine, tmp_path).keep(one, by="ana", at=NOW)
    assert await Datasets(engine, tmp_path).all() == []


async def test_rows_over_the_window_are_left_out_and_told() -> None:
    gathered = rows(20)
    gathered.rows[6] = row(gathered.rows[6].question, "word " * 5000, 6)
    report = (await new(gathered)).report
    assert (report.too_long, report.train + report.validation) == (1, 18)
    assert "Left out: 1 row longer than the window of writer." in report.sentences()


async def test_a_withdrawal_takes_the_rows_out_and_the_data_set_is_whole_no_more(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    datasets, id, folder = await kept(engine, tmp_path)
    assert await Consents(engine, "public").set("U0CAT", False, by="U0CAT") == 4
    assert await Consents(engine, "public").set("U0CAT", False, by="U0CAT") == 0
    parts = await datasets.rows(id)
    assert {one.asker for members in parts.values() for one in members} == {"U0ANA"}
    assert await datasets.sweep(NOW) == 1
    assert not folder.exists()
    with pytest.raises(UnusableTraining, match="whole no more"):
        await datasets.files(id)


async def test_whoever_is_forgotten_is_in_no_row_and_in_no_file(engine: AsyncEngine, tmp_path: Path) -> None:
    datasets, id, folder = await kept(engine, tmp_path)
    with transaction(engine.url.render_as_string(hide_password=False), "write") as connection:
        Forgetting(connection, plain_tables(connection), Subject("user", "U0CAT")).run({})
    parts = await datasets.rows(id)
    assert sum(map(len, parts.values())) == 36
    assert await datasets.sweep(NOW) == 1
    assert not folder.exists()
    assert (await datasets.find("last")).withdrawn_at == NOW


async def test_retention_reaches_the_rows_and_the_files_of_every_machine(engine: AsyncEngine, tmp_path: Path) -> None:
    await asked(engine, "s3", "How do we restart the mail?", hours=-24 * 100)
    here, id, folder = await kept(engine, tmp_path / "here")
    there = Datasets(engine, tmp_path / "there")
    files = [folder, await there.files(id)]
    news = News(engine, {Action.DATASET_EMPTIED: partial(there.sweep, NOW)})
    await news.open()
    url = engine.url.render_as_string(hide_password=False)
    await retention_job(url, Retention(questions=90), partial(here.sweep, NOW))(NOW)
    assert "s3" not in {one.subject for members in (await here.rows(id)).values() for one in members}
    assert [one.exists() for one in files] == [False, True]
    await news.look()
    assert [one.exists() for one in files] == [False, False]
    told = [(entry.subject, entry.who) for entry in await Audit(engine).entries(what="training data emptied")]
    assert told == [(f"data set {id[:SHORT]}", "training")], "it is told once, however many look"


async def test_a_data_set_is_found_by_how_its_hash_begins(engine: AsyncEngine, tmp_path: Path) -> None:
    datasets, id, _ = await kept(engine, tmp_path)
    assert (await datasets.find(id[:4])).id == (await datasets.find("last")).id == id
    with pytest.raises(UnusableTraining, match=f"There is no data set “nope”. There are: {id[:SHORT]}"):
        await datasets.find("nope")
