"""Compose files, the Helm chart and the systemd unit: sound in themselves, and in step with the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from bot.cli import app
from bot.config import Settings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = sorted((ROOT / "deploy" / "compose").glob("*-*.yaml"))
CHART = ROOT / "deploy" / "helm" / "switchboard"
TEMPLATES = {file.name: file.read_text(encoding="utf-8") for file in sorted((CHART / "templates").iterdir())}
UNIT = (ROOT / "deploy" / "systemd" / "switchboard.service").read_text(encoding="utf-8")
DRAIN_SECONDS = 30
"""Answers get 20 seconds to be finished and jobs 10: whoever stops the process waits longer than that."""


def loaded(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def settings_of(model: Any, path: str = "SWITCHBOARD_") -> Iterator[str]:
    for name, info in model.model_fields.items():
        if hasattr(info.annotation, "model_fields"):
            yield from settings_of(info.annotation, f"{path}{name.upper()}__")
        else:
            yield path + name.upper()


def test_every_variable_that_is_set_somewhere_is_one_that_the_program_reads() -> None:
    known = {*settings_of(Settings), "SWITCHBOARD_CONFIG"}
    files = [
        *COMPOSE,
        ROOT / "deploy" / "docker" / "Dockerfile",
        *(CHART / "templates").iterdir(),
        CHART / "values.yaml",
    ]
    text = "\n".join([UNIT, *(file.read_text(encoding="utf-8") for file in files)])
    named = {name.removesuffix("_FILE") for name in re.findall(r"\bSWITCHBOARD_[A-Z_]+\b", text)}
    assert named
    assert sorted(named - known) == []


def test_every_command_that_a_container_runs_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    services = [each for file in COMPOSE for each in loaded(file)["services"].values()]
    run = {word for each in services if "entrypoint" not in each for word in each.get("command", [])}
    run |= set(re.findall(r"args: \[(\w+)\]", "".join(TEMPLATES.values())))
    assert {"migrate", "run", "work"} <= run <= commands


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.stem)
def test_containers_of_compose_may_do_no_more_than_they_need(file: Path) -> None:
    document = loaded(file)
    for name, service in document["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "ports" not in service, f"{name} is opened to no network of the host"
        assert ":" in service["image"], name
        for secret in service.get("secrets", []):
            assert secret in document["secrets"], name
        for config in service.get("configs", []):
            assert (file.parent / document["configs"][config["source"]]["file"]).is_file()
        for network in service["networks"]:
            assert network in document["networks"]
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] in {"service_healthy", "service_completed_successfully"}
            assert needed in document["services"]
    bot = document["services"]["bot"]
    assert int(bot["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS
    assert not any("TOKEN" in name and not name.endswith("_FILE") for name in bot["environment"])


def test_the_database_of_compose_is_reached_from_the_inside_alone() -> None:
    document = loaded(ROOT / "deploy" / "compose" / "all-parts.yaml")
    assert document["networks"]["inside"]["internal"]
    assert document["services"]["database"]["networks"] == ["inside"]
    assert document["services"]["chroma"]["networks"] == ["inside"]
    # What the bots are told is where it is.
    server = document["services"]["chroma"]
    port = server["command"][server["command"].index("--port") + 1]
    assert document["services"]["bot"]["environment"]["SWITCHBOARD_KNOWLEDGE__CHROMA"] == f"http://chroma:{port}"
    assert Path(sys.executable).with_name(server["entrypoint"][0]).is_file()
    assert "POSTGRES_PASSWORD" not in document["services"]["database"]["environment"]


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.stem)
def test_compose_itself_takes_the_file(file: Path) -> None:
    probe = ["docker", "compose", "version"]
    if shutil.which("docker") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not on this machine")
    done = subprocess.run(
        ["docker", "compose", "-f", str(file), "config", "-q"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_values_of_the_chart_fit_their_schema_and_a_mistyped_one_does_not() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = loaded(CHART / "values.yaml")
    jsonschema.validate(values, schema)
    for wrong in ({"replicas": 3}, {"bots": {"replica": 3}}, {"secretKeys": {"SLACK_BOT_TOKEN": "a b"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**values, **wrong}, schema)


def test_every_value_is_used_by_a_template_explained_and_told_in_the_readme() -> None:
    text = "\n".join(TEMPLATES.values())
    used = set(re.findall(r"\.Values\.([A-Za-z]+(?:\.[A-Za-z]+)*)", text))
    values = loaded(CHART / "values.yaml")
    there = {
        f"{name}.{inner}" if name in GROUPS else name
        for name, value in values.items()
        for inner in (value if name in GROUPS else [""])
    }
    assert used == there
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"(?m)^\| `([A-Za-z.]+)` \| `?([^|]*?)`? \|", readme))
    assert set(rows) == there
    for name in there:
        group, _, inner = name.partition(".")
        value = values[group][inner] if inner else values[group]
        told = value if isinstance(value, str) else json.dumps(value)
        if not isinstance(value, dict | list):
            assert rows[name] == told, name


GROUPS = {
    *("image", "bots", "workers", "migration", "http", "ingress", "networkPolicy", "podDisruptionBudget"),
    *("autoscaling", "chroma"),
}
"""Values that are groups of others; the rest is taken as it is."""


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_closes_what_it_opens_and_includes_what_there_is(name: str) -> None:
    text = TEMPLATES[name]
    opened = len(re.findall(r"{{-? (?:if|range|with|define) ", text))
    assert opened == len(re.findall(r"{{-? end -?}}", text))
    assert text.count("{{") == text.count("}}")
    defined = set(re.findall(r'define "([^"]+)"', TEMPLATES["_helpers.tpl"]))
    assert set(re.findall(r'include "([^"]+)"', text)) <= defined


def test_pods_of_the_chart_have_no_token_no_root_and_time_to_finish() -> None:
    values, helpers = loaded(CHART / "values.yaml"), TEMPLATES["_helpers.tpl"]
    for name in ("bots.yaml", "workers.yaml", "migration.yaml", "chroma.yaml"):
        assert "automountServiceAccountToken: false" in TEMPLATES[name]
        assert 'include "switchboard.containerSecurity"' in TEMPLATES[name]
        assert 'include "switchboard.podSecurity"' in TEMPLATES[name]
    for rule in (
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
    ):
        assert rule in helpers
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/healthz")):
        assert re.search(rf"{probe}:\s+httpGet:\s+path: {path}\s", TEMPLATES["bots.yaml"])
    assert values["terminationGracePeriodSeconds"] > DRAIN_SECONDS + 5, "five seconds go before, in HTTP mode"
    assert "pre-install,pre-upgrade" in TEMPLATES["migration.yaml"]
    assert not values["autoscaling"]["enabled"]
    assert values["autoscaling"]["metric"] == "switchboard_inbox_waiting"


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on this machine")
@pytest.mark.parametrize("parts", [(), ("http", "workers", "autoscaling", "chroma")])
def test_helm_takes_the_chart(parts: tuple[str, ...]) -> None:
    values = ["--set", ",".join(["existingSecret=switchboard", *(f"{part}.enabled=true" for part in parts)])]
    for command in (["helm", "lint", "--strict", str(CHART)], ["helm", "template", "team", str(CHART)]):
        done = subprocess.run([*command, *values], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_waits_for_the_drain_and_gives_secrets_to_the_service_alone() -> None:
    lines = [line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#")]
    rules = dict(lines)
    assert int(rules["TimeoutStopSec"]) > DRAIN_SECONDS
    assert (rules["DynamicUser"], rules["ProtectSystem"], rules["NoNewPrivileges"]) == ("yes", "strict", "yes")
    loaded_names = {value.partition(":")[0] for name, value in lines if name == "LoadCredential"}
    given = {value.partition("=%d/")[2] for name, value in lines if name == "Environment" and "=%d/" in value}
    assert loaded_names == given
    assert loaded_names


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "switchboard.service"
    unit.write_text(re.sub("(?m)^ExecStart=.*$", "ExecStart=/bin/true", UNIT), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "switchboard" in line]) == (0, [])
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    rated = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in rated.stderr:
        pytest.skip("this systemd cannot rate a unit that is not installed")
    assert rated.returncode == 0, rated.stdout
