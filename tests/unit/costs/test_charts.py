import io
from decimal import Decimal

import pytest
from matplotlib.image import imread
from week_reports import NOTHING, empty, report, total

from bot.costs.charts import cost_chart, models_shown
from bot.costs.report import WeeklyReport


@pytest.mark.parametrize(
    "week",
    [
        report(),
        empty(),
        report(total=total(), previous=total()),
        report(total=total("0.000001"), previous=total()),
        report(previous=total(calls=0)),
        report(by_model=tuple(total("1", f"model $x$ {number} {'long' * 20}", unknown=1) for number in range(40))),
    ],
    ids=["usual", "empty", "free", "tiny", "first", "many models"],
)
def test_any_week_makes_a_sharp_picture_with_something_on_it(week: WeeklyReport) -> None:
    pixels = imread(io.BytesIO(cost_chart(week)), format="png")
    assert pixels.shape[:2] == (720, 1520)
    assert pixels[..., :3].min() < 0.2


def test_a_dearer_day_has_a_taller_bar() -> None:
    def blue(week: WeeklyReport) -> int:
        pixels = imread(io.BytesIO(cost_chart(week)), format="png")[:, :880]
        return int(((pixels[..., 2] > 0.6) & (pixels[..., 0] < 0.1)).sum())

    low = (total("1"), *NOTHING[1:])
    assert blue(report(by_day=(total("1"), total("1"), *NOTHING[2:]), previous_by_day=low)) > 1.8 * blue(
        report(by_day=low, previous_by_day=low)
    )


def test_the_largest_models_are_shown_and_the_others_added_up() -> None:
    models = tuple(total(f"0.{number}", f"m{number}", calls=10 - number) for number in range(1, 10))
    shown = models_shown(report(by_model=models))
    assert [model.key for model in shown] == ["m9", "m8", "m7", "m6", "m5", "4 others"]
    assert shown[-1].cost == Decimal(1)
    free = models_shown(report(by_model=models, total=total(), previous=total()))
    assert [model.key for model in free] == ["m1", "m2", "m3", "m4", "m5", "4 others"]
