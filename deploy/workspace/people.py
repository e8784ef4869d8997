"""Who has an account, and what kind of one."""

from __future__ import annotations

from deploy.workspace.app_link import AppLink
from deploy.workspace.profiles import profile
from deploy.workspace.state import JSON, Person, State


class People:
    """Changes to people by an admin, told to the app."""

    def __init__(self, state: State, app: AppLink) -> None:
        self._state = state
        self._app = app

    def change(self, user: str, changes: JSON) -> None:
        """Gives an account other fields, or opens one. Raises TypeError for a field that there is not."""
        known = self._state.people.get(user)
        if known is None:
            self._state.people[user] = Person(**{"id": user, "name": user.lower(), "real_name": user, **changes})
        else:
            self._state.people[user] = Person(**{**vars(known), **changes})
        kind = "user_change" if known else "team_join"
        self._app.event({"type": kind, "user": profile(self._state, self._state.people[user])})
