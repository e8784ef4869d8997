"""What the last visits of a site left behind: each page's validators, its links and what came of it.

It spares the site, and it is a cache: without it everything is asked for in full once more, and nothing is lost.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from dataclasses import dataclass, replace
from pathlib import Path

_FORM = "1"  # raise it whenever pages are understood in another way: what was remembered then holds no more
_RESUMED_WITHIN = 6 * 3600.0  # seconds after which a run that was cut off is begun anew
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    path TEXT PRIMARY KEY, etag TEXT, modified TEXT, version TEXT, text TEXT, leads_to TEXT, links TEXT, problem TEXT,
    listed INTEGER, is_error INTEGER, failing_since REAL, run INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (number INTEGER PRIMARY KEY, site TEXT, started REAL, whole INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of one address.

    `version` changes with the document, `text` is the hash of its words alone; both are "" where there is nothing to
    read. `leads_to` is the path that it redirects to or names as its own, `links` the paths that it leads its readers
    to. `is_error`: it is the site's page for what does not exist. `failing_since`: seconds since 1970, where its last
    visits failed.
    """

    path: str
    etag: str = ""
    modified: str = ""
    version: str = ""
    text: str = ""
    leads_to: str = ""
    links: tuple[str, ...] = ()
    problem: str = ""
    listed: bool = True
    is_error: bool = False
    failing_since: float | None = None


class Memory:
    """The visits of one site, in a small database of its own. Not for several tasks at once."""

    def __init__(self, folder: Path, site: str) -> None:
        self._folder = folder
        self._site = f"{_FORM} {site}"
        self._run = 0
        self._database = self._open()

    def begin(self) -> None:
        """Starts a run, or goes on with one that was cut off not long ago."""
        row = self._database.execute("SELECT number, site, started, whole FROM runs").fetchone()
        number, site, started, whole = row or (0, self._site, 0.0, 1)
        if site != self._site:
            self._database.execute("DELETE FROM pages")
        now = time.time()
        if site == self._site and not whole and 0 <= now - started < _RESUMED_WITHIN:
            self._run = number
            return
        self._run = number + 1
        self._database.execute("DELETE FROM runs")
        self._database.execute("INSERT INTO runs VALUES (?, ?, ?, 0)", (self._run, self._site, now))
        self._database.commit()

    def finish(self) -> None:
        """The run saw everything: pages that it did not meet are forgotten."""
        self._database.execute("DELETE FROM pages WHERE run <> ?", (self._run,))
        self._database.execute("UPDATE runs SET whole = 1")
        self._database.commit()

    def get(self, path: str) -> tuple[Visit | None, bool]:
        """The last visit of a path, and whether it was made in this run."""
        row = self._database.execute("SELECT * FROM pages WHERE path = ?", (path,)).fetchone()
        if row is None:
            return None, False
        *fields, run = row
        visit = Visit(*fields)
        links = tuple(json.loads(row[6]))
        return replace(visit, links=links, listed=bool(visit.listed), is_error=bool(visit.is_error)), run == self._run

    def put(self, visit: Visit) -> None:
        """Remembers a visit of this run."""
        self._database.execute(
            "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                visit.path,
                visit.etag,
                visit.modified,
                visit.version,
                visit.text,
                visit.leads_to,
                json.dumps(visit.links),
                visit.problem,
                visit.listed,
                visit.is_error,
                visit.failing_since,
                self._run,
            ),
        )
        self._database.commit()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:  # broken by a crash: it is a cache
            shutil.rmtree(self._folder, ignore_errors=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._folder / "visits.sqlite3", check_same_thread=False)
        try:
            database.execute("PRAGMA synchronous = OFF")  # a lost cache costs requests, a sync per page costs more
            database.executescript(_SCHEMA)
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database
