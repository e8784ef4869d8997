"""Which words may be trained on: by consent, by readers, by what people made of the answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import ThingsEmbedder, asked, example

from bot.bases import Bases
from bot.domain import PlaceKind, StrategyName
from bot.learning.alternatives import Alternatives
from bot.learning.comparisons import Compared, Comparison, Comparisons
from bot.learning.examples import Examples
from bot.learning.labels import Labels
from bot.storage.tuning_tables import training_consents
from bot.tuning.consents import Consents, Rule
from bot.tuning.gathering import FLAGGED, NO_CONSENT, NOT_READABLE, STAYS, Gathered, Gathering
from knowledge import access


class NoDocuments:
    """Every document is gone: what stands in the bases counts."""

    async def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """None of them."""
        return {}


async def gathered(
    engine: AsyncEngine, rule: Rule = "public", scopes: Sequence[str] = ("everyone",), closed: Sequence[str] = ()
) -> Gathered:
    bases, audience = Bases(engine, NoDocuments()), access.held(scopes)
    consented = await Consents(engine, rule).now()
    kept = await Examples(engine, ThingsEmbedder(), bases).all(audience)
    return await Gathering(engine, bases, consented, audience, closed).run(kept)


def subjects(found: Gathered) -> set[str]:
    return {row.subject for row in found.rows}


async def house(engine: AsyncEngine) -> None:
    await example(engine, "written", "How do we restart the search?", "By Argo.", by="U0CAT", author="U0BEN")
    await example(engine, "said", "Who owns billing?", "Sam does. [1][2]", by="U0CAT", rests_on=" everyone ")
    await example(engine, "shut", "What is the price?", "Nine.", rests_on=" channel:C0SALES ")
    await example(engine, "ours", "Where is the cellar?", "Below.", readers=["channel:C0SALES"])
    await asked(engine, "liked", "When do deploys run?", "On Tuesdays. [1, 2]", thumb=1)
    await asked(engine, "disliked", "When is lunch?", thumb=-1)
    await asked(engine, "unjudged", "When is dinner?")
    await asked(engine, "direct", "Am I paid?", kind=PlaceKind.DM, scopes=["user:U0ANA"], thumb=1)
    await asked(engine, "private", "Who pays?", kind=PlaceKind.PRIVATE_CHANNEL, scopes=["channel:C0SALES"], thumb=1)


async def test_where_everybody_in_public_may_be_trained_on_that_is_what_everyone_may_read(engine: AsyncEngine) -> None:
    await house(engine)
    found = await gathered(engine)
    assert subjects(found) == {"written", "said", "liked"}
    rows = {row.subject: row for row in found.rows}
    assert {row.origin for row in found.rows} == {"person", "example", "thumb"}
    assert (rows["said"].answer, rows["liked"].answer) == ("Sam does.", "On Tuesdays.")
    assert (rows["liked"].asker, rows["liked"].author, rows["written"].author) == ("U0ANA", "", "U0BEN")


async def test_whoever_takes_themselves_out_is_out_as_asker_and_as_author(engine: AsyncEngine) -> None:
    await house(engine)
    consents = Consents(engine, "public")
    await consents.set("U0ANA", False, by="U0ANA")
    found = await gathered(engine)
    assert (subjects(found), found.left_out[NO_CONSENT]) == ({"written", "said"}, 1)
    await consents.set("U0BEN", False, by="U0BEN")
    assert subjects(await gathered(engine)) == {"said"}
    await consents.set("U0ANA", True, by="U0ANA")
    assert subjects(await gathered(engine)) == {"said", "liked"}


async def test_an_example_made_of_somebodys_question_word_for_word_needs_their_consent_too(engine: AsyncEngine) -> None:
    await example(engine, "copied", "When do deploys run?", "On Tuesdays.")
    await asked(engine, "first", "When do deploys run?")
    assert [row.asker for row in (await gathered(engine)).rows] == ["U0ANA"]
    await Consents(engine, "public").set("U0ANA", False, by="U0ANA")
    assert subjects(await gathered(engine)) == set()


async def test_an_example_that_may_be_out_of_date_is_left_out_until_somebody_has_looked(engine: AsyncEngine) -> None:
    await house(engine)
    examples = Examples(engine, ThingsEmbedder(), Bases(engine, NoDocuments()))
    await examples.flag("written", "The page says otherwise.", "refresh")
    found = await gathered(engine)
    assert (subjects(found), found.left_out[FLAGGED]) == ({"said", "liked"}, 1)


async def test_where_people_say_yes_only_theirs_may_be_trained_on(engine: AsyncEngine) -> None:
    await house(engine)
    assert subjects(await gathered(engine, "opt-in")) == set()
    await Consents(engine, "opt-in").set("U0ANA", True, by="U0ANA")
    assert subjects(await gathered(engine, "opt-in")) == {"liked"}
    assert subjects(await gathered(engine, "off")) == set()


async def test_for_a_narrower_audience_what_that_may_read_is_there_too_with_consent(engine: AsyncEngine) -> None:
    await house(engine)
    for person in ("U0ANA", "U0BEN", "U0CAT"):
        await Consents(engine, "opt-in").set(person, True, by=person)
    sales = ["everyone", "channel:C0SALES"]
    assert subjects(await gathered(engine, "opt-in", sales)) == {"written", "said", "liked", "shut", "ours", "private"}
    assert subjects(await gathered(engine, "opt-in")) == {"written", "said", "liked"}
    # Public words alone do not reach into a private channel, whoever the model is for.
    assert "private" not in subjects(await gathered(engine, "public", sales))


async def test_what_is_said_where_only_some_models_may_be_asked_is_left_out(engine: AsyncEngine) -> None:
    await house(engine)
    assert subjects(await gathered(engine, closed=["C1"])) == {"written", "said"}


async def test_answers_that_were_taken_of_two_become_preferences(engine: AsyncEngine) -> None:
    labels = Labels(engine)
    for id, answer in (("a", "Short. [1]"), ("b", "Long and winding."), ("c", "Other."), ("d", "Neither.")):
        await asked(engine, id, "How long is a rollback?", answer)
    await Alternatives(engine, labels).add("b", "a", "U0ANA")
    await Alternatives(engine, labels).judge("b", "U0EVE", kept=False)
    answers = tuple(Compared(question_id=id, strategy=StrategyName.RAG, model=id) for id in ("c", "d"))
    comparison = Comparison(id="v", answers=answers, blind=True, asked_by="U0ANA")
    await Comparisons(engine, labels).add(comparison)
    await Comparisons(engine, labels).vote(comparison, "U0EVE", 1)
    pairs = {(row.answer, row.rejected) for row in (await gathered(engine)).preferences}
    assert pairs == {("Short.", "Long and winding."), ("Neither.", "Other.")}
    assert (await gathered(engine, closed=["C1"])).left_out[STAYS] == 2
    await Consents(engine, "public").set("U0ANA", False, by="U0ANA")
    found = await gathered(engine)
    assert (found.preferences, found.left_out[NO_CONSENT]) == ([], 2)


async def test_of_answers_that_rest_on_what_not_everyone_may_read_no_preference_is_made(engine: AsyncEngine) -> None:
    from bot.storage.bases import bases

    for id, answer in (("a", "Short."), ("b", "Long.")):
        await asked(engine, id, "How long is a rollback?", answer)
    async with engine.begin() as connection:
        await connection.execute(bases.insert().values(subject="b", document="d", readers=" channel:C0SALES "))
    await Alternatives(engine, Labels(engine)).add("b", "a", "U0ANA")
    await Alternatives(engine, Labels(engine)).judge("b", "U0EVE", kept=False)
    found = await gathered(engine)
    assert (found.preferences, found.left_out[NOT_READABLE]) == ([], 1)


@pytest.mark.parametrize("by", ["U0ANA", "command line"])
async def test_what_a_person_says_stands_in_the_audit_log(engine: AsyncEngine, by: str) -> None:
    from bot.audit import Audit

    await Consents(engine, "public").set("U0ANA", False, by=by)
    (entry,) = await Audit(engine).entries()
    assert (entry.who, entry.action, entry.subject, entry.after) == (by, "training consent", "person U0ANA", "off")
    async with engine.connect() as connection:
        assert (await connection.execute(sa.select(training_consents.c.allowed))).scalar_one() is False
