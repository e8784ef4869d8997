import io

import pytest
from matplotlib.image import imread
from week_reports import NOTHING, empty, report, total

from bot.costs.charts import cost_chart
from bot.costs.report import WeeklyReport


@pytest.mark.parametrize(
    "week",
    [
        report(),
        empty(),
        report(total=total(), previous=total()),
        report(total=total("0.000001"), previous=total()),
        report(by_model=tuple(total("1", f"model $x$ {number} {'long' * 20}", unknown=1) for number in range(40))),
    ],
    ids=["usual", "empty", "free", "tiny", "many models"],
)
def test_any_week_makes_a_sharp_picture_with_something_on_it(week: WeeklyReport) -> None:
    pixels = imread(io.BytesIO(cost_chart(week)), format="png")
    assert pixels.shape[:2] == (840, 1800)
    assert pixels[..., :3].min() < 0.2


def test_a_dearer_day_has_a_taller_bar() -> None:
    def blue(week: WeeklyReport) -> int:
        pixels = imread(io.BytesIO(cost_chart(week)), format="png")[:, :1000]
        return int(((pixels[..., 2] > 0.6) & (pixels[..., 0] < 0.1)).sum())

    low = (total("1"), *NOTHING[1:])
    assert blue(report(by_day=(total("1"), total("1"), *NOTHING[2:]), previous_by_day=low)) > 1.8 * blue(
        report(by_day=low, previous_by_day=low)
    )
