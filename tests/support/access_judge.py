"""Holds what the bot makes and shows against who may read it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from access_rules import Rules
from local_slack import LocalSlack

from bot.domain import Prompt
from bot.prompting import Prompting


@dataclasses.dataclass
class Findings:
    """What was looked at, and what was wrong."""

    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    leaks: list[str] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)


class Judge:
    """Of one world."""

    def __init__(self, rules: Rules, slack: LocalSlack, found: Findings) -> None:
        self._rules = rules
        self._slack = slack
        self._found = found
        self._messages: set[tuple[str, str]] = set()
        self._ephemerals: dict[str, int] = {}

    def viewers(self, channel: str) -> set[str]:
        """Who reads what stands in a channel."""
        there = self._slack.core.state.channels[channel]
        return {there.user} if there.is_im else self._rules.can_see(channel)

    def seen(self) -> int:
        """Takes note of what stands there now; gives where the modals of what comes begin."""
        channels = self._slack.core.state.channels.values()
        self._messages = {(channel.id, ts) for channel in channels for ts in channel.messages}
        self._ephemerals = {channel.id: len(channel.ephemerals) for channel in channels}
        return len(self._slack.shown)

    def look(self, what: str, viewers: set[str], prompts: list[Prompt], before: int) -> None:
        """Looks at prompts, whose answers so many will see, and at all that is new since `seen` gave `before`."""
        counts, leaks = self._found.counts, self._found.leaks
        for prompt in prompts:
            text = " ".join([*(m.content for m in prompt.messages), str(prompt.passages), str(prompt.examples)])
            leaks += [f"{what}, prompt: {leak}" for leak in self._rules.leaked(text, viewers)]
            counts["prompts"] += 1
            counts["prompts with examples"] += bool(prompt.examples)
            counts["prompts with passages"] += bool(prompt.passages)
            counts["prompts with earlier answers"] += any(m.role == "assistant" for m in prompt.messages)
        for readers, shown in self._shown(before):
            leaks += [f"{what}, shown: {leak}" for leak in self._rules.leaked(shown, readers)]
            counts["messages"] += 1

    def new(self, before: int) -> str:
        """All that is new since `seen` gave `before`."""
        return " ".join(shown for _, shown in self._shown(before))

    def _shown(self, before: int) -> Iterable[tuple[set[str], str]]:
        """What is new, each with who reads it."""
        for channel in self._slack.core.state.channels.values():
            for ts, message in channel.messages.items():
                if (channel.id, ts) not in self._messages:
                    yield self.viewers(channel.id), json.dumps(message, default=str)
            for each in channel.ephemerals[self._ephemerals.get(channel.id, 0) :]:
                yield {each.to}, json.dumps(each.message, default=str)
        for person, view in self._slack.shown[before:]:
            yield {person}, json.dumps(view, default=str)


class Watch:
    """Notes every prompt that the bot makes."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        made = Prompting.prompt

        def noted(prompting: Prompting, *args: Any, **options: Any) -> Prompt:
            prompt = made(prompting, *args, **options)
            self.prompts.append(prompt)
            return prompt

        Prompting.prompt = noted  # type: ignore[method-assign, assignment]

    def begin(self) -> list[Prompt]:
        """A list that grows with what is made from now on."""
        self.prompts = []
        return self.prompts


watch = Watch()
