"""The files that came with a question: fetched, told for what they are, read, looked at and listened to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from bot.domain import Attachment, Evidence, Image, Question
from bot.errors import FileUnread, ModelError, NotAllowed, UnknownModel, UnusableQuestion
from bot.files.kinds import LABELS, FileKind, claimed, kind_of
from bot.files.passages import left_out, passages_of
from bot.files.pictures import read_picture
from bot.files.texts import read_text
from bot.gate import Tab
from bot.hearing import Hearing
from bot.selection.modalities import IMAGE
from knowledge.documents import Block, BlockKind, Content, Passage
from knowledge.embedding.base import Embedder
from knowledge.secrets import masking, warning

log = structlog.get_logger("bot.enclosing")

MOST_FILES = 5
MOST_BYTES = 20_000_000
SECONDS = 60.0
"""How long one file may take to be fetched and read."""
LIKELY = 0.5
"""What knowledge says beside the files is told from this probability on that it answers the question."""
_HEARD_SHOWN = 200


class FileStore(Protocol):
    """Where attachments are kept."""

    async def fetch(self, attachment: Attachment, most_bytes: int) -> tuple[Attachment, bytes]:
        """The file as it is now, and its bytes. Raises FileUnread, before it fetches what is larger."""
        ...


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What the files say. `text`: the question in words, spoken or written; `notes`: sentences for the asker."""

    text: str
    passages: tuple[Passage, ...] = ()
    images: tuple[Image, ...] = ()
    notes: tuple[str, ...] = ()
    told: str = ""
    sizes: dict[str, int] = field(default_factory=dict)

    def asked(self, question: Question) -> Question:
        """The question with what came of its files."""
        needs = question.needs | {IMAGE} if self.images else question.needs
        return replace(question, text=self.text, images=self.images, needs=needs)

    def before(self, found: Evidence) -> Evidence:
        """The files' passages in front of what was found, which stays where it may well answer the question too."""
        if not self.passages:
            return found
        others = found.passages if found.probability >= LIKELY else ()
        return replace(found, passages=(*self.passages, *others), attached=len(self.passages))

    def about(self, used: Sequence[Passage]) -> tuple[str, ...]:
        """What the asker is told, where the answer was written from the passages that were `used`."""
        return (*self.notes, *left_out(self.sizes, used))


@dataclass(slots=True)
class _Read:
    """What was made of the files so far."""

    texts: list[tuple[str, Content]] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    sounds: list[tuple[Attachment, bytes]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Enclosing:
    """Reads attachments. They are used for their one question and kept nowhere."""

    def __init__(self, hearing: Hearing, embedder: Embedder) -> None:
        self._hearing = hearing
        self._embedder = embedder
        self._store: FileStore | None = None

    def connect(self, store: FileStore) -> None:
        """Where the files are kept, known once Slack is."""
        self._store = store

    async def open(self, question: Question, tab: Tab) -> Enclosed:
        """What the files of a question say; a voice message becomes its words where it has none.

        Raises UnusableQuestion where nothing is asked, FileUnread where not one of them can be read, and the error of
        the model that was to listen where the question was spoken.
        """
        if not question.text and not any(map(may_be_spoken, question.attachments)):
            raise UnusableQuestion(without_question(question.attachments))
        read = await self._fetched(question)
        text = await self._listened(read, question, tab)
        if not (read.texts or read.images or text != question.text):
            raise FileUnread(" ".join(read.problems))
        if not text:
            raise UnusableQuestion(without_question(question.attachments))
        passages, sizes = await passages_of(read.texts, text, self._embedder) if read.texts else ((), {})
        log.info(
            "files_read",
            question=question.id,
            texts=len(read.texts),
            images=len(read.images),
            sounds=len(read.sounds),
            problems=len(read.problems),
        )
        text = masking().text(text)
        return Enclosed(
            text=text,
            passages=passages,
            images=tuple(read.images),
            notes=(*read.notes, *read.problems),
            told=_listed([name for name, _ in read.texts] + [image.name for image in read.images]),
            sizes=sizes,
        )

    async def _fetched(self, question: Question) -> _Read:
        read = _Read()
        wanted = question.attachments[:MOST_FILES]
        for result in await asyncio.gather(*(self._one(attachment) for attachment in wanted)):
            if isinstance(result, str):
                read.problems.append(result)
                continue
            attachment, data, made = result
            if isinstance(made, Image):
                read.images.append(made)
            elif isinstance(made, Content):
                found = [(block, masking().masked(block.text)) for block in made.blocks]
                kinds = tuple(kind for _, one in found for kind in one.kinds)
                blocks = tuple(replace(block, text=one.text) for block, one in found)
                read.texts.append((attachment.name, replace(made, blocks=blocks)))
                if kinds:
                    read.notes.append(warning(dict.fromkeys(kinds), attachment.name))
            else:
                read.sounds.append((attachment, data))
            if told := _misnamed(attachment, data):
                read.notes.append(told)
        if len(question.attachments) > MOST_FILES:
            read.problems.append(
                f"{len(question.attachments)} files came, and I read up to {MOST_FILES} at once: the first ones. Send "
                "the others with another question."
            )
        return read

    async def _one(self, attachment: Attachment) -> tuple[Attachment, bytes, Image | Content | None] | str:
        """The file and what it is, None for a recording; or why it cannot be read."""
        name = attachment.name
        try:
            async with asyncio.timeout(SECONDS):
                if self._store is None:
                    raise FileUnread(f"{name} cannot be fetched here.")
                now, data = await self._store.fetch(attachment, MOST_BYTES)
                if not data:
                    raise FileUnread(f"{now.name} is empty.")
                return now, data, await asyncio.to_thread(_made, now, data)
        except FileUnread as error:
            return str(error)
        except TimeoutError:
            return f"{name} was not fetched and read within {SECONDS:g} seconds. Send a smaller part of it."

    async def _listened(self, read: _Read, question: Question, tab: Tab) -> str:
        """The question's words; what was said beside written ones is read like a file."""
        spoken: list[str] = []
        for attachment, data in read.sounds:
            try:
                heard = await self._hearing.heard(data, attachment.name, attachment.duration_ms, question, tab)
            except (FileUnread, ModelError, NotAllowed, UnknownModel) as error:
                if not question.text and len(question.attachments) == 1:
                    raise
                read.problems.append(f"I could not listen to {attachment.name}: {error}")
                continue
            heard = masking().text(heard)
            read.notes.append(f"I heard: “{_short(heard)}”")
            if question.text:
                read.texts.append((attachment.name, Content((Block(BlockKind.PARAGRAPH, heard),))))
            else:
                spoken.append(heard)
        return question.text or "\n\n".join(spoken)


def _made(attachment: Attachment, data: bytes) -> Image | Content | None:
    kind = kind_of(data, attachment.mimetype)
    if kind is FileKind.IMAGE:
        return read_picture(data, attachment.name)
    if kind is FileKind.AUDIO:
        return None
    if kind is FileKind.BINARY and claimed(attachment.name) is not FileKind.TEXT:
        raise FileUnread(f"{attachment.name} is damaged, or not {LABELS[claimed(attachment.name)]} at all.")
    return read_text(data, attachment.name, kind)


def _misnamed(attachment: Attachment, data: bytes) -> str:
    is_it, says = kind_of(data, attachment.mimetype), claimed(attachment.name)
    if is_it is says or {is_it, says} == {FileKind.AUDIO, FileKind.VIDEO} or says is FileKind.TEXT:
        return ""
    return f"{attachment.name} is not {LABELS[says]} but {LABELS[is_it]}, and was read as that."


def may_be_spoken(attachment: Attachment) -> bool:
    """Whether it may hold a question by itself: a recording, or a file of which only Slack knows what it is."""
    known = attachment.url or attachment.size
    return attachment.mimetype.startswith("audio/") or claimed(attachment.name) is FileKind.AUDIO or not known


def without_question(attachments: Sequence[Attachment]) -> str:
    """What is said where files came and nothing is asked."""
    names = _listed([attachment.name for attachment in attachments])
    return (
        f"I see {names}. What would you like to know? Send it together with your question, for example “What are the "
        "main points?”"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _HEARD_SHOWN else line[: _HEARD_SHOWN - 1].rstrip() + "…"


def _listed(names: Sequence[str]) -> str:
    shown = [*names[:MOST_FILES], *([f"{len(names) - MOST_FILES} more"] if len(names) > MOST_FILES else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
