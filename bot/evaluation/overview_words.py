"""What a run says of its ways, in sentences: nothing within noise is called better."""

from __future__ import annotations

from bot.evaluation.overview import Overview, Standing
from bot.evaluation.statistics import LEVEL, fewest
from bot.evaluation.wording import between, capital, count, listed, money, name, score, seconds


def headline(overview: Overview) -> str:
    """The one sentence to remember."""
    judged = [standing for standing in overview.standings if standing.quality.mean is not None]
    if not judged:
        return "No answer was judged, so there is nothing to compare."
    if overview.best is None:
        leader = max(judged, key=lambda standing: standing.quality.mean or 0.0)
        return (
            "No way has a known price, so none can be called the best value; "
            f"{name(leader.way)} has the highest quality, {score(leader.quality.mean)}."
        )
    best, level = name(overview.best), _level(overview)
    if len(judged) == 1:
        return f"Only {best} was evaluated: quality {score(overview.of(overview.best).quality.mean)}."
    if too_few(overview):
        return f"{count(overview.questions, 'question')} cannot tell the ways apart; {best} leads so far."
    if not level:
        others = "every other way with a known price" if unpriced(overview) else "every other way"
        return f"{capital(best)} is the best value, ahead of {others} by more than chance."
    rivals = name(level[0].way) if len(level) == 1 else f"{len(level)} other ways"
    return f"{capital(best)} is the best value, though {rivals} cannot be told from it."


def details(overview: Overview) -> tuple[str, ...]:
    """What to know beside the headline: figures, the cheapest of what is as good, what is left out and why."""
    said = []
    if overview.best is not None:
        best = overview.of(overview.best)
        said.append(
            f"{capital(name(best.way))}: quality {score(best.quality.mean)} ({between(best.quality)}), "
            f"{money(best.cost.mean)} and {seconds(best.seconds.mean)} an answer."
        )
        said += [too_few_sentence(overview)] if too_few(overview) else _rivals(overview, best)
    said.append(overview.worth.sentence)
    if names := [name(standing.way) for standing in unpriced(overview)]:
        said.append(f"Not compared by value, since the price is unknown: {listed(names)}.")
    if names := [name(standing.way) for standing in seldom(overview)]:
        said.append(f"Not compared, since too few of its answers were judged: {listed(names)}.")
    if one_piece := groups_sentence(overview):
        said.append(one_piece)
    return tuple(said)


def too_few(overview: Overview) -> bool:
    """Whether there are too few questions to tell any two of the compared ways apart."""
    compared = [standing.behind for standing in overview.standings if standing.behind is not None]
    return bool(compared) and not any(behind.known for behind in compared)


def too_few_sentence(overview: Overview) -> str:
    """How many questions it would take at least to tell so many ways apart."""
    compared = [standing.behind.level for standing in overview.standings if standing.behind is not None]
    return (
        f"At least {fewest(max(compared, default=LEVEL))} questions of different groups are needed before any "
        f"difference between {len(compared) + 1} ways can be told from chance."
    )


def groups_sentence(overview: Overview) -> str:
    """A caution where the ranges could not be made from groups; "" otherwise."""
    if not any(standing.quality.by == "question" and standing.quality.known for standing in overview.standings):
        return ""
    groups = "one group" if overview.groups == 1 else f"{overview.groups} groups"
    return (
        f"All questions are of {groups}, too few for ranges that hold for other groups: "
        "these hold for questions of the same groups alone."
    )


def unpriced(overview: Overview) -> list[Standing]:
    """The ways that were judged but cannot be weighed, as their price is unknown."""
    return [each for each in overview.standings if each.place == "unknown" and each.utility.mean is None and _any(each)]


def seldom(overview: Overview) -> list[Standing]:
    """The ways that were judged too seldom to be compared."""
    return [each for each in overview.standings if each.place == "unknown" and each not in unpriced(overview)]


def _any(standing: Standing) -> bool:
    return standing.quality.mean is not None


def _level(overview: Overview) -> list[Standing]:
    level = [standing for standing in overview.standings if standing.place == "level"]
    return sorted(level, key=lambda standing: -(standing.utility.mean or 0.0))


def _rivals(overview: Overview, best: Standing) -> list[str]:
    """What cannot be told from the best, and the cheapest of it where that is cheaper."""
    level = _level(overview)
    if not level:
        return []
    names = listed([name(each.way) for each in level])
    said = f"{capital(count(overview.questions, 'question'))} do not tell it from {names}"
    priced = [each for each in level if each.cost.mean is not None]
    cheapest = min(priced, key=lambda standing: standing.cost.mean or 0.0, default=best)
    if (cheapest.cost.mean or 0.0) >= (best.cost.mean or 0.0):
        return [f"{said}."]
    named = "which" if len(level) == 1 else f"of which {name(cheapest.way)}"
    return [f"{said}, {named} costs {money(cheapest.cost.mean)} an answer at quality {score(cheapest.quality.mean)}."]
