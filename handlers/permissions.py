"""Who may do what: one table of doors, one of deeds, and what Slack says of a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum, IntEnum

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotAllowed
from handlers.cache import Remembered
from handlers.errors import code
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

MINUTE = 60.0
FIVE_MINUTES = 300.0


class Role(IntEnum):
    """What somebody is, the higher the more they may do."""

    NOBODY = 0
    """A bot, or an account that was closed."""
    GUEST = 1
    """A guest of the workspace, or somebody of another one in a shared channel; also whoever Slack says nothing of."""
    MEMBER = 2
    """A full member of this workspace."""
    ADMIN = 3
    """Whom `slack.admins` names, and the workspace's own admins and owners."""


class Deed(Enum):
    """What not everybody may do: the least role, and how a refusal says it."""

    MODEL_OF_CHANNEL = (Role.ADMIN, "change the model of a whole channel")
    MODEL_OF_WORKSPACE = (Role.ADMIN, "change the model of the whole workspace")
    ALLOW_IN_CHANNEL = (Role.ADMIN, "say which models may be used in a whole channel")
    ALLOW_IN_WORKSPACE = (Role.ADMIN, "say which models may be used in the whole workspace")
    TRY = (Role.ADMIN, "try a model on a share of a channel's questions")
    ROLL_OUT = (Role.ADMIN, "roll a model out or back")
    SET_VALUE = (Role.ADMIN, "change how answers are chosen in a whole channel")
    SET_LOCAL = (Role.ADMIN, "say where a channel's questions may go")
    SET_RECALL = (Role.MEMBER, "say whether a channel hears of sources that change")
    SEE_COVERAGE = (Role.MEMBER, "see which questions found no answer")
    SET_OWNER = (Role.MEMBER, "say who looks after a channel")
    SET_BUDGET = (Role.ADMIN, "set a budget")
    DROP_BUDGET = (Role.ADMIN, "drop a budget")
    SEE_COSTS = (Role.ADMIN, "see what the models cost (`/cost me` shows what yours did)")
    SEE_AUDIT = (Role.ADMIN, "see who changed what")
    MOVE_PINS = (Role.ADMIN, "switch what everybody has pinned")
    ACCEPT_SAVING = (Role.ADMIN, "accept a saving")
    REFRESH_ALL = (Role.ADMIN, "refresh the knowledge")
    ADD_ANYTHING = (Role.ADMIN, "add to what I know. You can add a channel that you are in: `/knowledge add #channel`")
    MARK_ANSWER = (Role.MEMBER, "mark an answer, beside who asked and who was asked to help")
    KEEP_EXAMPLE = (Role.MEMBER, "keep examples (`/examples` lists those that you may read)")
    ADD_CHANNEL = (Role.MEMBER, "add to what I know")


ANYBODY = Role.GUEST
DOORS: Mapping[str, Role] = {
    "/ask": ANYBODY,
    "/compare": ANYBODY,
    "/model": ANYBODY,
    "/knowledge": ANYBODY,
    "/cost": ANYBODY,
    "/examples": ANYBODY,
    "/switchboard": ANYBODY,
    "/tune": Role.MEMBER,
    "button feedback": ANYBODY,
    "button why": ANYBODY,
    "button another_way": ANYBODY,
    "button keep_this": ANYBODY,
    "button keep_first": ANYBODY,
    "button clarify": ANYBODY,
    "button compare_vote": ANYBODY,
    "button change_model": ANYBODY,
    "button change_feedback": ANYBODY,
    "button take_back_feedback": ANYBODY,
    "button page_of_examples": ANYBODY,
    "button save_liked": Role.MEMBER,
    "button edit_example": Role.MEMBER,
    "button retire_example": Role.MEMBER,
    "button restore_example": Role.MEMBER,
    "button confirm_example": Role.MEMBER,
    "button refresh_source": Role.MEMBER,
    "button forget_source": Role.MEMBER,
    "button remove_from_knowledge": Role.MEMBER,
    "button recall_ask_again": ANYBODY,
    "button need_a_person": ANYBODY,
    "button pass_on": ANYBODY,
    "button keep_answer": Role.MEMBER,
    "button put_off_answer": Role.MEMBER,
    "button edit_answer": Role.MEMBER,
    "button switch_to_successor": Role.ADMIN,
    "button rollout": Role.ADMIN,
    "button accept_saving": Role.ADMIN,
    "shortcut add_to_knowledge": Role.MEMBER,
    "shortcut ask_about": ANYBODY,
    "shortcut save_example": Role.MEMBER,
    "shortcut draw_this": ANYBODY,
    "shortcut mark_answer": ANYBODY,
    "modal comment": ANYBODY,
    "modal pick_model": ANYBODY,
    "modal add_source": Role.MEMBER,
    "modal save_example": Role.MEMBER,
    "modal import_examples": Role.MEMBER,
    "modal keep_answer": Role.MEMBER,
    "modal another_way": ANYBODY,
    "modal ask_about": ANYBODY,
}
"""The least role for each door: who has less is refused when they press, type or submit, whatever they were shown.
What within a door not everybody may do is a `Deed`."""


class Roles:
    """What people are: by the configuration, and by what Slack says of them, which is remembered for a minute."""

    def __init__(self, client: AsyncWebClient, admins: Collection[str]) -> None:
        self._client = client
        self._admins = frozenset(admins)
        self._in_slack = Remembered(self._load, MINUTE)

    async def role(self, person: str) -> Role:
        """What the person is now."""
        try:
            role = await self._in_slack.get(person)
        except SlackApiError as error:
            log.warning("role_unknown", person=person, error=code(error))
            role = Role.GUEST
        return Role.ADMIN if person in self._admins and role is not Role.NOBODY else role

    async def is_admin(self, person: str) -> bool:
        """Whether the person is an admin."""
        return await self.role(person) is Role.ADMIN

    async def need(self, person: str, deed: Deed) -> None:
        """Raises NotAllowed where the person may not do it."""
        role, to_do = deed.value
        if await self.role(person) < role:
            raise NotAllowed(_refusal(role, to_do))

    async def need_at(self, door: str, person: str) -> None:
        """Raises NotAllowed where the person may not come in by a door of `DOORS`."""
        if await self.role(person) < DOORS[door]:
            raise NotAllowed(_refusal(DOORS[door], "do that"))

    async def _load(self, person: str) -> Role:
        user: JSON = (await self._client.users_info(user=person))["user"]
        own = await self._own()
        if user.get("deleted") or user.get("is_bot"):
            return Role.NOBODY
        outside = user.get("team_id") not in (None, own["team_id"]) and not _of_enterprise(user, own)
        if outside or user.get("is_stranger") or user.get("is_restricted") or user.get("is_ultra_restricted"):
            return Role.GUEST
        return Role.ADMIN if user.get("is_admin") or user.get("is_owner") else Role.MEMBER

    async def _own(self) -> JSON:
        """The bot's own workspace and enterprise, asked for once."""
        if self._told is None:
            self._told = dict((await self._client.auth_test()).data)  # type: ignore[arg-type]
        return self._told

    _told: JSON | None = None


def _of_enterprise(user: JSON, own: JSON) -> bool:
    """Whether somebody of another workspace belongs to the same Enterprise Grid."""
    theirs = (user.get("enterprise_user") or {}).get("enterprise_id")
    return bool(theirs) and theirs == own.get("enterprise_id")


def _refusal(role: Role, to_do: str) -> str:
    if role is Role.ADMIN:
        return f"Only an admin can {to_do}. Workspace admins and owners are, and those in slack.admins."
    if role is Role.MEMBER:
        return f"Only a full member of this workspace can {to_do}: guests and people of other workspaces cannot."
    return f"Only a person with an open account can {to_do}."
