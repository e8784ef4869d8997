"""Which addresses belong to a site, and how each is written: once, whatever was added to it to follow people about."""

from __future__ import annotations

import re

from yarl import URL

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl|_hs(?:enc|mi)|phpsessid|jsessionid|sessionid",
    re.IGNORECASE,
)
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_MOST_CHARACTERS = 2000


class Scope:
    """The addresses of one host whose path lies below a prefix.

    A document is named by its path there (with its query), as a person would read it; `address` is the way back.
    """

    def __init__(self, start: URL, prefix: str | None = None) -> None:
        self.start = self._clean(start)
        self.origin = self.start.origin()
        self.prefix = _prefix(start) if prefix is None else URL(f"{self.origin}{prefix}").raw_path

    def normal(self, link: str | URL, base: URL | None = None) -> URL | None:
        """The address that a link leads to, in its one form; None for what is no address of a page."""
        try:
            url = URL(link.strip()) if isinstance(link, str) else link
            url = (base or self.start).join(url)
            if url.scheme not in ("http", "https") or not url.host or len(str(url)) > _MOST_CHARACTERS:
                return None
            if (
                url.scheme == "http"
                and url.host == self.origin.host
                and url.with_scheme("https").origin() == self.origin
            ):
                url = url.with_scheme("https")
            return self._clean(url)
        except ValueError:
            return None

    def holds(self, url: URL) -> bool:
        """Whether an address belongs to the site."""
        if url.origin() != self.origin:
            return False
        path = url.raw_path
        return path.startswith(self.prefix) and (
            self.prefix.endswith("/") or path[len(self.prefix) : len(self.prefix) + 1] in ("", "/")
        )

    def path(self, url: URL) -> str:
        """The name of the document at an address."""
        query = f"?{url.raw_query_string}" if url.raw_query_string else ""
        readable = url.path_safe + query
        return readable if readable.isprintable() and self._address(readable) == url else url.raw_path + query

    def address(self, path: str) -> URL:
        """The address of the document with this name."""
        return self._address(path) or self.origin

    def moved(self, to: URL) -> Scope | None:
        """The site where its start leads to `to`: the same host by https, or with or without "www."; else None."""
        old, new = self.origin, to.origin()
        same = (old.host or "").removeprefix("www.") == (new.host or "").removeprefix("www.")
        downgraded = (old.scheme, new.scheme) == ("https", "http")
        if not same or downgraded or (old.port != new.port and not (old.is_default_port() and new.is_default_port())):
            return None
        return Scope(new.join(URL(self.start.raw_path_qs, encoded=True)), self.prefix)

    def _address(self, path: str) -> URL | None:
        try:
            return URL(str(self.origin) + path)
        except ValueError:
            return None

    @staticmethod
    def _clean(url: URL) -> URL:
        if ";" in url.raw_path:
            url = url.with_path(_SESSION.sub("", url.raw_path), encoded=True, keep_query=True)
        if url.explicit_port is not None and url.is_default_port():
            url = url.with_port(None)
        tracking = {name for name in url.query if _TRACKING.fullmatch(name)}
        return url.without_query_params(*tracking).with_user(None).with_fragment(None)


def _prefix(start: URL) -> str:
    """Below what a start lies: itself, or its folder where it is a file ("/docs/index.html")."""
    folder, _, last = start.raw_path.rpartition("/")
    return folder + "/" if "." in last else start.raw_path
