"""Quality against cost, drawn: one mark a way with its ranges, and the frontier that nothing beats for less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import StrategyName
from bot.evaluation.markup import Markup, element
from bot.evaluation.scales import Scale, cost_scale, cost_ticks, quality_scale, quality_ticks
from bot.evaluation.statistics import Interval

CLASSES = {
    StrategyName.ZERO_SHOT: "zero",
    StrategyName.FEW_SHOT: "few",
    StrategyName.RAG: "rag",
    StrategyName.FINE_TUNED: "tuned",
}
_TOP, _BOTTOM, _LEFT, _RIGHT = 30.0, 54.0, 34.0, 14.0
_WIDE = 600
_RADIUS = 6.5
_LETTER, _BOLD, _LINE = 6.6, 7.6, 14.0
_LONGEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point of the picture. `label` is written beside it; `told` is what it says when pointed at.

    `strategy` None: the selector. `cost` with mean None: the price is unknown.
    """

    label: str
    told: str
    quality: Interval
    cost: Interval
    strategy: StrategyName | None
    on_frontier: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """The area that both take."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where everything lies. `free` and `unknown`: the middle of their lanes, None where nothing is in them."""

    width: float
    height: float
    lane: float
    x: Scale
    y: Scale
    free: float | None
    unknown: float | None
    in_lanes: Sequence[Mark]

    def place(self, mark: Mark) -> tuple[float, float]:
        y = self.y.at(mark.quality.mean or 0.0)
        if mark.cost.mean is None:
            return self._in_lane(mark, self.unknown or 0.0), y
        if mark.cost.mean <= 0 and self.free is not None:
            return self._in_lane(mark, self.free), y
        return self.x.at(mark.cost.mean), y

    def _in_lane(self, mark: Mark, middle: float) -> float:
        """Marks that share a lane stand beside each other, since they mean the same there."""
        beside = [other for other in self.in_lanes if (other.cost.mean is None) == (mark.cost.mean is None)]
        step = self.lane / (len(beside) + 1)
        return middle - self.lane / 2 + step * (1 + next(n for n, other in enumerate(beside) if other is mark))


def picture(marks: Sequence[Mark], *, width: float, height: float, described: str, class_: str) -> Markup:
    """An SVG of so many pixels; marks without a known quality are left out. `described` stands in for it aloud."""
    marks = [mark for mark in marks if mark.quality.mean is not None]
    plan = _plan(marks, width, height)
    return element(
        "svg",
        _axes(plan),
        _frontier(plan, [mark for mark in marks if mark.on_frontier]),
        [_ranges(plan, mark) for mark in marks],
        [_mark(plan, mark) for mark in marks],
        _labels(plan, marks, long=width >= _WIDE),
        viewBox=f"0 0 {width:g} {height:g}",
        class_=f"picture {class_}",
        role="img",
        aria_label=described,
    )


def symbol(strategy: StrategyName | None, x: float, y: float, size: float = _RADIUS) -> Markup:
    """The shape that stands for a strategy, so that colour is not all that tells them apart."""
    class_ = f"mark {CLASSES[strategy]}" if strategy else "mark selector"
    corners: tuple[tuple[float, float], ...]
    match strategy:
        case StrategyName.ZERO_SHOT:
            return element("circle", cx=x, cy=y, r=size * 0.92, class_=class_)
        case StrategyName.RAG:
            side = size * 0.85
            return element("rect", x=x - side, y=y - side, width=2 * side, height=2 * side, rx=1.5, class_=class_)
        case StrategyName.FEW_SHOT:
            corners = ((0, -1.1), (1.05, 0.8), (-1.05, 0.8))
        case StrategyName.FINE_TUNED:
            corners = ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0))
        case None:
            rings = [element("circle", cx=x, cy=y, r=size * r, class_=f"{class_} {c}") for r, c in _RINGS]
            return element("g", rings)
    points = " ".join(f"{x + dx * size:.2f},{y + dy * size:.2f}" for dx, dy in corners)
    return element("polygon", points=points, class_=class_)


_RINGS = ((1.35, "outer"), (0.6, "inner"))


def _plan(marks: Sequence[Mark], width: float, height: float) -> _Plan:
    known = [mark.cost.mean for mark in marks if mark.cost.mean is not None]
    left, right = _LEFT, width - _RIGHT
    lane = 84.0 if width >= _WIDE else 46.0
    unknown = free = None
    if len(known) < len(marks):
        unknown = right - lane / 2
        right -= lane + 8
    if any(cost == 0 for cost in known) and (cost_scale(known, 0, 1).log or not any(known)):
        free = left + lane / 2
        left += lane + 8
    ends = [
        end for mark in marks for end in (mark.quality.low, mark.quality.high, mark.quality.mean) if end is not None
    ]
    return _Plan(
        width=width,
        height=height,
        lane=lane,
        x=cost_scale(known, left + (14 if cost_scale(known, 0, 1).log else 0), right - 14),
        y=quality_scale(ends, height - _BOTTOM, _TOP),
        free=free,
        unknown=unknown,
        in_lanes=[mark for mark in marks if not mark.cost.mean],
    )


def _axes(plan: _Plan) -> list[Markup]:
    floor, right = plan.height - _BOTTOM, plan.width - _RIGHT
    drawn = []
    for value, text in quality_ticks(plan.y):
        y = plan.y.at(value)
        drawn.append(element("line", x1=_LEFT, y1=y, x2=right, y2=y, class_="grid"))
        drawn.append(element("text", text, x=_LEFT - 8, y=y + 4, class_="tick end"))
    costs = cost_ticks(plan.x, 58) if plan.x.most != 1 or plan.x.log else []
    for value, text in costs:
        x = plan.x.at(value)
        drawn.append(element("line", x1=x, y1=floor, x2=x, y2=floor + 5, class_="axis"))
        drawn.append(element("text", text, x=x, y=floor + 19, class_="tick middle"))
    for middle, text in ((plan.free, "free"), (plan.unknown, "price unknown")):
        if middle is not None:
            drawn.append(
                element(
                    "rect",
                    x=middle - plan.lane / 2,
                    y=_TOP - 6,
                    width=plan.lane,
                    height=floor - _TOP + 6,
                    rx=4,
                    class_="lane",
                )
            )
            words = text.split(" ") if plan.width < _WIDE else [text]
            drawn += [
                element("text", word, x=middle, y=floor + 19 + 13 * line, class_="tick middle")
                for line, word in enumerate(words)
            ]
    scale = ", logarithmic" if plan.x.log else ""
    title = f"US dollars an answer{scale}"
    middle = (plan.x.start + plan.x.end) / 2
    drawn.append(
        element("line", x1=plan.x.start - 14 * plan.x.log, y1=floor, x2=plan.x.end + 14, y2=floor, class_="axis")
    )
    drawn.append(element("text", title, x=middle, y=plan.height - 8, class_="title middle"))
    drawn.append(element("text", "quality", x=0, y=11, class_="title"))
    return drawn


def _frontier(plan: _Plan, marks: Sequence[Mark]) -> Markup | None:
    """A line of steps: to be better than here, one has to pay as much as the next one costs."""
    places = sorted((plan.place(mark) for mark in marks if mark.cost.mean is not None), key=lambda place: place[0])
    if not places:
        return None
    path = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    path += "".join(f"H{x:.1f}V{y:.1f}" for x, y in places[1:])
    return element(
        "path",
        element("title", "The frontier: nothing is as good for less"),
        d=f"{path}H{plan.x.end + 14:.1f}",
        class_="frontier",
    )


def _ranges(plan: _Plan, mark: Mark) -> list[Markup]:
    x, y = plan.place(mark)
    class_ = f"range {CLASSES[mark.strategy] if mark.strategy else 'selector'}"
    drawn = []
    if mark.quality.low is not None and mark.quality.high is not None:
        low, high = plan.y.at(mark.quality.low), plan.y.at(mark.quality.high)
        drawn.append(element("line", x1=x, y1=low, x2=x, y2=high, class_=class_))
    if mark.cost.low and mark.cost.high and mark.cost.mean:
        drawn.append(
            element("line", x1=plan.x.at(mark.cost.low), y1=y, x2=plan.x.at(mark.cost.high), y2=y, class_=class_)
        )
    return drawn


def _mark(plan: _Plan, mark: Mark) -> Markup:
    x, y = plan.place(mark)
    return element("g", element("title", mark.told), symbol(mark.strategy, x, y), class_="point")


def _labels(plan: _Plan, marks: Sequence[Mark], *, long: bool) -> list[Markup]:
    """Each beside its mark, on the side where it covers least; those that say most are placed first."""
    taken = [_around(*plan.place(mark), _RADIUS + 1, _RADIUS + 1) for mark in marks]
    drawn = []
    for mark in sorted(marks, key=lambda mark: not mark.named):
        number, _, text = mark.label.partition(" ")
        shown = _cut(mark.label) if mark.named and (long or not text) else number
        width = len(shown) * (_BOLD if mark.named else _LETTER)
        x, y = plan.place(mark)
        sides = (
            (x + 11, y - 10, "start"), (x - 11 - width, y - 10, "start"), (x + 11, y + 10, "start"),
            (x - 11 - width, y + 10, "start"), (x - width / 2, y - 17, "start"), (x - width / 2, y + 17, "start"),
            (x + 14, y, "start"), (x - 14 - width, y, "start"),
        )  # fmt: skip
        boxes = [Box(left=a, top=b - _LINE / 2, right=a + width, bottom=b + _LINE / 2) for a, b, _ in sides]
        best = min(range(len(sides)), key=lambda side: (_covered(boxes[side], taken, plan), side))
        taken.append(boxes[best])
        class_ = "label named" if mark.named else "label"
        drawn.append(element("text", shown, x=sides[best][0], y=sides[best][1] + 4, class_=class_))
    return drawn


def _covered(box: Box, taken: Sequence[Box], plan: _Plan) -> float:
    outside = (
        max(0.0, _LEFT - box.left) + max(0.0, box.right - plan.width + 2)
        + max(0.0, 2 - box.top) + max(0.0, box.bottom - plan.height + _BOTTOM - 2)
    )  # fmt: skip
    return sum(box.overlap(other) for other in taken) + 1000 * outside


def _around(x: float, y: float, across: float, down: float) -> Box:
    return Box(left=x - across, top=y - down, right=x + across, bottom=y + down)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
