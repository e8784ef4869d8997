"""`/switchboard owner` and `/knowledge owner`: who looks after a channel or a source."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.errors import UnusableWords
from handlers.commands.typed import whole_channel
from handlers.handing_off import person_meant
from handlers.known import Known
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

_HOW = "They are tagged where somebody presses “I need a person”."


async def owner_of_channel(client: AsyncWebClient, core: Core, roles: Roles, origin: Origin, words: str) -> str:
    """Who looks after this channel, or a change of it. Raises NotAllowed and UnusableWords."""
    channel = whole_channel(origin, "An owner")
    if not words.strip():
        now = await core.owners.of("channel", channel)
        if now is None:
            return "Nobody looks after this channel. `/switchboard owner @name` names somebody."
        return f"<@{now}> looks after this channel. {_HOW} `/switchboard owner off` ends that."
    await roles.need(origin.person, Deed.SET_OWNER)
    if words.strip().casefold() == "off":
        await core.owners.set("channel", channel, None, origin.person)
        return "Nobody looks after this channel any more."
    person = await person_meant(client, roles, words)
    await core.owners.set("channel", channel, person, origin.person)
    return f"From now on <@{person}> looks after this channel. {_HOW}"


async def owner_of_source(
    client: AsyncWebClient, core: Core, roles: Roles, known: Known, origin: Origin, words: str
) -> str:
    """Who looks after a source, or a change of it. Raises NotAllowed, SourceNotFound and UnusableWords."""
    name, _, who = words.strip().rpartition(" ")
    if not name and not who.startswith(("@", "<@")):
        name, who = who, ""
    if not name:
        raise UnusableWords("Write which source and who: `/knowledge owner SOURCE @name`. `/knowledge` lists them.")
    if not who:
        source = (await known.source(name, origin.person)).status.name
        now = await core.owners.of("source", source)
        told = f"<@{now}> looks after" if now else "Nobody looks after"
        return f"{told} the source “{escape(source)}”. `/knowledge owner {escape(source)} @name` names somebody."
    source = (await known.changeable(name, origin.person, "name an owner of")).status.name
    if who.casefold() == "off":
        await core.owners.set("source", source, None, origin.person)
        return f"Nobody was named for the source “{escape(source)}” any more; an owner in the configuration stays."
    person = await person_meant(client, roles, who)
    await core.owners.set("source", source, person, origin.person)
    return f"From now on <@{person}> looks after the source “{escape(source)}”. {_HOW}"
