"""What a person types, turned into the text that Slack stores and sends."""

from __future__ import annotations

import re

from deploy.workspace.state import BOT_USER, State

MAX_TEXT = 40_000

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_ENTITY = re.compile(r"<(?:@U\w+|#[CG]\w+(?:\|[^>]*)?|!(?:here|channel|everyone)|(?:https?|mailto):[^>\s]+)>")
_URL = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]")
_PERSON = re.compile(r"(?<![\w@])@([a-z0-9][\w.-]*)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![\w#&])#([a-z0-9][\w-]*)", re.IGNORECASE)


def escape(text: str) -> str:
    """The three characters that Slack keeps for itself, as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_text(typed: str, state: State) -> str:
    """`typed` as Slack would send it: entities escaped, @names, #names and addresses linked, code left alone."""
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(typed):
        parts += [_linked(typed[end : code.start()], state), escape(code.group())]
        end = code.end()
    parts.append(_linked(typed[end:], state))
    return "".join(parts)[:MAX_TEXT]


def command_text(typed: str, state: State) -> str:
    """The text of a slash command that asks for escaping: as `slack_text`, people's names beside their ids."""

    def named(match: re.Match[str]) -> str:
        person = state.people.get(match.group(1))
        return f"<@{person.id}|{person.name}>" if person else match.group()

    return re.sub(r"<@(\w+)>", named, slack_text(typed, state))


def mentions_bot(text: str) -> bool:
    """Whether the bot is spoken to: a mention inside code is only quoted."""
    return f"<@{BOT_USER}>" in _CODE.sub("", text)


def _linked(typed: str, state: State) -> str:
    parts: list[str] = []
    end = 0
    for entity in _ENTITY.finditer(typed):
        parts += [_plain(typed[end : entity.start()], state), entity.group()]
        end = entity.end()
    parts.append(_plain(typed[end:], state))
    return "".join(parts)


def _plain(typed: str, state: State) -> str:
    parts: list[str] = []
    end = 0
    for url in _URL.finditer(typed):
        parts += [_named(escape(typed[end : url.start()]), state), f"<{escape(url.group())}>"]
        end = url.end()
    parts.append(_named(escape(typed[end:]), state))
    return "".join(parts)


def _named(text: str, state: State) -> str:
    people = {person.name.lower(): person.id for person in state.people.values()}

    def person(match: re.Match[str]) -> str:
        name = match.group(1).rstrip(".-")
        user = people.get(name.lower())
        return f"<@{user}>{match.group(1)[len(name) :]}" if user else match.group()

    def channel(match: re.Match[str]) -> str:
        found = state.channel_named(match.group(1))
        return f"<#{found.id}|{found.name}>" if found else match.group()

    return _CHANNEL.sub(channel, _PERSON.sub(person, text))
