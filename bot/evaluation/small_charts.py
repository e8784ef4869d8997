"""Small drawings that stand in or beside a table: a range on a line, expected against real quality, risk."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluation.calibration import Calibration, RiskCoverage
from bot.evaluation.markup import Markup, element
from bot.evaluation.scales import Scale
from bot.evaluation.statistics import Interval

_WIDTH, _HEIGHT = 132.0, 18.0
_SIDE, _LEFT, _BOTTOM, _EDGE = 260.0, 40.0, 40.0, 12.0


def range_line(found: Interval, least: float, most: float, *, zero: bool = False, class_: str = "") -> Markup | None:
    """A mean with its range between two ends; with `zero` a stroke where nothing is gained or lost.

    None where the mean is unknown. The numbers stand beside it, so it is hidden from those who listen.
    """
    if found.mean is None or least >= most:
        return None
    x, y = Scale(least=least, most=most, start=5, end=_WIDTH - 5), _HEIGHT / 2
    drawn = [element("line", x1=5, y1=y, x2=_WIDTH - 5, y2=y, class_="grid")]
    if zero:
        drawn.append(element("line", x1=x.at(0), y1=1, x2=x.at(0), y2=_HEIGHT - 1, class_="axis"))
    if found.low is not None and found.high is not None:
        drawn.append(element("line", x1=x.at(found.low), y1=y, x2=x.at(found.high), y2=y, class_="span"))
    drawn.append(element("circle", cx=x.at(found.mean), cy=y, r=4, class_="dot"))
    return element(
        "svg", drawn, viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", width=_WIDTH, height=_HEIGHT,
        class_=f"line {class_}".strip(), aria_hidden="true",
    )  # fmt: skip


def calibration_chart(found: Calibration) -> Markup:
    """What was expected against what came; on the diagonal both are the same."""
    x, y = _square()
    most = max(group.count for group in found.bins)
    drawn = _frame(x, y, "expected quality", "real quality")
    drawn.append(element("line", x1=x.at(0), y1=y.at(0), x2=x.at(1), y2=y.at(1), class_="ideal"))
    for group in found.bins:
        told = f"expected {group.expected:.2f}, came {group.quality:.2f}, {group.count} estimates"
        drawn.append(
            element(
                "line",
                x1=x.at(group.expected),
                y1=y.at(group.expected),
                x2=x.at(group.expected),
                y2=y.at(group.quality),
                class_="span",
            )
        )
        drawn.append(
            element(
                "g",
                element("title", told),
                element(
                    "circle",
                    cx=x.at(group.expected),
                    cy=y.at(group.quality),
                    r=3 + 2.5 * group.count / most,
                    class_="dot",
                ),
            )
        )
    said = f"Expected against real quality in {len(found.bins)} parts; {found.error:.3f} apart on average."
    return _chart(drawn, said)


def risk_chart(found: RiskCoverage) -> Markup:
    """What is missed among the questions it is surest of, from the surest to all."""
    x, y = _square()
    drawn = _frame(x, y, "share of questions, surest first", "quality missed")
    level = y.at(found.area_random)
    drawn.append(element("line", x1=x.at(0), y1=level, x2=x.at(1), y2=level, class_="ideal"))
    path = _path([(x.at(covered), y.at(risk)) for covered, risk in found.curve])
    drawn.append(element("path", d=path, class_="curve"))
    half = next(risk for covered, risk in found.curve if covered >= 0.5)
    said = f"Among the half it was surest of {half:.2f} of quality is missed, among all {found.curve[-1][1]:.2f}."
    return _chart(drawn, said)


def _chart(drawn: Sequence[Markup], said: str) -> Markup:
    return element("svg", drawn, viewBox=f"0 0 {_SIDE:g} {_SIDE:g}", class_="small", role="img", aria_label=said)


def _square() -> tuple[Scale, Scale]:
    return (
        Scale(least=0, most=1, start=_LEFT, end=_SIDE - _EDGE),
        Scale(least=0, most=1, start=_SIDE - _BOTTOM, end=_EDGE + 8),
    )


def _frame(x: Scale, y: Scale, across: str, up: str) -> list[Markup]:
    drawn = []
    for value in (0.0, 0.5, 1.0):
        drawn.append(element("line", x1=x.start, y1=y.at(value), x2=x.end, y2=y.at(value), class_="grid"))
        drawn.append(element("text", f"{value:g}", x=x.start - 7, y=y.at(value) + 4, class_="tick end"))
        drawn.append(element("text", f"{value:g}", x=x.at(value), y=y.start + 16, class_="tick middle"))
    drawn.append(element("text", across, x=(x.start + x.end) / 2, y=_SIDE - 6, class_="title middle"))
    drawn.append(element("text", up, x=4, y=11, class_="title"))
    return drawn


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
