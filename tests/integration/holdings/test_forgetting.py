from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from filled_tables import contents, fill
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import UnknownSubject
from bot.holdings.documents import documents_of
from bot.holdings.forgetting import Forgetting, Place
from bot.holdings.registry import FORGOTTEN, REGISTRY
from bot.holdings.search import counts, text_columns
from bot.holdings.subject import Subject, runs_of, slack_id
from bot.storage.direct import transaction
from bot.storage.whole import TABLES, plain_tables

ANNA, ANNAS_TWIN, BOB, HELP = "U0ANNA", "U0ANNA9", "U0BOB", "C0HELP"


@pytest.fixture
def url(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=False)


def forgotten(url: str, subject: Subject) -> dict[str, Place]:
    with transaction(url, "write") as connection:
        tables = plain_tables(connection)
        before = counts(connection, tables, subject)
        return {place.table: place for place in Forgetting(connection, tables, subject).run(before)}


def put(url: str, table: str, **values: Any) -> None:
    with transaction(url, "write") as connection:
        connection.execute(TABLES[table].insert().values(values))


def rows(url: str, table: str) -> list[dict[str, Any]]:
    with transaction(url, "read") as connection:
        found = connection.execute(sa.select(TABLES[table]).order_by(*TABLES[table].primary_key.columns))
        return [dict(row) for row in found.mappings()]


def test_every_text_of_every_table_is_looked_through(url: str) -> None:
    with transaction(url, "read") as connection:
        found = {name: {c.name for c in text_columns(table)} for name, table in plain_tables(connection).tables.items()}
    for name, table in TABLES.items():
        assert {c.name for c in table.columns if isinstance(c.type, sa.String | sa.JSON)} <= found[name], name


def test_every_table_and_column_says_whom_it_holds() -> None:
    assert set(REGISTRY) == set(TABLES)
    for name, held in REGISTRY.items():
        assert sorted(held.columns) == sorted(column.name for column in TABLES[name].columns), name
        free = [c.name for c in TABLES[name].columns if isinstance(c.type, sa.Text)]
        silent = [column for column in free if column in held.plain.split() and not (held.cache or name in CODED)]
        assert silent == [], f"{name} keeps texts that nobody looks through: {silent}"


CODED = {
    "knowledge_documents",
    "knowledge_sources",
    "knowledge_embeddings",
    "knowledge_problems",
    "knowledge_imports",
    "evaluation_runs",
    "evaluation_questions",
    "installations",
    "knowledge_leases",
    "knowledge_processes",
    "knowledge_shared_indexes",
}
"""Their plain texts are names of kinds and models, versions, groups and encrypted tokens."""


@pytest.mark.parametrize("subject", [Subject("user", ANNA), Subject("channel", HELP)], ids=["person", "channel"])
def test_wherever_a_person_or_channel_stands_it_stands_no_more_and_others_stay(url: str, subject: Subject) -> None:
    with transaction(url, "write") as connection:
        fill(connection)
        fill(connection, 1)
        tables = plain_tables(connection)
        for name, held in REGISTRY.items():
            if name == "audit_log" or not (declared := _columns_for(held, subject)):
                continue
            _name_it(connection, tables.tables[name], declared, subject)
    with transaction(url, "read") as connection:
        tables = plain_tables(connection)
        before = counts(connection, tables, subject)
        others = contents(connection, tables)
    assert len(before) > 15
    done = forgotten(url, subject)
    with transaction(url, "read") as connection:
        tables = plain_tables(connection)
        left = counts(connection, tables, subject)
        after = contents(connection, tables)
    assert [name for name in left if not REGISTRY[name].kept] == []
    assert {name for name in before if not REGISTRY[name].kept} <= set(done)
    for name, kept in after.items():
        if name == "ledger_changes":
            continue  # which the database writes down by itself
        place = done.get(name)
        assert len(kept) == len(others[name]) - (place.removed if place else 0), name
        if place is None:
            assert kept == others[name], name


def test_what_a_person_asked_is_gone_and_what_it_cost_stays(url: str) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    asked = {"workspace": "T1", "thread": "1.1", "private": False, "asked_at": now, "answer_ts": "1.2"}
    put(
        url,
        "questions",
        id="q1",
        text="Is my salary too low?",
        asker=ANNA,
        channel="D0ANNA",
        place_kind="dm",
        scopes=[f"user:{ANNA}"],
        answer="It is.",
        receipt={"citations": []},
        **asked,
    )
    put(
        url,
        "questions",
        id="q2",
        text=f"What did <@{ANNA}> and {ANNAS_TWIN} say?",
        asker=BOB,
        channel=HELP,
        place_kind="channel",
        scopes=["everyone"],
        answer=f"<@{ANNA}> said no.",
        receipt=None,
        **asked,
    )
    call = {"purpose": "answer", "provider": "p", "model": "m", "started_at": now, "outcome": "answered"}
    put(url, "ledger", question_id="q1", asker=ANNA, channel="D0ANNA", cost=Decimal("0.0421"), **call)
    put(url, "ledger", question_id="q1", asker=ANNA, channel=HELP, cost=Decimal("0.5"), **call)
    put(url, "ledger", question_id="q2", asker=BOB, channel=HELP, cost=Decimal("1"), **call)
    put(url, "labels", question_id="q1", person=BOB, signal="up", given_at=now)
    put(url, "labels", question_id="q2", person=BOB, signal="up", given_at=now)
    saved = {"saved_by": ANNA, "saved_at": now, "embedder": "e", "vector": b"1"}
    put(url, "examples", id="copy", question="Is my salary too low?", answer="No.", readers=["everyone"], **saved)
    put(url, "examples", id="hers", question="Who?", answer="I.", readers=[f"user:{ANNA}"], **saved)
    put(url, "examples", id="team", question="Where?", answer="There.", readers=["everyone", f"user:{ANNA}"], **saved)
    put(url, "learned", name="replay", version=1, made_at=now, value={"ids": ["q1"], "texts": ["Is my …"]})
    put(url, "learned", name="bandit", version=1, made_at=now, value={"weights": [0.5]})
    for event, payload in {
        "her own": {"event": {"user": ANNA, "text": "secret words"}},
        "about her": {"event": {"user": BOB, "text": f"ask <@{ANNA}>", "channel": HELP}},
    }.items():
        put(url, "inbox", event_id=event, kind="m", payload=payload, state="waiting", attempts=0, received_at=now)

    forgotten(url, Subject("user", ANNA))
    first, second = rows(url, "questions")
    assert (first["id"], first["asker"], first["channel"], first["place_kind"]) == ("q1", FORGOTTEN, FORGOTTEN, "dm")
    assert (first["text"], first["answer"], first["receipt"], first["scopes"]) == ("", None, None, [])
    assert second["text"] == f"What did <@{FORGOTTEN}> and {ANNAS_TWIN} say?"
    assert (second["answer"], second["asker"]) == (f"<@{FORGOTTEN}> said no.", BOB)
    costs = [(row["asker"], row["channel"], row["cost"]) for row in rows(url, "ledger")]
    assert costs == [
        (FORGOTTEN, FORGOTTEN, Decimal("0.0421")),
        (FORGOTTEN, HELP, Decimal("0.5")),
        (BOB, HELP, Decimal("1")),
    ]
    assert [row["question_id"] for row in rows(url, "labels")] == ["q2"]
    assert [row["id"] for row in rows(url, "examples")] == ["team"]
    (team,) = rows(url, "examples")
    assert (team["id"], team["readers"], team["saved_by"]) == ("team", ["everyone"], FORGOTTEN)
    assert [row["name"] for row in rows(url, "learned")] == ["bandit"]
    (kept,) = rows(url, "inbox")
    assert (kept["event_id"], kept["payload"]["event"]["user"]) == ("about her", BOB)
    assert ANNA not in str(kept)


def test_a_document_is_gone_from_what_was_answered_with_it(url: str) -> None:
    text = "The salary band of senior engineers runs from 84,000 to 97,000 euros a year."
    subject = Subject("document", "d" * 32, source="pay", path="bands.md", title="Bands", runs=frozenset(runs_of(text)))
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    asked = {
        "asker": BOB,
        "channel": HELP,
        "place_kind": "channel",
        "workspace": "T1",
        "scopes": ["everyone"],
        "private": False,
        "asked_at": now,
    }
    cited = {"citations": [{"source": "pay", "title": "Bands", "quote": "The salary band"}]}
    put(url, "questions", id="cites", text="What do seniors earn?", answer="Enough [1].", receipt=cited, **asked)
    put(url, "questions", id="quotes", text="How much?", answer=f"See: {text.upper()}", receipt={}, **asked)
    put(url, "questions", id="other", text="Where is the VPN?", answer="There.", receipt={"citations": []}, **asked)
    said = {"channel": HELP, "thread": "1", "author": "", "deleted": False}
    put(url, "conversations", ts="2", role="assistant", text="Enough [1].", question_id="cites", **said)
    put(url, "conversations", ts="3", role="user", text="What do seniors earn?", question_id="cites", **said)
    put(url, "conversations", ts="4", role="user", text=f"I read that {text}", question_id=None, **said)
    for of in ("cites", "other"):
        put(url, "bases", subject=of, document="", readers=" everyone ")
        put(url, "bases", subject=of, document=subject.id, readers=" channel:C0PAY ")
    put(url, "model_answers", key="k", provider="p", model="m", text="84,000", seconds=1, answered_at=now)
    put(url, "told_problems", source="pay", path="bands.md", sentence="It is locked.", told_at=now)

    forgotten(url, subject)
    kept = {row["id"]: row["answer"] for row in rows(url, "questions")}
    assert kept == {"cites": None, "quotes": None, "other": "There."}
    assert all(row["text"] for row in rows(url, "questions"))
    assert [row["ts"] for row in rows(url, "conversations")] == ["3"]
    assert rows(url, "model_answers") == rows(url, "told_problems") == []
    # An answer that does not repeat the document stays, and stays with those who could read the document.
    assert [(row["subject"], row["readers"]) for row in rows(url, "bases")] == [
        ("other", " everyone "),
        ("other", " channel:C0PAY "),
    ]
    assert subject.id not in str(rows(url, "bases"))


def test_what_was_saved_from_a_channel_goes_with_it_and_a_saved_document_is_saved_no_more(url: str) -> None:
    source, paths = "saved from Slack", [f"{HELP}/1.000100", f"{HELP}/files/F0PLAN", "C0ENG/1.000100", "C0ENG/2.000100"]
    put(url, "knowledge_sources", name=source, kind="slack")
    for number, path in enumerate(paths):
        document = {"version": "", "title": "", "readers": "everyone", "digest": "", "tags": []}
        put(url, "knowledge_documents", id=str(number), source=source, path=path, **document)
        put(url, "knowledge_saved", source=source, path=path, channel=path.partition("/")[0])
    with transaction(url, "read") as connection:
        assert documents_of(connection, Subject("channel", HELP)) == ["0", "1"]  # though all can read them
        assert documents_of(connection, Subject("user", HELP)) == []
    done = forgotten(url, Subject("channel", HELP))["knowledge_saved"]
    assert (done.before, done.removed, done.after) == (2, 2, 0)
    assert [row["path"] for row in rows(url, "knowledge_saved")] == paths[2:]
    forgotten(url, Subject("document", "2", source=source, path=paths[2]))
    assert [row["path"] for row in rows(url, "knowledge_saved")] == paths[3:]


def test_an_id_is_taken_as_slack_writes_it_and_other_words_are_refused() -> None:
    assert slack_id("user", f"<@{ANNA}>") == slack_id("user", f" {ANNA}\n") == ANNA
    assert slack_id("channel", f"<#{HELP}|help>") == HELP
    for typed in ("", "Anna Meyer", "%", "U0'; --"):
        with pytest.raises(UnknownSubject, match="looks like U0MAYA"):
            slack_id("user", typed)


def _columns_for(held: Any, subject: Subject) -> dict[str, Callable[[str], str]]:
    """What a column holds where it names the subject, by the kind of the column."""
    scope = f"{subject.kind}:{subject.id}"
    found: dict[str, Callable[[str], str]] = {}
    direct = f"{held.owner} {held.actor}" if subject.kind == "user" else held.place
    found |= {name: lambda _: subject.id for name in direct.split()}
    found |= {name: lambda old: json.dumps([scope]) if old[:1] in "[{" else scope for name in held.readers.split()}
    for name in held.texts:
        found[name] = lambda old: (
            json.dumps({"said": f"by <@{subject.id}>"}) if old[:1] in "[{" else f"by {subject.id}."
        )
    return found


def _name_it(connection: Any, table: sa.Table, declared: dict[str, Callable[[str], str]], subject: Subject) -> None:
    keys = list(table.primary_key.columns)
    found = connection.execute(sa.select(table).order_by(*keys)).all()
    for number, (name, made) in enumerate(declared.items()):
        row = found[number % len(found)]
        if name in {key.name for key in keys} or row._mapping[name] is None:
            row = next(each for each in found if each._mapping[name] is not None)
        here = sa.and_(*(key == row._mapping[key.name] for key in keys))
        connection.execute(table.update().where(here).values({name: made(str(row._mapping[name]))}))
        if name in {key.name for key in keys}:
            found = connection.execute(sa.select(table).order_by(*keys)).all()
    if held_key := REGISTRY[table.name].key:
        row = connection.execute(sa.select(table).order_by(*keys)).first()
        scope = "person" if subject.kind == "user" else "channel"
        here = sa.and_(*(key == row._mapping[key.name] for key in keys))
        connection.execute(table.update().where(here).values({"scope": scope, held_key: subject.id}))
