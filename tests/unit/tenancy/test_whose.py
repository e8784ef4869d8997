"""Whose a payload is, by the shapes in which Slack names workspaces and organisations."""

from __future__ import annotations

from typing import Any

import pytest

from bot.tenancy.whose import Whose, organisation, whose


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T0OUTER", "event": {"type": "message"}, **fields}


def for_installation(team: str | None, enterprise: str | None = None, *, whole: bool = False) -> list[dict[str, Any]]:
    return [{"team_id": team, "enterprise_id": enterprise, "user_id": "U0", "is_enterprise_install": whole}]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (event(), Whose("T0OUTER", None)),
        # A channel that two companies share: the outer id may be the other company.
        (event(authorizations=for_installation("T0OURS"), is_ext_shared_channel=True), Whose("T0OURS", None)),
        (event(authorizations=for_installation("T0OURS", "E0ORG"), enterprise_id="E0OTHER"), Whose("T0OURS", "E0ORG")),
        # An organisation's installation that names the workspace elsewhere.
        (
            event(
                authorizations=for_installation(None, "E0ORG", whole=True), context_team_id="T0CONTEXT", team_id="E0ORG"
            ),
            Whose("T0CONTEXT", "E0ORG"),
        ),
        (event(authorizations=for_installation(None, "E0ORG", whole=True)), Whose("T0OUTER", "E0ORG")),
        (event(authorizations=for_installation("E0ORG", "E0ORG", whole=True)), Whose("T0OUTER", "E0ORG")),
        ({"command": "/ask", "team_id": "T0CMD", "enterprise_id": "E0ORG"}, Whose("T0CMD", "E0ORG")),
        ({"type": "block_actions", "team": {"id": "T0A", "enterprise_id": "E0ORG"}}, Whose("T0A", "E0ORG")),
        (
            {"type": "block_actions", "team": None, "enterprise": {"id": "E0ORG"}, "user": {"team_id": "T0A"}},
            Whose("T0A", "E0ORG"),
        ),
        # A modal that was opened out of a shared channel.
        (
            {"type": "view_submission", "team": {"id": "T0OTHER"}, "view": {"app_installed_team_id": "T0OURS"}},
            Whose("T0OURS", None),
        ),
        ({"type": "event_callback", "enterprise_id": "E0ORG", "event": {}}, None),
        ({"type": "block_actions", "team": {"id": "../T0A"}}, None),
        ({"type": "block_actions", "team": 7, "user": "U0", "authorizations": "none", "view": []}, None),
        ({}, None),
    ],
)
def test_a_payload_belongs_to_the_installation_that_slack_sent_it_for(
    payload: dict[str, Any], expected: Whose | None
) -> None:
    assert whose(payload) == expected


def test_an_event_of_an_organisations_installation_names_the_organisation() -> None:
    assert organisation(event(authorizations=for_installation("T0A", "E0ORG", whole=True))) == "E0ORG"
    assert organisation(event(authorizations=for_installation("T0A", "E0ORG"))) is None
    assert organisation({"team_id": "E0ORG"}) == "E0ORG"
    assert organisation(event()) is None
