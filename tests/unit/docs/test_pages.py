"""What the pages show is there: links, headings, commands, settings in TOML."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bot.cli import app
from bot.config import load_settings
from bot.models.catalogue import load_catalogue

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
COMMAND = get_command(app)

on_every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks of code in one language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What links to the page's headings end with, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@on_every_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} leads to no file"
        assert not heading or heading in anchors(file), f"{target} leads to no heading"


@on_every_page
def test_every_switchboard_command_that_is_shown_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for shown in re.findall(r"`(?:\.venv/bin/)?switchboard((?: [^`\n]*)?)`", text):
        check_command(shown.split())


def check_command(words: list[str]) -> None:
    """Follows the words through the program's commands and looks up the options."""
    command = COMMAND
    for word in words:
        if word.startswith("--"):
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert word in known, f"`switchboard {' '.join(words)}` has no option {word}"
        elif isinstance(command, TyperGroup):
            assert word in command.commands, f"there is no command `switchboard {' '.join(words)}`"
            command = command.commands[word]


@on_every_page
def test_every_block_of_toml_can_be_used(page: Path, tmp_path: Path) -> None:
    settings: list[str] = []
    cards: list[str] = []
    for block in blocks(page, "toml"):
        (cards if set(tomllib.loads(block)) <= {"models", "providers"} and "[[" in block else settings).append(block)
    for block in settings:
        file = tmp_path / "switchboard.toml"
        file.write_text(block, encoding="utf-8")
        load_settings(file)
    if cards:
        file = tmp_path / "cards.toml"
        file.write_text("\n".join(cards), encoding="utf-8")
        shown = re.findall(r'(?m)^\[\[models\]\]\nname = "(.+)"$', "\n".join(cards))
        catalogue = load_catalogue(file)
        assert [catalogue.get(name).name for name in shown] == shown


@on_every_page
def test_every_block_of_json_parses(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: str(page.name))
def test_every_heading_is_answered_by_a_sentence_right_below_it(page: Path) -> None:
    # The offline model quotes that sentence.
    for section in re.split(r"(?m)^## ", prose(page))[1:]:
        heading, first, *_ = [line for line in section.splitlines() if line.strip()] + [""]
        assert re.match(r"[\w`/“\"]", first), f"“{heading}” begins with no sentence"
        assert re.search(r"[.:](\s|$)", first), f"“{heading}” begins with no whole sentence"


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: str(page.name))
def test_a_page_stays_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 150


def test_the_page_on_models_names_the_key_of_every_provider() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    for provider in load_catalogue().providers.values():
        if provider.api_key_env:
            assert f"| `{provider.api_key_env}` | {provider.keys_at} |" in text


def test_the_page_on_the_command_line_names_every_command() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert isinstance(COMMAND, TyperGroup)
    for name, command in COMMAND.commands.items():
        assert f"`switchboard {name}" in text
        for sub in command.commands if isinstance(command, TyperGroup) else ():
            assert f"`switchboard {name} {sub}" in text


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    proofs = (ROOT / "tests" / "proofs").glob("prove_*.py")
    targets |= {proof.stem.replace("_", "-") for proof in proofs}
    for page in PAGES:
        shown = re.findall(r"(?m)(?:`| {4})(?:[A-Z_]+=\S+ )*make ([a-z-]+)", page.read_text(encoding="utf-8"))
        assert set(shown) <= targets, page


def test_the_page_for_askers_names_the_slash_commands_of_the_manifest() -> None:
    manifest = json.loads((ROOT / "deploy/slack/manifest.json").read_text(encoding="utf-8"))
    commands = {entry["command"] for entry in manifest["features"]["slash_commands"]}
    text = (ROOT / "docs/asking.md").read_text(encoding="utf-8")
    section = text.split("## Which commands are there?")[1].split("\n## ")[0]
    assert set(re.findall(r"`(/[a-z]+)`", section)) == commands


def test_the_page_on_architecture_shows_the_layers_that_the_linter_holds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert "\n".join([*layers, ""]) in blocks(ROOT / "docs/architecture.md", "text")
