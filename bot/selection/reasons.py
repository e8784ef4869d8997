"""The reasons of a choice, in sentences that a person understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Context

from bot.costs.money import dollars
from bot.domain import Evidence, Option, Pin, StrategyName
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE
from bot.selection.features import WORDS, Features, as_dict
from bot.selection.weights import Weights

NAMES: Mapping[StrategyName, str] = {
    StrategyName.ZERO_SHOT: "plain prompting",
    StrategyName.FEW_SHOT: "few-shot examples",
    StrategyName.RAG: "knowledge search (RAG)",
    StrategyName.FINE_TUNED: "the fine-tuned model",
}
CONFIGURED = "configured"
"""The scope of the pin that stands for the configured default model."""
TRIAL = "trial"
"""The scope of the pin that stands for a running trial of the channel."""
NOBODYS = frozenset({CONFIGURED, TRIAL})
"""The scopes of pins that nobody set for the sake of the question."""

_CLOSE = 0.55
_NEAR = 0.3
_COVERED = 0.8
_FAMILIAR = 0.05
_ROUNDED = Context(prec=2)
_TELLING = 0.3
_FEATURES_SAID = 2
_LIKELY = 0.5
_SHOWN_CHARACTERS = 80
_SEARCHED_CHARACTERS = 300


def of_model_pin(pin: Pin) -> str:
    """That a pinned model was obeyed."""
    said = _pinned(pin, f"“{pin.model}”")
    return said if pin.scope != TRIAL else f"{said[:-1]}; this question is among those that it answers."


def of_strategy_pin(pin: Pin) -> str:
    """That a pinned strategy was obeyed."""
    assert pin.strategy is not None
    return _pinned(pin, f"The strategy “{NAMES[pin.strategy]}”")


def of_refused_pin(pin: Pin, why: str) -> str:
    """That a pinned strategy could not be obeyed."""
    assert pin.strategy is not None
    return f"{of_strategy_pin(pin)[:-1]}, but could not be used: {_lowered(why)}"


def of_passed_over(pin: Pin, why: str) -> str:
    """That a pinned model was passed over."""
    return f"{_pinned(pin, f'“{pin.model}”')[:-1]}, but cannot be asked here, so it was passed over: {_lowered(why)}"


def of_other_side(model: str, share: float) -> str:
    """That a question is in a trial, but not among those that the model on trial answers."""
    return (
        f"A trial of “{model}” runs in this channel; this question is among the other {100 - 100 * share:g}%, which "
        "are answered as before."
    )


def of_fallback(failed: str, sentence: str, instead: str, *, tries: int = 1, again: bool = False) -> str:
    """That another model had to step in for one that failed, and not as the first (`again`)."""
    often = f" in {tries} tries" if tries > 1 else ""
    chosen = "did not answer either" if again else "was chosen first but did not answer"
    return f"“{failed}” {chosen}{often}, so “{instead}” stepped in. {sentence}"


def of_overflow(card: ModelCard, larger: ModelCard) -> str:
    """That a model with a larger context window took over."""
    return (
        f"This is too long for “{card.name}” ({card.context_window:,} tokens), so “{larger.name}” "
        f"({larger.context_window:,} tokens) took over."
    )


def of_unasked_pin(pin: Pin, why: str, instead: str) -> str:
    """That a pinned model was not asked, and which was. `why`: a sentence."""
    return f"{of_model_pin(pin)} {why} So “{instead}” stepped in."


def of_left_alone(why: str) -> str:
    """That the model that would have been chosen was not. `why`: the sentence of its circuit breaker."""
    return f"The choice would have been another: {why}"


def of_hedge(first: str, second: str, seconds: float, spoke: str, failed: str = "") -> str:
    """That the question was put to a second model as well, and who `spoke` ("" for none). `failed`: who could not."""
    said = f"“{first}” had said nothing after {seconds:g} s, so “{second}” was asked as well"
    if not spoke:
        return f"{said}; it did not answer."
    if failed:
        return f"{said}; “{failed}” did not answer, and “{spoke}” did."
    return f"{said}; “{spoke}” spoke first, and the other was stopped."


def of_tries(model: str, kinds: Sequence[str]) -> str:
    """That a model answered only when it was asked again. `kinds`: how the tries before failed."""
    before = ", then ".join(kind.replace("_", " ") for kind in kinds)
    return f"“{model}” answered at try {len(kinds) + 1} (before that: {before})."


def of_another_model(pin: Pin, trouble: str, instead: str) -> str:
    """For whoever asked for a model: that another one answered. `trouble`: what it did, as "did not answer"."""
    return f"{of_model_pin(pin)[:-1]}, but {trouble}: this is from “{instead}”."


def of_search(text: str) -> str:
    """What was searched for a question that leans on its thread."""
    text = " ".join(text.split())
    shown = text if len(text) <= _SEARCHED_CHARACTERS else text[: _SEARCHED_CHARACTERS - 1].rstrip() + "…"
    return f"The question leans on the thread, so the search was for “{shown}”."


def of_choice(taken: Option, options: Sequence[Option], evidence: Evidence, *, pinned_strategy: bool) -> list[str]:
    """Why this strategy, what the next best would have been, and why this model."""
    if not taken.available:
        return [taken.reason]
    said = [_EVIDENCE[taken.strategy](taken, evidence)]
    if not pinned_strategy:
        said += _other_strategy(taken, options)
    said += _model(taken, options)
    return said


def of_features(taken: Option, weights: Weights, row: Features) -> list[str]:
    """The numbers that spoke most for the strategy that was taken, in a sentence; none where little did."""
    if weights.probabilities(row)[taken.strategy] < _LIKELY:
        return []
    speaks = weights.speaks_for(row, taken.strategy)
    values = as_dict(row)
    said = sorted((name for name in WORDS if speaks[name] >= _TELLING and name in values), key=lambda n: -speaks[n])
    if not said:
        return []
    shown = " and ".join(f"{WORDS[name]} ({values[name]:.2f})" for name in said[:_FEATURES_SAID])
    return [f"What spoke most for it: {shown}."]


def _pinned(pin: Pin, what: str) -> str:
    where = {
        "question": "was asked for with this question",
        "thread": "is pinned in this thread",
        "person": "is what you pinned for yourself",
        "channel": "is pinned in this channel",
        "workspace": "is pinned in the whole workspace",
        TRIAL: "is on trial in this channel",
        CONFIGURED: "is the configured default model",
    }
    because = f" (“{_short(pin.why)}”)" if pin.why else ""
    return f"{what} {where[pin.scope]}{because}."


def _lowered(sentence: str) -> str:
    """For the middle of another sentence; a name in quotes stays as it is."""
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _of_rag(taken: Option, evidence: Evidence) -> str:
    best = max(evidence.passages, key=lambda passage: passage.similarity)
    name = " › ".join(dict.fromkeys((best.title, *best.heading)))
    found = f"“{_short(name)}” (similarity {best.similarity:.2f})"
    if best.similarity >= _CLOSE:
        return f"The documents answer this closely: {found}."
    if evidence.coverage >= _COVERED:
        return f"The documents use the very words of this question; nearest is {found}."
    if best.similarity >= _NEAR:
        return f"The documents hold something that may answer this: {found}."
    return f"Little in the documents is near to this; the nearest is {found}."


def _of_few_shot(taken: Option, evidence: Evidence) -> str:
    best = max(evidence.examples, key=lambda example: example.similarity)
    if best.similarity >= _CLOSE:
        return f"A reviewed question is like this one: “{_short(best.question)}” (similarity {best.similarity:.2f})."
    return f"The nearest reviewed question is “{_short(best.question)}” (similarity {best.similarity:.2f})."


def _of_fine_tuned(taken: Option, evidence: Evidence) -> str:
    similarity = evidence.fine_tuned.get(taken.model, 0.0)
    return f"“{taken.model}” was tuned on questions like this one (similarity {similarity:.2f})."


def _of_zero_shot(taken: Option, evidence: Evidence) -> str:
    found = [passage.similarity for passage in evidence.passages]
    found += [example.similarity for example in evidence.examples]
    if not found:
        return "There are no documents or examples for this, so the model answers from what it knows."
    return (
        "Neither documents nor examples are sure to help with this (the nearest has similarity "
        f"{max(found):.2f}), so the model answers from what it knows."
    )


_EVIDENCE: Mapping[StrategyName, Callable[[Option, Evidence], str]] = {
    StrategyName.RAG: _of_rag,
    StrategyName.FEW_SHOT: _of_few_shot,
    StrategyName.FINE_TUNED: _of_fine_tuned,
    StrategyName.ZERO_SHOT: _of_zero_shot,
}


def _other_strategy(taken: Option, options: Sequence[Option]) -> list[str]:
    others = [option for option in options if option.available and option.strategy is not taken.strategy]
    if not others:
        return []
    # Everybody knows plain prompting, so of two that are about as good it is the one to compare with.
    other = max(others, key=lambda o: o.quality + _FAMILIAR * (o.strategy is StrategyName.ZERO_SHOT))
    name = NAMES[other.strategy]
    name = name[:1].upper() + name[1:]
    if other.quality > taken.quality:
        worth = "but not by enough to be worth its price and time"
        return [f"{name} might answer better ({_qualities(other, taken)}), {worth}."]
    cheaper = other.cost is not None and taken.cost is not None and other.cost < taken.cost
    price = "cheaper, but " if cheaper else ""
    return [f"{name} would have been {price}less likely to give a good answer ({_qualities(other, taken)})."]


def _qualities(one: Option, other: Option) -> str:
    return f"estimated quality {one.quality:.2f} against {other.quality:.2f}"


def _model(taken: Option, options: Sequence[Option]) -> list[str]:
    models = {option.model for option in options if option.available and option.strategy is taken.strategy}
    if len(models) > 1:
        cost = "an unknown price" if taken.cost is None else f"about {dollars(_ROUNDED.plus(taken.cost))}"
        return [
            f"Of {len(models)} usable models “{taken.model}” offers the best value for this: {cost} and "
            f"{taken.latency:.1f} s."
        ]
    if taken.model == OFFLINE:
        return ["The offline model answers: it quotes word for word and costs nothing."]
    return []


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1].rstrip() + "…"
