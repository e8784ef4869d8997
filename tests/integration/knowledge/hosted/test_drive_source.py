"""A Google Drive folder, from a server that answers as Google's token service and Drive API do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from service_server import ServiceServer, look, said, serving

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.drive import KIND, DriveOptions
from knowledge.sources.hosted import HostedSource
from knowledge.sources.kinds import SourceContext

DOCUMENT = "application/vnd.google-apps.document"
FOLDER = "application/vnd.google-apps.folder"


@dataclass
class DriveServer(ServiceServer):
    """Files by their id; `bodies` are their bytes, or what an export gives."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    is_active: bool = True

    def file(self, identifier: str, name: str, mime: str, body: bytes = b"", parent: str = "root", **more: Any) -> None:
        self.bodies[identifier] = body
        self.files[identifier] = {
            "id": identifier,
            "name": name,
            "mimeType": mime,
            "modifiedTime": "2026-03-01T09:00:00.000Z",
            "webViewLink": f"https://docs.google.com/{identifier}",
            "lastModifyingUser": {"displayName": "Maya"},
            "parent": parent,
            **more,
        }

    async def token(self, request: web.Request) -> web.Response:
        if not self.is_active:
            return web.json_response({"error": "invalid_grant", "error_description": "Account disabled"}, status=400)
        return web.json_response({"access_token": "short-lived", "expires_in": 3600, "token_type": "Bearer"})

    async def list_files(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer short-lived"
        parent = request.query["q"].split("'")[1]
        found = [file for file in self.files.values() if file["parent"] == parent]
        start = int(request.query.get("pageToken") or 0)
        more = {"nextPageToken": str(start + 2)} if len(found) > start + 2 else {}
        return web.json_response({"files": found[start : start + 2], **more})

    async def one(self, request: web.Request) -> web.Response:
        identifier = request.match_info["id"]
        if identifier not in self.files:
            return web.json_response({"error": {"code": 404, "message": "File not found"}}, status=404)
        if request.query.get("alt") == "media":
            return web.Response(body=self.bodies[identifier])
        return web.json_response(self.files[identifier])

    async def export(self, request: web.Request) -> web.Response:
        assert request.query["mimeType"] == "text/markdown"
        return web.Response(body=self.bodies[request.match_info["id"]])


@pytest.fixture
async def drive() -> AsyncIterator[DriveServer]:
    server = DriveServer()
    routes = [
        web.post("/token", server.token),
        web.get("/drive/v3/files", server.list_files),
        web.get("/drive/v3/files/{id}", server.one),
        web.get("/drive/v3/files/{id}/export", server.export),
    ]
    async with serving(routes, server):
        yield server


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
async def source(drive: DriveServer, private_key: str, tmp_path: Path) -> AsyncIterator[HostedSource]:
    account = {
        "type": "service_account",
        "client_email": "switchboard@team.example",
        "private_key": private_key,
        "token_uri": f"{drive.url}/token",
    }
    context = SourceContext(tmp_path, lambda name: json.dumps(account))
    opened = KIND.open("drive", frozenset({"everyone"}), DriveOptions(folder="root", api=drive.url), context)
    yield opened
    await opened.close()


async def test_documents_are_exported_and_files_are_parsed_by_their_endings(
    drive: DriveServer, source: HostedSource
) -> None:
    drive.file("d1", "Rollback", DOCUMENT, b"# Rollback\n\nRun *make rollback*.")
    drive.file("t1", "notes.txt", "text/plain", b"Deploys run on Tuesdays.")
    drive.file("p1", "photo.png", "image/png", b"...")
    run = await look(source)
    assert sorted(run.listings) == ["Rollback (d1)", "notes.txt (t1)"]
    document = await source.read(run.listings["Rollback (d1)"])
    assert (document.title, document.author) == ("Rollback", "Maya")
    assert "make rollback" in said(document)
    assert said(await source.read(run.listings["notes.txt (t1)"])) == "Deploys run on Tuesdays."


async def test_folders_are_gone_through_page_by_page_and_a_ring_of_them_ends(
    drive: DriveServer, source: HostedSource
) -> None:
    for number in range(5):
        drive.file(f"t{number}", f"{number}.txt", "text/plain", b"words")
    drive.file("f1", "Deep", FOLDER)
    drive.file("t9", "nine.txt", "text/plain", b"words", parent="f1")
    drive.file("root", "Back", FOLDER, parent="f1")
    run = await look(source)
    assert len(run.listings) == 6
    assert "Deep/nine.txt (t9)" in run.listings
    assert run.is_complete


async def test_a_file_that_is_closed_further_than_its_folder_is_left_out(
    drive: DriveServer, source: HostedSource
) -> None:
    drive.file("t1", "salaries.txt", "text/plain", b"secret")
    run = await look(source)
    drive.files["t1"]["inheritedPermissionsDisabled"] = True
    assert (await look(source)).listings == {}
    with pytest.raises(DocumentUnreachable):
        await source.read(run.listings["salaries.txt (t1)"])


async def test_a_file_that_is_too_large_is_named(drive: DriveServer, source: HostedSource) -> None:
    drive.file("t1", "dump.csv", "text/csv", size="2000000000")
    run = await look(source)
    assert run.listings == {}
    assert "2,000 MB" in run.problems[0].sentence


async def test_an_account_that_was_switched_off_is_told(drive: DriveServer, source: HostedSource) -> None:
    drive.is_active = False
    with pytest.raises(SourceUnavailable, match="GOOGLE_DRIVE_CREDENTIALS"):
        await look(source)


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path: Path) -> None:
    context = SourceContext(tmp_path, lambda name: "not-json-but-secret")
    with pytest.raises(SourceUnavailable, match="no service account's key") as caught:
        KIND.open("drive", frozenset({"everyone"}), DriveOptions(folder="root"), context)
    assert "not-json" not in str(caught.value)


def test_the_address_of_a_folder_is_recognised() -> None:
    assert KIND.recognise("https://drive.google.com/drive/folders/1AbC-d_9?usp=sharing") == {"folder": "1AbC-d_9"}
    assert KIND.recognise("https://docs.google.com/document/d/1AbC") is None
