"""The pages of an installation: plain HTML that loads nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from aiohttp import web

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2b33; --soft: #5a6b75; --paper: #fff; --ground: #eef2f4; --line: #d8e0e4;
        --deep: #1f3a4d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eef1; --soft: #a3b3bc; --paper: #18242c; --ground: #0f181e; --line: #2c3c46; --deep: #7fb4d3; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground);
       color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 34rem; width: 100%; background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
       padding: 36px 40px; }
h1 { margin: 0 0 8px; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 28px 0 8px; font-size: 1rem; }
p { margin: 0 0 12px; }
ul { margin: 0; padding-left: 1.2rem; }
li { margin: 4px 0; }
a.button { display: inline-block; margin: 14px 0 4px; padding: 12px 22px; border-radius: 8px; font-weight: 600;
           text-decoration: none; background: var(--deep); color: var(--paper); }
a.button:focus-visible { outline: 3px solid var(--soft); outline-offset: 3px; }
.soft { color: var(--soft); font-size: .9rem; }
code { font-size: .9em; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_MEANINGS = {
    "app_mentions:read": "messages that mention it",
    "channels:history": "messages of the public channels that it is invited to",
    "channels:read": "names and members of public channels",
    "groups:history": "messages of the private channels that it is invited to",
    "groups:read": "names and members of the private channels that it is in",
    "im:history": "what people write to it in direct messages",
    "im:read": "who has a direct message with it",
    "mpim:history": "messages of the group messages that it is in",
    "mpim:read": "who is in the group messages that it is in",
    "files:read": "files that are shared where it is",
    "reactions:read": "reactions where it is, such as ✅ on an answer",
    "users:read": "names of people, and whether they are admins or guests",
    "assistant:write": "to show that it is working on an answer",
    "chat:write": "to write messages as itself",
    "commands": "its slash commands and shortcuts",
    "files:write": "to share files, such as charts and pictures that it drew",
    "im:write": "to open a direct message with a person",
}
_WRITES = frozenset({"assistant:write", "chat:write", "commands", "files:write", "im:write"})


def install_page(scopes: list[str], href: str) -> web.Response:
    """What is installed and what it will be able to do, by the scopes of the manifest, with the button."""
    reads = [_meaning(scope) for scope in scopes if scope not in _WRITES]
    does = [_meaning(scope) for scope in scopes if scope in _WRITES]
    return _page(
        "Add Switchboard to Slack",
        "<p>Switchboard answers questions in Slack from your team's documents, with its sources, and shows how each "
        "answer was made and at what price.</p>"
        f'<a class="button" href="{escape(href)}">Add to Slack</a>'
        '<p class="soft">Slack asks you to confirm, in the workspace that you choose.</p>'
        f"<h2>It will be able to read</h2><ul>{_items(reads)}</ul>"
        f"<h2>It will be allowed</h2><ul>{_items(does)}</ul>"
        '<h2>What is kept</h2><p class="soft">What one workspace asks, knows and spends is kept apart from every '
        "other. When you remove the app, its access is deleted at once and your data after 30 days.</p>",
    )


def installed_page(name: str, href: str, *, again: bool) -> web.Response:
    """The installation is done."""
    what = "is installed again" if again else "is installed"
    return _page(
        f"Switchboard {what} in {escape(name)}",
        "<p>Invite it to a channel with <code>/invite @Switchboard</code>, or write it a direct message. "
        "<code>/switchboard</code> shows what it can do.</p>"
        f'<a class="button" href="{escape(href)}">Open Slack</a>'
        + ('<p class="soft">All that it knew here before is there again.</p>' if again else ""),
    )


def trouble_page(title: str, text: str, href: str, reference: str, *, status: int) -> web.Response:
    """Something did not work out: what, the way out, and the reference that the log line has too."""
    return _page(
        escape(title),
        f'<p>{escape(text)}</p><a class="button" href="{escape(href)}">Start again</a>'
        f'<p class="soft">Reference <code>{escape(reference)}</code></p>',
        status=status,
    )


def _meaning(scope: str) -> str:
    return _MEANINGS.get(scope, f"Slack's permission {scope}")


def _items(words: list[str]) -> str:
    return "".join(f"<li>{escape(each)}</li>" for each in words)


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=_HEADERS)
