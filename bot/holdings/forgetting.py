"""Forgets a person, a channel or a document: removes what is theirs, empties what has to stay, and looks again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.holdings.registry import FORGOTTEN, REGISTRY, Held
from bot.holdings.search import counts, rows_with
from bot.holdings.subject import Subject
from knowledge import access

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One table of the proof: rows that named the subject or held its words before and after, and what was done to
    how many: rows removed, and rows that stayed without it."""

    table: str
    what: str
    before: int
    removed: int
    changed: int
    after: int
    why: str = ""


class Forgetting:
    """Works in one transaction on the tables that `plain_tables` found."""

    def __init__(self, connection: Connection, tables: sa.MetaData, subject: Subject) -> None:
        self._connection = connection
        self._tables = tables
        self._subject = subject
        self._removed = dict.fromkeys(tables.tables, 0)
        self._changed = dict.fromkeys(tables.tables, 0)
        self._theirs = sa.Table(
            "forgotten_questions", sa.MetaData(), sa.Column("id", sa.String(40)), prefixes=["TEMPORARY"]
        )

    def run(self, before: Mapping[str, int]) -> list[Place]:
        """Does it; gives what was done in each table where there was something, beside what was there `before`."""
        self._theirs.create(self._connection)
        self._find_questions()
        self._copies()
        self._learned()
        for name in self._order():
            held, table = REGISTRY[name], self._tables.tables[name]
            if held.cache:
                self._delete(table, sa.true())
            elif not held.kept:
                self._forget_rows(held, table)
                self._take_out(held, table)
        self._theirs.drop(self._connection)
        return self._told(before)

    def _find_questions(self) -> None:
        questions, subject = self._tables.tables["questions"], self._subject
        if subject.kind == "document":
            rows = rows_with(self._connection, questions, subject)
            cited = self._citing(questions)
            found = {row.id for row in rows} | cited
            self._insert(found)
            return
        column = questions.c.asker if subject.kind == "user" else questions.c.channel
        theirs = sa.select(questions.c.id).where(column == subject.id)
        self._connection.execute(self._theirs.insert().from_select(["id"], theirs))

    def _citing(self, questions: sa.Table) -> set[str]:
        """Questions whose receipts name the document among their sources."""
        query = sa.select(questions.c.id, questions.c.receipt).where(questions.c.receipt.is_not(None))
        found = set()
        for row in self._connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
            receipt = json.loads(row.receipt) or {}
            for citation in receipt.get("citations", ()):
                if (citation.get("source"), citation.get("title")) == (self._subject.source, self._subject.title):
                    found.add(row.id)
        return found

    def _insert(self, ids: Iterable[str]) -> None:
        rows = [{"id": one} for one in sorted(ids)]
        for start in range(0, len(rows), _AT_ONCE):
            self._connection.execute(self._theirs.insert(), rows[start : start + _AT_ONCE])

    def _copies(self) -> None:
        """Texts that were copied word for word from the questions and answers."""
        questions, theirs = self._tables.tables["questions"], sa.select(self._theirs.c.id)
        for name, held in REGISTRY.items():
            table = self._tables.tables[name]
            for column in held.copies.split():
                texts = [
                    sa.select(questions.c[of]).where(questions.c.id.in_(theirs), questions.c[of] != "")
                    for of in ("text", "answer")
                ]
                self._delete(table, sa.or_(*(table.c[column].in_(each) for each in texts)))

    def _learned(self) -> None:
        """What was made from a question of theirs is made anew without it."""
        table = self._tables.tables["learned"]
        theirs = set(self._connection.execute(sa.select(self._theirs.c.id)).scalars())
        for row in self._connection.execute(sa.select(table.c.name, table.c.value)).all():
            ids = (json.loads(row.value) or {}).get("ids", ())
            if not theirs.isdisjoint(ids):
                self._delete(table, table.c.name == row.name)

    def _order(self) -> list[str]:
        """Rows before those that they belong to, the questions last."""
        children = [name for name, held in REGISTRY.items() if held.parent]
        rest = [name for name, held in REGISTRY.items() if not held.parent and name != "questions"]
        return [name for name in (*children, *rest, "questions") if name in self._tables.tables]

    def _forget_rows(self, held: Held, table: sa.Table) -> None:
        owned = self._owned(held, table)
        if owned is None:
            return
        if held.emptied is None:
            self._delete(table, owned)
            return
        values: dict[str, Any] = {
            n: v for n, v in held.emptied.items() if self._subject.kind != "document" or n in _SAID
        }
        if self._subject.kind == "user" and held.owner:
            values |= {held.owner: FORGOTTEN}
            if held.place:  # the id of a direct message names its person
                place = table.c[held.place]
                values |= {held.place: sa.case((place.like("D%"), FORGOTTEN), else_=place)}
        if self._subject.kind == "channel" and held.place:
            values |= {held.place: FORGOTTEN}
        if values:
            self._changed[table.name] += self._connection.execute(table.update().where(owned).values(values)).rowcount

    def _owned(self, held: Held, table: sa.Table) -> sa.ColumnElement[bool] | None:
        """Which rows are theirs; None: none can be."""
        subject = self._subject
        conditions: list[sa.ColumnElement[bool]] = []
        if subject.kind == "user":
            conditions += [table.c[name] == subject.id for name in held.owner.split()]
        if subject.kind == "channel":
            conditions += [table.c[name] == subject.id for name in held.place.split()]
        if held.document and subject.kind == "document":
            source, path = (table.c[name] for name in held.document.split())
            conditions.append(sa.and_(source == subject.source, path == subject.path))
        if held.key and subject.kind != "document":
            conditions.append(_keyed(table, held.key, subject))
        theirs = sa.select(self._theirs.c.id)
        questions: list[sa.ColumnElement[bool]] = [table.c[name].in_(theirs) for name in held.question.split()]
        if table.name == "questions":
            questions = [table.c.id.in_(theirs)]
        elif subject.kind == "document" and table.name == "conversations":
            questions = [sa.and_(one, table.c.role == "assistant") for one in questions]
        elif subject.kind == "document" and table.name not in _HOLDS_ANSWERS:
            questions = []
        conditions += questions
        if held.parent is not None:
            column, parent, key = held.parent
            above = self._tables.tables[parent]
            owned = self._owned(REGISTRY[parent], above)
            if owned is not None:
                conditions.append(table.c[column].in_(sa.select(above.c[key]).where(owned)))
        return sa.or_(*conditions) if conditions else None

    def _take_out(self, held: Held, table: sa.Table) -> None:
        """What is left of them in rows of others: who did something, who may read, whom a text names."""
        subject = self._subject
        for name in held.actor.split() if subject.kind == "user" else ():
            change = table.update().where(table.c[name] == subject.id).values({name: FORGOTTEN})
            self._changed[table.name] += self._connection.execute(change).rowcount
        keys = list(table.primary_key.columns)
        for row in list(rows_with(self._connection, table, subject)):
            here = sa.and_(*(key == row._mapping[key.name] for key in keys))
            values = self._without(held, row)
            if values is None:
                self._delete(table, here)
            elif values:
                self._connection.execute(table.update().where(here).values(values))
                self._changed[table.name] += 1

    def _without(self, held: Held, row: sa.Row[Any]) -> dict[str, Any] | None:
        """The columns of a row without the subject; None where nothing of the row may stay."""
        values: dict[str, Any] = {}
        subject = self._subject
        for name in held.readers.split():
            scopes, turned = _readers(row._mapping[name])
            left = [scope for scope in scopes if scope.partition(":")[2] != subject.id]
            if left != scopes:
                if not left and name == "readers":
                    return None  # nobody else may read it
                values[name] = turned(left)
        for name in held.digest.split():
            if row._mapping[name] == subject.id:  # another word each time: no two rows may say the same
                values[name] = f"{FORGOTTEN} {token_hex(8)}"
        if any(_is_sender(subject, row._mapping[name]) for name in held.sent.split()):
            return None
        for name in held.texts:
            text = row._mapping[name]
            if text is None or not subject.is_in(text):
                continue
            if subject.runs:
                if held.emptied is None:
                    return None
                values |= {n: v for n, v in held.emptied.items() if n in _SAID or n == name}
            else:
                values[name] = subject.scrubbed(text, FORGOTTEN)
        return values

    def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> None:
        self._removed[table.name] += self._connection.execute(table.delete().where(which)).rowcount

    def _told(self, before: Mapping[str, int]) -> list[Place]:
        after = counts(self._connection, self._tables, self._subject)
        return [
            Place(
                table=name,
                what=held.what,
                before=before.get(name, 0),
                removed=self._removed[name],
                changed=self._changed[name],
                after=after.get(name, 0),
                why=held.kept,
            )
            for name, held in REGISTRY.items()
            if name in before or name in after or self._removed[name] or self._changed[name]
        ]


_SAID = frozenset({"answer", "receipt", "detail"})
_HOLDS_ANSWERS = frozenset({"bases", "shadows", "evaluation_cells", "leanings", "recalls", "tuning_rows"})


def _is_sender(subject: Subject, payload: str) -> bool:
    """Whether an event of Slack came from this person or channel."""
    return re.search(rf'"(?:{subject.kind}|{subject.kind}_id|id)": *"{re.escape(subject.id)}"', payload) is not None


def _keyed(table: sa.Table, name: str, subject: Subject) -> sa.ColumnElement[bool]:
    key, scope = table.c[name], table.c.scope
    if subject.kind == "user":
        return sa.and_(scope == "person", key == subject.id)
    thread = sa.and_(scope == "thread", key.startswith(f"{subject.id}:", autoescape=True))
    return sa.or_(sa.and_(scope == "channel", key == subject.id), thread)


def _readers(kept: str | None) -> tuple[list[str], Any]:
    """Scopes as the column has them, and how they are put back: JSON, or words with spaces between."""
    if kept is None:
        return [], str
    if kept.lstrip().startswith("["):
        return [str(scope) for scope in json.loads(kept)], json.dumps
    return sorted(access.from_key(kept)), lambda scopes: access.to_key(frozenset(scopes))
