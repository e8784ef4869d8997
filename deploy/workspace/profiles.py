"""People as Slack describes them."""

from __future__ import annotations

from deploy.workspace.state import JSON, Person, State


def profile(state: State, person: Person) -> JSON:
    """A person as Slack describes them; addresses are at the reserved example domain."""
    return {
        "id": person.id,
        "team_id": person.team_id or state.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "color": person.color,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": person.is_admin,
        "is_owner": person.is_owner,
        "is_primary_owner": person.is_owner,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        **({"is_stranger": True} if person.team_id else _of_organisation(state, person)),
        "is_bot": person.is_bot,
        "is_app_user": False,
        "locale": "en-US",
        "profile": {
            "real_name": person.real_name,
            "display_name": person.real_name if person.is_bot else person.name,
            **({} if person.is_bot else {"email": address(person)}),
        },
    }


def _of_organisation(state: State, person: Person) -> JSON:
    """What the people of a workspace have beside, where it belongs to an organisation."""
    if state.enterprise_id is None:
        return {}
    return {
        "enterprise_user": {
            "id": person.id,
            "enterprise_id": state.enterprise_id,
            "is_admin": False,
            "is_owner": False,
            "teams": [state.team_id],
        }
    }


def address(person: Person) -> str:
    return f"{person.name}@acme-robotics.example"
