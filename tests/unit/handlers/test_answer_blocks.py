from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from whole_receipt import whole_receipt

from bot.costs.calls import Row
from bot.domain import Answer, Choice, Citation, Example, Option, Pin, Price, Receipt, StrategyName, Usage
from bot.learning.feedback import Given, Reason
from bot.learning.reviewed import Draft, Reviewed, Said
from bot.models.cards import ModelCard
from bot.models.listing import Shown
from deploy.workspace.limits import check_message_blocks, check_view
from handlers.blocks import adding, another_way, ask_about, comment, example, example_list, home, knowledge, model_card
from handlers.blocks.answer import question_of, sources, tail
from handlers.blocks.receipt import receipt_modal
from handlers.known import KnownSource
from knowledge.access import PUBLIC
from knowledge.reports import Problem, SourceStatus
from knowledge.sources.kinds import SourceSpec

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def citation(number: int, title: str = "A page", url: str | None = "https://docs.example/page") -> Citation:
    return Citation(number=number, title=title, url=url, source="docs", updated=NOW - timedelta(days=2), quote="")


def receipt(citations: tuple[Citation, ...] = (), options: int = 3) -> Receipt:
    considered = tuple(
        Option(
            strategy=StrategyName.RAG,
            model=f"model-{number}",
            quality=0.9 - number / 100,
            cost=None if number == 1 else Decimal("0.01"),
            latency=2.0,
            utility=0.9 - number / 100,
            available=number != 2,
            reason="its key is missing" if number == 2 else "",
        )
        for number in range(options)
    )
    return Receipt(
        question_id="q1",
        choice=Choice(
            option=considered[0],
            options=considered,
            reasons=("It answers <well>.",),
            pins=(Pin(scope="thread", model="model-0", strategy=StrategyName.RAG),),
        ),
        citations=citations,
        usage=Usage(prompt_tokens=1200, completion_tokens=80, estimated=True),
        price=Price(amount=None, version="2026-05"),
        seconds=3.2,
        outcome="answered",
        created_at=NOW,
    )


def call(outcome: str) -> Row:
    return Row(
        id=1,
        question_id="q1",
        purpose="answer",
        attempt=1,
        provider="house",
        model="small-model",
        strategy="rag",
        channel="C0HELP",
        place_kind="channel",
        started_at=NOW,
        seconds=1.9,
        prompt_tokens=1200,
        completion_tokens=80,
        cached_tokens=None,
        reasoning_tokens=None,
        estimated=False,
        cost=Decimal("0.0004"),
        price_version=None,
        outcome=outcome,
    )


def test_who_asked_for_another_model_is_told_right_under_the_answer() -> None:
    note = "“first” is pinned in this channel, but it did not answer: this is from <“second”>."
    told = tail(Answer(question_id="q1", text="x", citations=(citation(1),), receipt=receipt(), note=note), NOW)
    assert told[0]["elements"][0]["text"] == note.replace("<", "&lt;").replace(">", "&gt;")
    assert "[1]" in told[1]["elements"][0]["text"]


def test_what_stands_under_an_answer_keeps_slacks_limits_with_any_number_of_sources() -> None:
    many = tuple(citation(number, title="Title " * 60, url="https://docs.example/" + "x" * 200) for number in range(40))
    blocks = tail(Answer(question_id="q1", text="", citations=many, receipt=receipt(many)), NOW)
    check_message_blocks([{"type": "markdown", "text": "x" * 9000}, *blocks])
    assert "more" in blocks[0]["elements"][-1]["text"]


def test_a_title_cannot_break_out_of_its_link() -> None:
    (block,) = sources((citation(1, title="a|b> <!channel>", url="https://x.example/?a=1|2> <"),), NOW)
    text = block["elements"][0]["text"]
    assert text.count("<") == 1
    assert text.count(">") == 1
    assert text.count("|") == 1


def test_an_answer_without_sources_has_no_empty_block() -> None:
    blocks = tail(Answer(question_id="q1", text="", citations=(), receipt=receipt()), NOW)
    assert [block["type"] for block in blocks] == ["context", "context_actions", "actions"]
    assert question_of({"blocks": blocks}) == "q1"
    assert question_of({"text": "not an answer"}) is None


def test_the_receipt_tells_the_choice_its_price_and_what_a_person_fixed() -> None:
    view = receipt_modal(receipt((citation(1),), options=12), NOW)
    check_view(view)
    shown = str(view)
    assert "It answers &lt;well&gt;." in shown
    assert "price unknown" in shown
    assert "1,200 read, 80 written (counted here)" in shown
    assert "model-0 and knowledge search (RAG) for this thread" in shown
    assert "and 3 more" in shown
    assert "• its key is missing _model-2: knowledge search (RAG)_" in str(receipt_modal(receipt(), NOW))


def test_the_receipt_tells_ranges_guards_evidence_weights_and_versions() -> None:
    view = receipt_modal(whole_receipt("q1"), NOW, people=(("U0LEO", "kept"), ("U0MAYA", "down")))
    check_view(view)
    shown = str(view["blocks"])
    for told in (
        "*small-model* with knowledge search (RAG), chosen by what was learned from feedback",
        "*small-model* · knowledge search (RAG) · *taken*",
        "quality 0.71 (0.62–0.79) · $0.00041 ($0.0003–$0.0006) · 2.1 s (1.4–3.0 s)",
        "The budget of this channel leaves no room for “huge-model”.",
        "The model is not fine-tuned. _small-model, large-model: fine-tuned model_",
        "nearest passage *0.82*",
        "frugal: a point of quality (0.01) is worth $0.0004 and 2 s here",
        "estimates shipped-3 · prices 2026-05-01 · index minilm-7",
        "Kept, of two answers, by <@U0LEO>",
    ):
        assert told in shown, told
    assert "U0MAYA" not in shown
    assert "Model calls" not in shown


def test_a_receipt_keeps_slacks_limits_whatever_is_in_it() -> None:
    whole = whole_receipt("q1")
    refused = [
        replace(option, model=f"{'m' * 190}{n}", available=False, reason="Because. " * 200 + str(n % 9))
        for n, option in enumerate(whole.choice.options * 40)
    ]
    choice = replace(
        whole.choice,
        options=(*whole.choice.options * 40, *refused),
        guards=("A guard struck. " * 100,) * 50,
        reasons=("A reason & more. " * 100,) * 50,
        features={f"feature_{n}": 0.5 for n in range(300)},
    )
    calls = [call(outcome) for outcome in ("timed_out", "answered")] * 50
    sources = tuple(citation(n, title="Title " * 60) for n in range(40))
    people = [(f"U{n}", "kept") for n in range(500)]
    view = receipt_modal(replace(whole, choice=choice, citations=sources), NOW, calls=calls, people=people)
    check_view(view)
    assert "answer: *small-model* · timed out · 1,200 read, 80 written · $0.0004 · 1.9 s" in str(view)
    assert "and 90 more" in str(view)


def test_every_modal_and_the_home_tab_are_taken_by_slack() -> None:
    cards = [
        Shown(ModelCard(name=f"model-{n}", provider="p", context_window=8192, summary="S" * 400), None, True)
        for n in range(120)
    ]
    status = SourceStatus(
        name="docs",
        kind="folder",
        documents=3,
        chunks=9,
        refreshed=None,
        seconds=None,
        problems=tuple(Problem(f"file{n}.pdf", "It is broken. " * 50) for n in range(30)),
    )
    ways = [replace(receipt().choice.option, model="m" * length) for length in (5, 70, 140, 200, 80)]
    check_view(model_card.picker(cards, "model-3", ["person", "channel"], "{}"))
    check_view(another_way.another_way_modal("q" * 5000, ways, [c.card.name for c in cards], "{}"))
    check_view(ask_about.ask_modal("line & <b>\n" * 900, "{}"))
    check_view(ask_about.ask_modal("", "{}"))
    draft = Draft.of("q" * 9000, "", [f"tag number {number}" for number in range(300)], NOW.date())
    check_view(example.example_modal(draft, "everyone", metadata="{}"))
    kept = Example(
        id="e" * 32, question="<q & a>" * 400, answer="a\n" * 1500, readers=PUBLIC, saved_by="U1", author="U2"
    )
    said = Said(by="U1", at=NOW, why="w" * 3000)
    one = Reviewed(example=kept, kept_by="U1", saved_at=NOW, flag=said)
    there = [*example.like_it(one, may_change=True), *example.changed_meanwhile(one)]
    check_view(example.example_modal(draft, "everyone", metadata="{}", title="Change an example", there=there))
    check_view(example.example_modal(draft, "you", metadata="{}", there=example.like_it(one, may_change=False)))
    check_view(example.import_modal("everyone", "{}"))
    check_view(comment.comment_modal("{}", Given(-1, Reason.FORBIDDEN, "w" * 5000)))
    check_message_blocks(comment.thanks("q1", Reason.FORBIDDEN, None)[1])
    wanted = example_list.Wanted("find", "w" * 200, 1)
    for found in ([], [one], [one] * 35, [replace(one, retired=said)] * 35):
        theirs = {one.example.id}
        check_message_blocks(example_list.example_list(wanted, found, theirs, NOW.date())[1])
    check_message_blocks(example_list.retired(one)[1])
    known = KnownSource(status, frozenset({"everyone"}), is_configured=True, may_change=True)
    check_view(home.home_view("model-1", "It cost nothing.", knowledge.status([known] * 30, NOW)))
    check_message_blocks(knowledge.status([known] * 20, NOW))
    assert "more than fits here" in str(knowledge.status([known] * 20, NOW))
    check_message_blocks(knowledge.details(known, NOW, NOW, "It costs nothing."))
    check_message_blocks(knowledge.forget_question(known))
    specs = [SourceSpec("n" * 80, kind, frozenset(), {}) for kind in ("git", "web")]
    readers = [("everyone", "Everyone"), ("channel:C1", "The members of this channel")]
    check_view(adding.adding_modal("https://x.example/" + "y" * 900, specs, readers, "It is read now.", "{}"))


def test_a_question_about_a_message_gets_the_message_back_as_it_was() -> None:
    view = ask_about.ask_modal("a < b & c\n\nsecond", "{}")
    view["state"] = {"values": {"question": {"question": {"value": " Why? "}}, "where": {}}}
    assert ask_about.written({"view": view}) == ("Why?", "a < b & c\n\nsecond", True)
