"""One error vocabulary for the package: each subclass is a decision that a caller takes.

The text of every error is a sentence for a person: it names the thing and the way out, and never holds a secret.
"""

from __future__ import annotations

from datetime import datetime


class SwitchboardError(Exception):
    """Base of all errors that the bot raises on purpose. `str(error)` may be shown to a person."""


class ConfigError(SwitchboardError):
    """The configuration cannot be used; the program stops before it starts."""


class AlreadyRunning(SwitchboardError):
    """Another process holds the data folder."""


class NotInstalled(SwitchboardError):
    """No installation of the bot serves this workspace."""

    def __init__(self, workspace: str, install_url: str) -> None:
        self.workspace = workspace
        where = f" at {install_url}" if install_url else ""
        super().__init__(f"Switchboard is not installed in this workspace any more. An admin can install it{where}.")


class Closing(SwitchboardError):
    """The program is ending and begins nothing more."""


class StorageError(SwitchboardError):
    """The database could not be read or written (unreachable, full disk, damaged)."""


class NewerSchema(StorageError):
    """A newer version wrote the database; this one does not know its schema."""


class UnusableBackup(SwitchboardError):
    """A backup cannot be written or restored as it was asked for; nothing was changed."""


class UnknownSubject(SwitchboardError):
    """What is to be forgotten or exported cannot be understood."""


class UnknownModel(SwitchboardError):
    """No card has this name. `nearest` holds up to three names that a person may have meant."""

    def __init__(self, name: str, nearest: tuple[str, ...]) -> None:
        self.name = name
        self.nearest = nearest
        shown = name if len(name) <= 200 else f"{name[:200]}…"
        hint = f" Did you mean {', '.join(nearest)}?" if nearest else " `/model list` shows the models."
        super().__init__(f"There is no model called “{shown}”.{hint}")


class UnusableFilter(SwitchboardError):
    """Models cannot be narrowed down by this."""


class UnusableWords(SwitchboardError):
    """What a person typed to a command cannot be understood or done; the sentence says what can be typed."""


class RolloutMoved(SwitchboardError):
    """Somebody else took the model to another stage in the same moment."""

    def __init__(self, model: str) -> None:
        super().__init__(f"Somebody else has just changed the roll-out of “{model}”. Look at it again with `/tune`.")


class NotProven(SwitchboardError):
    """A fine-tuned model is to answer people and was not shown to be better than the others, or has lost too much."""


class UnreadableSecret(SwitchboardError):
    """What is kept encrypted cannot be read with the keys that there are."""


class NotAllowed(SwitchboardError):
    """The person may not do this here."""


class UnusableQuestion(SwitchboardError):
    """The question cannot be answered as it is (empty, too long, no text)."""


class FileUnread(SwitchboardError):
    """A file that came with a question cannot be read."""


class UnknownAnswer(SwitchboardError):
    """No answer has this id, or more than one begins with it."""


class UnreadableExport(SwitchboardError):
    """A provider's export of usage or costs cannot be read, or not be compared."""


class SourceExists(SwitchboardError):
    """Another source has this name."""


class SourceNotFound(SwitchboardError):
    """No source of this name can be changed or forgotten here."""


class UnusableBudget(SwitchboardError):
    """A budget cannot be set or dropped as it was typed."""


class UnusableGolden(SwitchboardError):
    """No evaluation can be run with these questions, or with so many of them, as it was asked for."""


class UnusableTraining(SwitchboardError):
    """Nothing can be trained on these rows, on this model or in this way, as it was asked for."""


class TrackingFailed(SwitchboardError):
    """A server that keeps track of training runs did not take something."""


class RunNotFound(SwitchboardError):
    """No evaluation of this name was kept, or it cannot be gone on with."""


class UnusableExamples(SwitchboardError):
    """Examples cannot be taken in as they are written; the text says what is wrong with them."""


class UnknownExample(SwitchboardError):
    """There is no such example, or none that this person may read."""


class UnknownGolden(SwitchboardError):
    """There is no such golden question."""


class ChangedMeanwhile(SwitchboardError):
    """Somebody else changed it since it was read; nothing was overwritten."""


class UnknownEntry(SwitchboardError):
    """No promotion or demotion has this number, or it is not the one that can be undone."""


class SlackRefused(SwitchboardError):
    """Slack does not take the bot's token any more."""


class SlackAway(SwitchboardError):
    """The connection to Slack is not there; it is made again by itself."""


class ModelError(SwitchboardError):
    """A model call failed for good. `kind` says which way, for the ledger and the report."""

    kind = "failed"


class ModelUnauthorized(ModelError):
    """401 or 403: the key is missing, wrong, or may not use this model."""

    kind = "unauthorized"


class ModelNotFound(ModelError):
    """404: the server does not know the model."""

    kind = "not_found"


class ModelRateLimited(ModelError):
    """429 after all retries. `retry_after` is in seconds where the server named it."""

    kind = "rate_limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnavailable(ModelError):
    """5xx, a refused connection, or a stream that was cut, after all retries."""

    kind = "unavailable"


class ModelTimedOut(ModelError):
    """Nothing came within the time that a chat can wait."""

    kind = "timed_out"


class ModelAnswerUnusable(ModelError):
    """The server answered with nothing, or with what is no answer (invalid JSON)."""

    kind = "unusable"


class OverBudget(ModelError):
    """A hard budget has no room for the call, which did not go out. `ends_at`: when its period is over; `set_by`: the
    id of whoever set it."""

    kind = "over_budget"

    def __init__(self, message: str, ends_at: datetime, set_by: str = "") -> None:
        super().__init__(message)
        self.ends_at = ends_at
        self.set_by = set_by


class ContextTooLong(ModelError):
    """The prompt does not fit the model's context window."""

    kind = "context_too_long"
