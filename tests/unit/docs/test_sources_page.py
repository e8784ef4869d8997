"""docs/sources.md shows every kind of source with all its options, and its examples are taken as they stand."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.config import load_settings
from knowledge.sources.kinds import SourceSpec, kinds

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sources.md").read_text("utf-8")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
ROWS = {
    kind: (example, extra, secret)
    for kind, example, extra, secret in re.findall(r"(?m)^\| `(\w+)` \| `(.+?)` \| (.*?) ?\| (.*?) ?\|$", PAGE)
}
SECTIONS = re.split(r"(?m)^## ", PAGE)[1:]

of_every_kind = pytest.mark.parametrize("kind", sorted(kinds()))


def examples(tmp_path: Path) -> list[SourceSpec]:
    """The page's sources as the configuration takes them."""
    file = tmp_path / "switchboard.toml"
    file.write_text("\n".join(re.findall(r"(?ms)^```toml\n(.*?)^```$", PAGE)), "utf-8")
    return [source.spec for source in load_settings(file).knowledge.sources]


def section(kind: str) -> str:
    """What the page says where it shows the kind."""
    return next(part for part in SECTIONS if f'kind = "{kind}"' in part)


def test_every_kind_has_an_example_that_the_configuration_takes(tmp_path: Path) -> None:
    assert {spec.kind for spec in examples(tmp_path)} == set(kinds())


def test_the_examples_of_the_page_stand_side_by_side(tmp_path: Path) -> None:
    names = [spec.name for spec in examples(tmp_path)]
    assert len(names) == len(set(names))


@of_every_kind
def test_every_option_of_a_kind_is_explained_where_the_kind_is(kind: str) -> None:
    text = section(kind)
    missing = [name for name in kinds()[kind].options.model_fields if not re.search(rf"(?m)`{name}\b|^{name} = ", text)]
    assert missing == []


@of_every_kind
def test_the_page_states_the_true_default_of_an_option(kind: str) -> None:
    text = section(kind)
    for name, info in kinds()[kind].options.model_fields.items():
        if info.is_required() or info.default in (None, "", False):
            continue
        written = str(info.default).lower() if isinstance(info.default, bool) else str(info.default)
        stated = [told for told in re.findall(rf"`{name}` \(([^)]*)\)", text) if written in told]
        assert stated or re.search(rf"(?m)^{name} = {re.escape(written)}$", text), f"{name} of {kind} is {written}"


@of_every_kind
def test_what_a_person_types_is_understood_by_the_kind(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ROWS[kind][0]
    if typed.startswith("/"):  # a path is understood where it leads to something
        place = tmp_path / Path(typed).name
        place.touch() if place.suffix else place.mkdir()
        typed = str(place)
    options = kinds()[kind].recognise(typed)
    assert options is not None
    kinds()[kind].options.model_validate(options)


@of_every_kind
def test_the_table_names_the_extra_and_the_secret_of_a_kind(kind: str) -> None:
    _, extra, secret = ROWS[kind]
    assert extra == (f"`{kind}`" if kind in EXTRAS else "")
    fields = kinds()[kind].options.model_fields
    variables = [info.default for name, info in fields.items() if name in ("token_env", "credentials_env")]
    wanted = "" if not variables else f"`{variables[0]}`" if variables[0] else "the one in `token_env`"
    assert secret == wanted


@pytest.mark.parametrize("extra", sorted({*kinds(), "ocr"} & EXTRAS.keys()))
def test_the_page_names_the_libraries_of_an_extra(extra: str) -> None:
    libraries = " ".join(re.split(r"[<>=\[]", needed)[0] for needed in EXTRAS[extra])
    assert f"`{libraries}` for {extra}" in PAGE
