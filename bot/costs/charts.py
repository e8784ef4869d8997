"""The weekly report's chart as a picture, for workspaces that show no native charts."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.costs.calls import Total
from bot.costs.money import dollars
from bot.costs.report import WeeklyReport
from bot.costs.report_words import bars, chart_title, measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

WIDTH, HEIGHT = 7.6, 3.6  # inches at 100 dots
MODELS_SHOWN = 6
_ACCENT, _QUIET, _INK, _GREY, _LINE = "#1264A3", "#C9D3DC", "#1D1C1D", "#616061", "#E4E7EA"
_one_at_a_time = threading.Lock()  # matplotlib's font cache is shared and not made for threads


def cost_chart(report: WeeklyReport) -> bytes:
    """A PNG of 1520 × 720 pixels: each day beside the same day a week before, and the models.

    Where nothing cost anything it shows calls instead of dollars. It takes about 0.2 s, and half a second more the
    first time: call it in a worker thread.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _one_at_a_time:
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=200, facecolor="white")
        FigureCanvasAgg(figure)
        days, models = figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_days(days, report)
        _draw_models(models, report)
        longest = max(len(_tick(report, value)) for value in days.get_yticks())
        figure.subplots_adjust(left=0.027 + 0.0089 * longest, right=0.97, top=0.8, bottom=0.1, wspace=0.12)
        figure.text(0.02, 0.93, chart_title(report), fontsize=13, fontweight="bold", color=_INK, parse_math=False)
        file = io.BytesIO()
        figure.savefig(file, format="png")
    return file.getvalue()


def _worded(report: WeeklyReport, value: Decimal) -> str:
    return dollars(value) if report.costly else f"{value:,}"


def _tick(report: WeeklyReport, value: float) -> str:
    return _worded(report, Decimal(f"{value:.10f}") if report.costly else Decimal(round(value)))


def _draw_days(axes: Axes, report: WeeklyReport) -> None:
    shown = bars(report)
    now, before = [bar[1] for bar in shown], [bar[2] for bar in shown]
    places = range(len(shown))
    beside = 0.2 if report.previous.calls else 0.0
    if beside:
        axes.bar(
            [place - beside for place in places],
            _floats(before),
            0.36,
            color=_QUIET,
            label=f"The {report.week.noun} before",
        )
    axes.bar([place + beside for place in places], _floats(now), 0.36, color=_ACCENT, label=f"Last {report.week.noun}")
    axes.set_xticks(list(places), [bar[0] for bar in shown])
    axes.set_ylim(0, float(max(*now, *before, Decimal("1e-9"))) * 1.12)
    axes.yaxis.set_major_locator(_few_ticks(whole=not report.costly))
    axes.yaxis.set_major_formatter(lambda value, _position: _tick(report, value))
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=8.5, labelcolor=_GREY,
        handlelength=1, handleheight=1, borderaxespad=0.3, borderpad=0.2, columnspacing=1.4,
    )  # fmt: skip
    _plain(axes)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)


def _draw_models(axes: Axes, report: WeeklyReport) -> None:
    totals = models_shown(report)
    values = measure(report, totals)
    most = float(max(values, default=Decimal(1)) or 1)
    for place, (total, value) in enumerate(zip(totals, values, strict=True)):
        axes.barh(place, float(value), 0.3, color=_ACCENT, left=0)
        amount = _amount(report, total, value)
        room = 33 - len(amount)  # characters that a line holds at this size
        name = total.key if len(total.key) <= room else f"{total.key[: room - 1]}…"
        axes.text(0, place - 0.26, name, fontsize=9, color=_INK, va="bottom", parse_math=False)
        axes.text(most, place - 0.26, amount, fontsize=9, color=_GREY, va="bottom", ha="right", parse_math=False)
    axes.set_xlim(0, most)
    axes.set_ylim(MODELS_SHOWN - 0.4, -0.75)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title("By model", loc="left", fontsize=8.5, color=_GREY, pad=7)
    _plain(axes)
    axes.spines["bottom"].set_visible(False)


def _amount(report: WeeklyReport, total: Total, value: Decimal) -> str:
    if not (total.unknown and report.costly):
        return _worded(report, value)
    return f"≥ {_worded(report, value)}" if value else "unknown"


def models_shown(report: WeeklyReport) -> list[Total]:
    """The models with the longest bars first, and those that find no room as one."""
    shown = sorted(report.by_model, key=lambda total: total.cost if report.costly else total.calls, reverse=True)
    if len(shown) <= MODELS_SHOWN:
        return shown
    rest = Total(key=f"{len(shown) - MODELS_SHOWN + 1} others")
    for total in shown[MODELS_SHOWN - 1 :]:
        rest += total
    return [*shown[: MODELS_SHOWN - 1], rest]


def _few_ticks(*, whole: bool) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, integer=whole, min_n_ticks=1)


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=_GREY, pad=5)


def _floats(values: Sequence[Decimal]) -> list[float]:
    return [float(value) for value in values]  # for the eye alone
