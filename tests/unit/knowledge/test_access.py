import pytest

from knowledge import access
from knowledge.errors import InvalidScope


def test_a_document_is_readable_where_readers_and_audience_meet() -> None:
    readers = frozenset({"channel:C1", "user:U1"})
    assert access.readable(readers, frozenset({"everyone", "user:U1"}))
    assert not access.readable(readers, frozenset({"everyone", "channel:C2"}))


@pytest.mark.parametrize("text", ["", "all", "channel:", "channel:C 1", "user:U1 user:U2", "group:G1", "everyone:U1"])
def test_a_word_that_is_no_scope_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(InvalidScope, match="channel:C…"):
        access.parse_scope(text)


def test_who_reads_what_everyone_reads_reads_what_outsiders_may_read_and_not_the_other_way() -> None:
    assert access.held({"everyone", "user:U1"}) == {"everyone", "outsiders", "user:U1"}
    assert access.held({"outsiders", "channel:C1"}) == {"outsiders", "channel:C1"}
    assert access.readable(frozenset({"outsiders"}), access.held({"everyone"}))
    assert not access.readable(frozenset({"everyone"}), access.held({"outsiders"}))


def test_scopes_are_made_from_ids_and_survive_the_store() -> None:
    readers = frozenset({access.channel("C1"), access.user("U9"), access.EVERYONE})
    assert readers == {"channel:C1", "user:U9", "everyone"}
    assert access.from_key(access.to_key(readers)) == readers
