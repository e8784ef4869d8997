from __future__ import annotations

from dataclasses import replace

from whole_receipt import option, whole_receipt

from bot.domain import StrategyName
from bot.selection.figures import obstacles


def test_what_a_rule_kept_out_is_told_before_what_could_never_have_been_taken() -> None:
    tuned = "“tuned” has not been shown to beat the other models on golden questions."
    refused = [
        option(StrategyName.FINE_TUNED, "small", 0.0, available=False, reason="“small” is not fine-tuned."),
        option(StrategyName.FINE_TUNED, "large", 0.0, available=False, reason="“large” is not fine-tuned."),
        option(StrategyName.FINE_TUNED, "tuned", 0.0, available=False, reason=tuned),
    ]
    choice = replace(whole_receipt().choice, options=tuple(refused), guards=(tuned,))
    assert [(why, [one.model for one in kept_out]) for why, kept_out in obstacles(choice)] == [
        ("The model has not been shown to beat the other models on golden questions.", ["tuned"]),
        ("The model is not fine-tuned.", ["small", "large"]),
    ]
