"""Addresses of servers, as the configuration names them."""

from __future__ import annotations

from urllib.parse import urlsplit


def server_address(value: str, port: int, secrets: str) -> str:
    """The address without a slash at its end, "" for none. `port`: the usual one; `secrets`: the variables that hold
    what the server wants to know of who asks. Raises ValueError."""
    if not value:
        return value
    address = urlsplit(value)
    if "@" in address.netloc:
        raise ValueError(f"no password belongs in the address; set {secrets} in the environment")
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError(f"no address of a server; write http://host:{port}, or https://…")
    return value.rstrip("/")
