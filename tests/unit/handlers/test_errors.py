from __future__ import annotations

from sqlalchemy.exc import IntegrityError, OperationalError

from handlers.errors import is_told, sentence


def test_a_database_in_trouble_is_told_as_that_and_a_mistake_in_a_statement_is_not() -> None:
    full = OperationalError("INSERT", {"text": "a secret"}, OSError("database or disk is full"))
    told = "My database could not be read or written (database or disk is full). Please try again in a minute."
    assert sentence(full, "r1") == f"{told} (reference r1)"
    assert is_told(full)
    wrong = IntegrityError("INSERT", {"text": "a secret"}, OSError("NOT NULL constraint failed"))
    assert "Something went wrong on my side" in sentence(wrong, "r2")
    assert not is_told(wrong)
