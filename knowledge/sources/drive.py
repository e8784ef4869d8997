"""Files of a Google Drive folder and the folders below it, through Google's own client library.

The folder is shared with a service account. A file whose access is limited further than its folder's is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.reports import Problem
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.parsers.registry import parser_for

_ADDRESS = re.compile(r"https?://drive\.google\.com/drive/(?:u/\d+/)?folders/([\w-]+)(?:\?.*)?")
_SCOPE = "https://www.googleapis.com/auth/drive.readonly"
_FOLDER = "application/vnd.google-apps.folder"
_EXPORTS = {  # Google's own formats have no bytes: each is exported as what a parser reads
    "application/vnd.google-apps.document": ("text/markdown", ".md"),
    "application/vnd.google-apps.spreadsheet": ("text/csv", ".csv"),
    "application/vnd.google-apps.presentation": ("text/plain", ".txt"),
}
_FIELDS = "id,name,mimeType,modifiedTime,size,webViewLink,lastModifyingUser(displayName),inheritedPermissionsDisabled"
_PAGE = 1000
_MOST_BYTES = 50_000_000


class DriveOptions(SourceOptions):
    """Which folder."""

    folder: str = Field(pattern=r"^[\w-]+$")
    """The folder's id, which is the last part of its address."""
    credentials_env: str = "GOOGLE_DRIVE_CREDENTIALS"
    """The environment variable of the service account's key, as JSON."""
    api: str = "https://www.googleapis.com"
    """The address of the API."""


class DriveKind:
    """A folder in Google Drive, as a kind of source."""

    name = "drive"
    options = DriveOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The address of a folder."""
        found = _ADDRESS.fullmatch(text)
        return {"folder": found.group(1)} if found else None

    def open(self, name: str, readers: frozenset[str], options: DriveOptions, context: SourceContext) -> HostedSource:
        """The folder. Raises SourceUnavailable where the extra or the key is missing."""
        try:
            from google.oauth2.service_account import Credentials
            from googleapiclient.discovery import build
        except ImportError:
            raise SourceUnavailable(
                f"The source “{name}” needs libraries that are not here: "
                "pip install google-api-python-client google-auth."
            ) from None
        key = context.secret(options.credentials_env)
        if key is None:
            raise SourceUnavailable(
                f"The source “{name}” needs a service account's key: set {options.credentials_env} and start again."
            )
        try:
            credentials = Credentials.from_service_account_info(json.loads(key), scopes=[_SCOPE])  # type: ignore[no-untyped-call]
        except (ValueError, KeyError):
            raise SourceUnavailable(
                f"{options.credentials_env} holds no service account's key. Download it again as JSON, and set it."
            ) from None
        endpoint = {"api_endpoint": f"{options.api.rstrip('/')}/drive/v3/"}
        client = build(
            "drive",
            "v3",
            credentials=credentials,
            client_options=endpoint,
            cache_discovery=False,
            static_discovery=True,
        )
        # A folder lists a thousand files a request, and a file that was moved away tells of no change.
        return HostedSource(name, self.name, readers, _Drive(client, options), whole_every=timedelta(0))


KIND = DriveKind()


@dataclass(slots=True)
class _Drive:
    """The service."""

    client: Any
    options: DriveOptions

    def items(self, since: datetime | None) -> Iterator[Item | Problem]:
        waiting, seen = [(self.options.folder, "")], {self.options.folder}
        while waiting:
            folder, path = waiting.pop()
            for file in self._children(folder):
                if file.get("inheritedPermissionsDisabled"):
                    continue
                place = f"{path}{file['name']}"
                if file["mimeType"] == _FOLDER:
                    if file["id"] not in seen:
                        seen.add(file["id"])
                        waiting.append((file["id"], f"{place}/"))
                elif parser_for(_file_name(file)):
                    yield self._item(file, place)

    def page(self, handle: str) -> Page | None:
        from googleapiclient.errors import HttpError

        files = self.client.files()
        try:
            file = files.get(fileId=handle, fields=f"{_FIELDS},trashed", supportsAllDrives=True).execute(num_retries=3)
            if file.get("trashed") or file.get("inheritedPermissionsDisabled"):
                return None
            export = _EXPORTS.get(file["mimeType"])
            if export:
                data = files.export(fileId=handle, mimeType=export[0]).execute(num_retries=3)
            else:
                data = files.get_media(fileId=handle, supportsAllDrives=True).execute(num_retries=3)
        except HttpError as error:
            if error.status_code == 404:
                return None
            raise
        name = _file_name(file)
        parser = parser_for(name)
        if parser is None:
            raise DocumentUnreadable(f"{name} is of a kind that is not read.")
        content = parser(data, name)
        author = file.get("lastModifyingUser", {}).get("displayName")
        title = content.title or file["name"]
        return Page(title, content, datetime.fromisoformat(file["modifiedTime"]), content.author or author)

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        import httplib2
        from google.auth.exceptions import GoogleAuthError
        from googleapiclient.errors import Error, HttpError

        where = f"Google Drive (folder {self.options.folder})"
        if isinstance(error, GoogleAuthError) or (isinstance(error, HttpError) and error.status_code in {401, 403}):
            return SourceUnavailable(
                f"{where} does not accept the key in {self.options.credentials_env}. Check that the account is active "
                "and that the folder is shared with it; what was read before is kept."
            )
        if isinstance(error, HttpError):
            return SourceUnavailable(f"{where} answered with HTTP {error.status_code}. The next refresh tries again.")
        if isinstance(error, Error | httplib2.HttpLib2Error | OSError):
            return SourceUnavailable(
                f"{where} cannot be reached ({type(error).__name__}). The next refresh tries again."
            )
        return None

    def close(self) -> None:
        self.client.close()

    def _children(self, folder: str) -> Iterator[dict[str, Any]]:
        wanted = {
            "q": f"'{folder}' in parents and trashed = false",
            "fields": f"nextPageToken,files({_FIELDS})",
            "pageSize": _PAGE,
            "orderBy": "name",
            "supportsAllDrives": True,
            "includeItemsFromAllDrives": True,
        }
        token = None
        while True:
            found = self.client.files().list(**wanted, pageToken=token).execute(num_retries=3)
            yield from found.get("files", ())
            token = found.get("nextPageToken")
            if not token:
                return

    def _item(self, file: dict[str, Any], place: str) -> Item | Problem:
        size = int(file.get("size", 0))
        if size > _MOST_BYTES:
            return Problem(place, f"{place} has {size / 1e6:,.0f} MB; files above 50 MB are not read. Split it.")
        # Two files of one folder may have the same name, so the id stands behind it.
        version = f"{file['modifiedTime']}:{place}"
        return Item(f"{place} ({file['id']})", version, file.get("webViewLink"), file["id"])


def _file_name(file: dict[str, Any]) -> str:
    """The name with the ending of what its bytes are."""
    export = _EXPORTS.get(file["mimeType"])
    return f"{file['name']}{export[1]}" if export else str(file["name"])
