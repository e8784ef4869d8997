"""Addresses of repositories: which are allowed, and what a person wrote in front of a repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from knowledge.sources.names import printable

SCHEMES = ("https", "http", "ssh", "file")
_SCP = re.compile(r"(?:(?P<user>[\w.~+-]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|\w[\w.-]*):(?P<path>[^/:].*|/.*)")
_HOSTED = re.compile(r"/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?(?:/(?:tree|src/branch)/(?P<rest>[^?#]+))?")
_GITLAB = re.compile(r"/(?P<repository>(?:\w[\w.-]*/)+\w[\w.-]*?)(?:\.git)?/?(?:/-/tree/(?P<rest>[^?#]+))?")
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


def checked(url: str) -> str:
    """An address that may be handed to git, a local path made absolute. Raises ValueError with what is wrong."""
    text = url.strip()
    if not text or text.startswith("-") or "::" in text.partition("/")[0] or printable(text) != text:
        raise ValueError("it is no address of a repository: write a path, or https://…, ssh://… or git@host:path")
    scheme, separator, _ = text.partition("://")
    if separator:
        if scheme.lower() not in SCHEMES:
            raise ValueError(f"the transport {scheme}:// is not used: write https://…, ssh://…, file://… or a path")
        parts = urlsplit(text)
        if parts.password is not None:
            raise ValueError("it holds a password: take it out, and name the variable that holds it with token_env")
        if scheme.lower() != "file" and (not parts.hostname or parts.hostname.startswith("-")):
            raise ValueError("it names no host")
        return text
    if text.startswith(("/", "~", ".")) or not _SCP.fullmatch(text):
        return str(Path(text).expanduser().absolute())
    return text


def takes_token(url: str) -> bool:
    """Whether a token may be sent to the address: over TLS, or to this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Where a repository is seen in a browser: `root` is scheme and host, `path` the repository without `.git`."""

    root: str
    path: str

    @property
    def host(self) -> str:
        return urlsplit(self.root).hostname or ""


def web_address(url: str) -> WebAddress | None:
    """The address in a browser of a remote repository; None for one on this machine."""
    if "://" in url:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            root = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        elif parts.scheme == "ssh":
            root = f"https://{parts.hostname}"  # an SSH port says nothing of the web server's
        else:
            return None
        path = unquote(parts.path)
    elif found := (None if url.startswith("/") else _SCP.fullmatch(url)):
        root, path = f"https://{found['host']}", found["path"]
    else:
        return None
    path = path.strip("/").removesuffix(".git")
    return WebAddress(root, quote(path)) if path else None


def recognised(text: str) -> dict[str, object] | None:
    """The options for what a person wrote, where it is certainly a repository."""
    if text.startswith(("/", "~")):
        folder = Path(text).expanduser()
        return {"url": text} if (folder / ".git").exists() or (folder / "objects").is_dir() else None
    try:
        url = checked(text)
    except ValueError:
        return None
    if "://" not in text:
        return {"url": text} if _SCP.fullmatch(text) and (text.endswith(".git") or text.startswith("git@")) else None
    parts = urlsplit(url)
    if parts.scheme == "ssh" or parts.path.endswith(".git"):
        return {"url": url}
    if parts.hostname not in _FORGES or parts.query or parts.fragment:
        return None
    found = (_GITLAB if parts.hostname == "gitlab.com" else _HOSTED).fullmatch(parts.path)
    if found is None:
        return None
    options: dict[str, object] = {"url": f"{parts.scheme}://{parts.hostname}/{found['repository']}.git"}
    if found["rest"]:
        branch, _, folder_path = unquote(found["rest"]).strip("/").partition("/")
        options |= {"branch": branch} | ({"folder": folder_path} if folder_path else {})
    return options
