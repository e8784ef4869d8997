"""What the doors remember for minutes, over all replicas."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

# Signatures of commands, button presses and submitted modals that came over HTTP: each is good for once.
taken_signatures = sa.Table(
    "taken_signatures",
    metadata,
    sa.Column("signature", sa.String(80), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)

# Questions of the last minute, each once for its asker and once for its channel.
asked_lately = sa.Table(
    "asked_lately",
    metadata,
    sa.Column("subject", sa.String(60), primary_key=True),  # "person U…", "channel C…", or "told U… C…"
    sa.Column("reference", sa.String(80), primary_key=True),  # the event's id: work that is begun again counts once
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)
