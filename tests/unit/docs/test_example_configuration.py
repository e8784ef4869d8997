"""switchboard.example.toml and docs/configuration.md explain every setting, and at its true default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.config import Explained, Folder, Settings, explain, load_settings

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "switchboard.example.toml"
DEFAULTS = Settings()
KEYS = [row.key for row in explain(DEFAULTS)] + [f"knowledge.folders.{name}" for name in Folder.model_fields]


def uncommented(text: str) -> str:
    """The example with every setting switched on: "#" without a space begins a setting, "# " an explanation."""
    return re.sub(r"(?m)^#(?=[^ \n])", "", text)


def test_the_example_with_every_setting_switched_on_is_what_the_program_does_without_it(tmp_path: Path) -> None:
    file = tmp_path / "switchboard.toml"
    text = uncommented(EXAMPLE.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    assert len(tomllib.loads(text)["knowledge"]["folders"]) == 1  # the settings were indeed switched on
    assert load_settings(file).model_dump() == DEFAULTS.model_dump()


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_bytes(EXAMPLE.read_bytes())
    assert load_settings(file).model_dump() == DEFAULTS.model_dump()


@pytest.mark.parametrize("key", KEYS)
def test_the_example_explains_every_setting(key: str) -> None:
    section, _, name = key.rpartition(".")
    text = EXAMPLE.read_text(encoding="utf-8")
    if section:
        start = re.search(rf"(?m)^#?\[\[?{re.escape(section)}\]\]?$", text)
        assert start, f"the example has no [{section}]"
        text = text[start.end() :]
    text = text.split("\n[")[0]
    assert re.search(rf"(?m)^#( ?{name} = |\[\[{re.escape(key)}\]\]$)", text), key


@pytest.mark.parametrize("key", KEYS)
def test_the_page_on_configuration_names_every_setting(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", explain(DEFAULTS), ids=lambda row: str(row.key))
def test_the_page_on_configuration_states_the_true_default(row: Explained) -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    stated = re.search(rf"`{re.escape(row.key)}` \(default (.+?)\)", text)
    assert stated, f"docs/configuration.md does not say the default of {row.key}"
    assert stated[1].split("`")[1] == row.value if row.value else stated[1] in {"none", "empty"}


def test_no_page_names_an_environment_variable_that_sets_nothing() -> None:
    known = {
        "SWITCHBOARD_CONFIG",
        "SWITCHBOARD_KEYS",
        "SWITCHBOARD_KEYS_FILE",
        *("SWITCHBOARD_" + key.replace(".", "__").upper() for key in KEYS),
    }
    for page in [ROOT / "README.md", EXAMPLE, *ROOT.glob("docs/**/*.md")]:
        named = re.findall(r"SWITCHBOARD_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))
        assert set(named) <= known, page
