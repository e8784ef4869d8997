"""Where a Chroma server is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """Where a server is ("http://host:8000"), and the token that it, or a proxy before it, wants."""

    address: str
    token: str = field(default="", repr=False)
