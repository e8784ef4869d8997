"""The proofs of what is never lost, in short; `make prove-kills`, `make prove-cut_off`, `make prove-burst` and
`make soak` run them at full length."""

from __future__ import annotations

from pathlib import Path

import prove_burst
import prove_cut_off
import prove_kills
import prove_machines
import prove_soak
import prove_told_once
import pytest

from bot.worker import LEASE

pytestmark = pytest.mark.proof


async def test_questions_and_calls_survive_kills_under_load(tmp_path: Path) -> None:
    found = await prove_kills.prove(tmp_path, "sqlite", kills=2, rate=3, seed=5, uptime=2)
    assert found.questions > 0
    assert found.answered + len(found.given_up) == found.questions
    assert found.is_kept, found


async def test_of_two_bots_one_that_was_cut_off_and_comes_back_answers_nothing_twice(tmp_path: Path) -> None:
    found = await prove_cut_off.prove(tmp_path, "network", questions=8, times=1, away=LEASE + 4)
    assert found.answered == found.questions == 8
    assert found.requests > 8, "nothing was under way at the one that was cut off"
    assert found.is_kept, found


async def test_of_a_burst_nobody_is_lost_and_whoever_waits_is_told(tmp_path: Path) -> None:
    found = await prove_burst.prove(tmp_path, "sqlite", questions=80, seconds=0.4)
    assert found.answered == 80
    assert found.told > 0
    assert (found.lost, found.wrong, found.untold, found.not_acknowledged) == ([], [], [], 0)


async def test_while_models_slack_database_disk_and_clock_fail_each_question_ends_as_an_answer_or_a_reason(
    tmp_path: Path,
) -> None:
    found = await prove_soak.prove(tmp_path, "sqlite", seconds=30, rate=2, seed=4, rest=3)
    assert min(found.answered, found.reasons) > 0
    assert {"database locked", "disk full"} <= found.faults.keys()
    assert {name.split()[0] for name in found.faults} >= {"socket", "Slack", "clock"}
    assert (found.silent, found.answered_twice, found.stuck, found.unexplained) == ([], [], [], [])
    assert (found.wrong_rows, found.grew) == ([], [])


async def test_two_bots_two_workers_and_a_chroma_server_are_each_killed_while_people_ask(tmp_path: Path) -> None:
    found = await prove_machines.prove(tmp_path, seconds=0, rate=1)
    assert sorted(found.killed) == ["bot 1", "bot 2", "chroma", "worker 1", "worker 2"]
    assert "cannot be reached" in found.said_without_chroma
    assert found.answered + found.given_up == found.questions > 0
    assert found.wrong == []


async def test_what_is_told_because_of_an_answer_is_told_once_by_two_bots_of_which_one_is_killed_at_it(
    tmp_path: Path,
) -> None:
    kinds = zip(prove_told_once.KINDS, ("posted", "written", "noted", "posted"), strict=True)
    found = await prove_told_once.prove(tmp_path, list(kinds))
    assert sum(found.kills.values()) == 4
    assert found.wrong == []
