"""Which repositories may be named, what a person's words mean, and how files are linked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from knowledge.sources.git import KIND, GitOptions
from knowledge.sources.git.links import links_for
from knowledge.sources.kinds import explained

REFUSED = [
    ("ext::sh -c 'touch /tmp/x'", "no address of a repository"),
    ("--upload-pack=touch x", "no address of a repository"),
    ("", "no address of a repository"),
    ("https://git.example.org/a\nb", "no address of a repository"),
    ("ftp://git.example.org/a", "the transport ftp:// is not used"),
    ("git://git.example.org/a", "the transport git:// is not used"),
    ("https://maya:hunter2@git.example.org/a", "name the variable that holds it with token_env"),
    ("ssh://-oProxyCommand=x/a", "it names no host"),
    ("https:///a", "it names no host"),
]


@pytest.mark.parametrize(("url", "why"), REFUSED)
def test_an_address_that_is_refused_says_why_without_its_value(url: str, why: str) -> None:
    with pytest.raises(ValidationError) as failure:
        GitOptions(url=url)
    sentence = explained(failure.value)
    assert why in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/team/app.git",
        "ssh://git@git.example.org:2222/team/app",
        "git@github.com:team/app.git",
        "forge:team/app",
        "file:///srv/git/app.git",
        "/srv/git/app.git",
    ],
)
def test_an_address_that_git_knows_is_kept_as_it_is(url: str) -> None:
    assert GitOptions(url=url).url == url


def test_a_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/maya")
    assert GitOptions(url="app").url == f"{tmp_path}/app"
    assert GitOptions(url="~/app").url == "/home/maya/app"


@pytest.mark.parametrize("branch", ["", "-f", "a b", "a..b", "main:x", "a~1", "@{u}", "x.lock", "refs/*", "/a", "a/"])
def test_a_name_that_is_no_branch_is_refused(branch: str) -> None:
    with pytest.raises(ValidationError, match="no name of a branch or tag"):
        GitOptions(url="/srv/app", branch=branch)


def test_a_folder_outside_is_refused_and_slashes_do_not_matter() -> None:
    with pytest.raises(ValidationError, match="leads out of the repository"):
        GitOptions(url="/srv/app", folder="docs/../../etc")
    assert GitOptions(url="/srv/app", folder="/docs/guide/").folder == "docs/guide"
    assert GitOptions(url="/srv/app", folder="/").folder is None


@pytest.mark.parametrize("url", ["http://git.example.org/a", "git@github.com:a/b.git", "/srv/app"])
def test_a_token_is_not_sent_where_others_could_see_it(url: str) -> None:
    with pytest.raises(ValidationError, match="only sent over https"):
        GitOptions(url=url, token_env="FORGE_TOKEN")


LINKS = [
    ("https://github.com/team/app.git", "https://github.com/team/app/blob/main/docs/a%20b.md", "?plain=1#L{line}"),
    ("git@github.com:team/app.git", "https://github.com/team/app/blob/main/docs/a%20b.md", "?plain=1#L{line}"),
    ("https://token@github.com/team/app", "https://github.com/team/app/blob/main/docs/a%20b.md", "?plain=1#L{line}"),
    ("https://gitlab.com/g/s/p.git", "https://gitlab.com/g/s/p/-/blob/main/docs/a%20b.md", "?plain=1#L{line}"),
    ("ssh://git@gitlab.lan:2222/g/p", "https://gitlab.lan/g/p/-/blob/main/docs/a%20b.md", "?plain=1#L{line}"),
    ("https://bitbucket.org/t/r", "https://bitbucket.org/t/r/src/main/docs/a%20b.md", "#lines-{line}"),
    ("https://codeberg.org/t/r", "https://codeberg.org/t/r/src/branch/main/docs/a%20b.md", "?display=source#L{line}"),
    ("http://gitea.lan:3000/t/r", "http://gitea.lan:3000/t/r/src/branch/main/docs/a%20b.md", "?display=source#L{line}"),
    ("https://github.com/team/app.wiki.git", "https://github.com/team/app/wiki/a%20b", None),
    ("https://gitlab.com/g/p.wiki.git", "https://gitlab.com/g/p/-/wikis/a%20b", None),
    ("https://git.example.org/t/r", None, None),
    ("/srv/git/github.com/r", None, None),
    ("file:///srv/github/r", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("url", "link", "anchor"), LINKS)
def test_a_file_is_linked_to_as_its_forge_shows_it(url: str, link: str | None, anchor: str | None) -> None:
    links = links_for(url, "main", None)
    assert links.url(b"docs/a b.md") == link
    assert links.anchor("docs/a b.md") == anchor


def test_a_file_that_is_not_rendered_is_linked_to_by_its_line_alone() -> None:
    assert links_for("https://github.com/team/app", "main", None).anchor("notes.txt") == "#L{line}"


def test_a_branch_with_a_hash_does_not_break_the_link() -> None:
    links = links_for("https://github.com/team/app", "fix/#12", None)
    assert links.url(b"a.md") == "https://github.com/team/app/blob/fix/%2312/a.md"


@pytest.mark.parametrize(
    ("base", "anchor"),
    [
        ("https://git.example.org/t/r/-/blob/main/", "?plain=1#L{line}"),
        ("https://git.example.org/t/r/src/branch/main", "?display=source#L{line}"),
        ("https://git.example.org/t/r/blob/main", "?plain=1#L{line}"),
        ("https://docs.example.org/r", None),
    ],
)
def test_a_base_for_links_wins_over_the_forge(base: str, anchor: str | None) -> None:
    links = links_for("https://github.com/team/app", "main", base)
    assert links.url(b"a.md") == f"{base.rstrip('/')}/a.md"
    assert links.anchor("a.md") == anchor


RECOGNISED = [
    ("https://github.com/team/app", {"url": "https://github.com/team/app.git"}),
    ("https://github.com/team/app.git", {"url": "https://github.com/team/app.git"}),
    ("https://github.com/team/app/tree/main/docs/guide",
     {"url": "https://github.com/team/app.git", "branch": "main", "folder": "docs/guide"}),
    ("https://gitlab.com/g/s/p/-/tree/main", {"url": "https://gitlab.com/g/s/p.git", "branch": "main"}),
    ("https://codeberg.org/t/r/src/branch/main/docs",
     {"url": "https://codeberg.org/t/r.git", "branch": "main", "folder": "docs"}),
    ("https://git.example.org/t/r.git", {"url": "https://git.example.org/t/r.git"}),
    ("git@git.example.org:t/r.git", {"url": "git@git.example.org:t/r.git"}),
    ("ssh://git@git.example.org/t/r", {"url": "ssh://git@git.example.org/t/r"}),
    ("https://github.com/team/app/issues", None),
    ("https://github.com/team", None),
    ("https://gitlab.com/g/p/-/issues", None),
    ("https://www.example.org/handbook", None),
    ("ext::sh -c x.git", None),
    ("what is this: a question", None),
    ("#general", None),
    ("/etc", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options"), RECOGNISED)
def test_what_a_person_wrote_is_recognised_only_where_it_is_a_repository(
    text: str, options: dict[str, object] | None
) -> None:
    assert KIND.recognise(text) == options


def test_a_path_is_recognised_where_a_repository_is(tmp_path: Path) -> None:
    assert KIND.recognise(str(tmp_path)) is None
    (tmp_path / ".git").mkdir()
    assert KIND.recognise(str(tmp_path)) == {"url": str(tmp_path)}
