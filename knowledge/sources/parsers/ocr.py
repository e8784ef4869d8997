"""Pages of a scanned PDF as text: drawn by pypdfium2 (the extra "ocr"), read by the program tesseract."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec

from knowledge.errors import DocumentUnreadable

DOTS_AN_INCH = 200  # what tesseract's own guide asks for is 300; on clean scans 200 reads as well in half the time
MOST_PAGES = 200
SECONDS_A_PAGE = 60
_PROGRAM = "tesseract"
_MOST_LANGUAGES = 4  # each slows every page down


def is_installed() -> bool:
    """Whether scans can be read on this machine."""
    return find_spec("pypdfium2") is not None and shutil.which(_PROGRAM) is not None


def pages(data: bytes, name: str) -> list[str]:
    """The text of each page, up to 200 of them. Blocks for about a second a page. Raises DocumentUnreadable."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise DocumentUnreadable(f"{name} is a broken PDF ({error}). Save it anew.") from error
    try:
        if len(document) > MOST_PAGES:
            raise DocumentUnreadable(
                f"{name} is a scan of {len(document):,} pages; up to {MOST_PAGES} are read. Split it."
            )
        return [_text(document[number], f"page {number + 1} of {name}") for number in range(len(document))]
    finally:
        document.close()


def _text(page: object, where: str) -> str:
    picture = io.BytesIO()
    page.render(scale=DOTS_AN_INCH / 72).to_pil().convert("L").save(picture, "PNG")  # type: ignore[attr-defined]
    program = shutil.which(_PROGRAM) or _PROGRAM
    command = [program, "-", "-", "-l", _languages(), "--dpi", str(DOTS_AN_INCH)]
    try:
        quiet = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # the embedding model wants the cores too
        done = subprocess.run(  # noqa: S603 - a fixed program, and the picture by its standard input
            command,
            input=picture.getvalue(),
            capture_output=True,
            timeout=SECONDS_A_PAGE,
            env=quiet,
        )
    except subprocess.TimeoutExpired:
        raise DocumentUnreadable(f"{where} was not read within {SECONDS_A_PAGE} seconds. Scan it anew.") from None
    if done.returncode != 0:
        raise DocumentUnreadable(f"tesseract could not read {where}. Run it on the file by hand to see why.")
    return done.stdout.decode("utf-8", "replace")


@cache
def _languages() -> str:
    """Those that are installed, English first."""
    program = shutil.which(_PROGRAM) or _PROGRAM
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=10)  # noqa: S603
    there = [line.strip() for line in listed.stdout.splitlines()[1:]]
    names = [name for name in there if name and name != "osd" and "/" not in name]
    chosen = sorted(names, key=lambda name: (name != "eng", name))[:_MOST_LANGUAGES]
    return "+".join(chosen) or "eng"
