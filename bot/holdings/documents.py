"""The documents that a subject means: the one that was named, or those that nobody else may read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.errors import UnknownSubject
from bot.holdings.subject import Kind, Subject, runs_of, slack_id
from knowledge import access
from knowledge.schema import chunks, documents, saved


def subject_of(connection: Connection, kind: Kind, typed: str, called: tuple[str, ...] = ()) -> Subject:
    """Whom or what is meant. Raises UnknownSubject."""
    if kind != "document":
        return Subject(kind, slack_id(kind, typed), tuple(name for name in called if name.strip()))
    here = [typed.partition("/")[::2]]
    while "/" in here[-1][1]:  # a source's name may have a slash in it
        more, _, rest = here[-1][1].partition("/")
        here.append((f"{here[-1][0]}/{more}", rest))
    for source, path in here:
        query = sa.select(documents).where(documents.c.source == source, documents.c.path == path)
        if (row := connection.execute(query).first()) is not None:
            texts = connection.execute(sa.select(chunks.c.text).where(chunks.c.document_id == row.id)).scalars()
            runs = frozenset(run for text in texts for run in runs_of(text))
            return Subject("document", row.id, source=source, path=path, title=row.title, runs=runs)
    known = connection.execute(sa.select(documents.c.source).distinct().order_by(documents.c.source)).scalars()
    raise UnknownSubject(
        f"There is no document “{typed}”. Write its source and its path, as in docs/deploying.md; the sources are: "
        f"{', '.join(known) or 'none yet'}."
    )


def documents_of(connection: Connection, subject: Subject) -> list[str]:
    """The ids of the documents that go with a subject: itself, what only that person or channel may
    read, and what was saved from that channel."""
    if subject.kind == "document":
        return [subject.id]
    only = access.user(subject.id) if subject.kind == "user" else access.channel(subject.id)
    theirs = documents.c.readers == only
    if subject.kind == "channel":
        here = (saved.c.channel == subject.id, saved.c.source == documents.c.source, saved.c.path == documents.c.path)
        theirs |= sa.exists().where(*here)
    return list(connection.execute(sa.select(documents.c.id).where(theirs)).scalars())
