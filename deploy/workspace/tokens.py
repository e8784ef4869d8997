"""What an app is given by OAuth: codes, bot tokens, and the tokens that renew them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from deploy.workspace.errors import ApiError

TOKEN_SECONDS = 12 * 3600
CODE_SECONDS = 600


@dataclass
class Token:
    """A bot token of a workspace (T…) or an organisation (E…)."""

    text: str
    installed: str
    ends_at: float | None
    is_revoked: bool = False


@dataclass
class Tokens:
    """All that was given out. With `rotates` tokens end after `seconds`, and each comes with one that renews it.

    `grace`: how often a token that renews may be used again after its first use, as where the answer got lost.
    `shut_out`: workspaces whose tokens are refused for now, as where the app calls from an address that is not allowed.
    """

    rotates: bool = False
    seconds: float = TOKEN_SECONDS
    grace: int = 1
    shut_out: set[str] = field(default_factory=set)
    _codes: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict)
    _renewing: dict[str, tuple[str, int]] = field(default_factory=dict)

    def code(self, installed: str, user: str) -> str:
        """For a person who agreed: good once, for ten minutes."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = (installed, user, time.monotonic() + CODE_SECONDS)
        return code

    def exchange(self, code: str) -> tuple[Token, str | None, str]:
        """A token, what renews it, and who installed the app. ApiError where the code is no good."""
        installed, user, end = self._codes.pop(code, ("", "", 0.0))
        if end < time.monotonic():
            raise ApiError("invalid_code")
        token, renewing = self._new(installed)
        return token, renewing, user

    def renew(self, renewing: str) -> tuple[Token, str | None]:
        """A token for one that renews."""
        installed, left = self._renewing.get(renewing, ("", -1))
        if left < 0:
            raise ApiError("invalid_refresh_token")
        self._renewing[renewing] = (installed, left - 1)
        return self._new(installed)

    def check(self, text: str) -> Token:
        """The token. ApiError where the app may not use it (any more)."""
        token = self._tokens.get(text)
        if token is None or token.installed in self.shut_out:
            raise ApiError("invalid_auth")
        if token.is_revoked:
            raise ApiError("token_revoked")
        if token.ends_at is not None and token.ends_at < time.monotonic():
            raise ApiError("token_expired")
        return token

    def revoke(self, installed: str) -> None:
        """Takes back all tokens of a workspace or an organisation."""
        for token in self._tokens.values():
            token.is_revoked |= token.installed == installed
        self._renewing = {key: kept for key, kept in self._renewing.items() if kept[0] != installed}

    def end(self, text: str) -> None:
        """Takes one token back."""
        self._tokens[text].is_revoked = True

    def expire(self, installed: str) -> None:
        """Lets its tokens end now; what renews them stays."""
        for token in self._tokens.values():
            if token.installed == installed:
                token.ends_at = 0.0

    def _new(self, installed: str) -> tuple[Token, str | None]:
        kind = "xoxe.xoxb" if self.rotates else "xoxb"
        end = time.monotonic() + self.seconds if self.rotates else None
        token = Token(f"{kind}-{installed}-{secrets.token_hex(12)}", installed, end)
        self._tokens[token.text] = token
        if not self.rotates:
            return token, None
        renewing = f"xoxe-1-{secrets.token_hex(16)}"
        self._renewing[renewing] = (installed, self.grace)
        return token, renewing
