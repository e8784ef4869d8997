"""All that is reckoned from a run, at once."""

from __future__ import annotations

from matrices import WORTH, run, simulated, with_choices

from bot.evaluation.report import evaluation_report


def test_a_run_with_choices_and_an_earlier_run_gets_a_page_with_all_parts() -> None:
    matrix = simulated(40, 4)
    found = evaluation_report(run(), matrix, WORTH, earlier=(run(name="October"), matrix), decision_ms=[2.0])
    html = found.page()
    assert all(f'id="{part}"' in html for part in ("ways", "selector", "groups", "alone", "compared", "run"))
    assert "A decision takes 2.0 ms" in html
    assert found.summary("page.html").where == "page.html"


def test_a_run_without_choices_has_no_part_on_the_selector() -> None:
    found = evaluation_report(run(), with_choices(simulated(20, 2), lambda row: None), WORTH)
    assert found.selector is None
    assert 'id="selector"' not in found.page()
    assert "Choosing" not in found.summary().text
