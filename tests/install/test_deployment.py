"""Dockerfile, compose file, service and the commands of docs/deployment.md; no Docker engine is needed, nor used."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deployment.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
BOT, POSTGRES = COMPOSE["services"]["bot"], COMPOSE["services"]["postgres"]
EXAMPLE = (ROOT / ".env.example").read_text()
SECRET = re.compile(r"(KEY|SECRET|PASSWORD|TOKEN|CHAT_ID)$")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's (instruction, rest), continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
    found = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [(name.upper(), rest) for name, rest in found]


def pinned(package: str) -> str:
    """The version that pyproject.toml pins."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return next(re.split("==", line)[1] for line in wanted if re.match(rf"{package}(\[.*\])?==", line))


def example_variables() -> dict[str, str]:
    """Every variable of .env.example, those in comments included."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_the_image_is_freqtrades_own_of_the_version_that_we_need():
    bases = [rest for name, rest in instructions() if name == "FROM"]
    assert bases == [f"freqtradeorg/freqtrade:{pinned('freqtrade')}_freqai"]
    (torch,) = [rest for name, rest in instructions() if name == "RUN" and "torch==" in rest]
    assert f"torch=={pinned('torch')}" in torch
    assert "https://download.pytorch.org/whl/cpu" in torch


def test_the_image_runs_as_no_root_and_holds_no_secret():
    users = [rest for name, rest in instructions() if name == "USER"]
    assert users == ["ftuser"]
    assert {name for name, _ in instructions()} <= {
        "FROM",
        "USER",
        "WORKDIR",
        "RUN",
        "COPY",
    }  # no ENV, ARG, ADD
    assert not re.search(r"FREQTRADE__|\.env|user_data/", " ".join(rest for _, rest in instructions()))


def test_all_that_is_copied_exists_and_reaches_the_build():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for name, rest in instructions():
        if name == "COPY":
            copied |= {word for word in rest.split()[:-1] if not word.startswith("--")}
    assert all((ROOT / name).exists() for name in copied)
    assert copied == sent
    assert {"strategies", "freqai_models", "hyperopts", "protections", "setup.py", "config.json"} <= copied


def test_the_bot_is_reached_from_this_host_alone_and_keeps_its_files():
    assert BOT["ports"] == ["127.0.0.1:${API_PORT:-8080}:8080"]
    assert BOT["volumes"] == ["./user_data:/freqtrade/user_data"]
    assert BOT["environment"]["FREQTRADE__DB_URL"].endswith("sqlite:////freqtrade/user_data/tradesv3.sqlite}")
    assert BOT["restart"] == "unless-stopped"
    configs = [BOT["command"][i + 1] for i, word in enumerate(BOT["command"]) if word == "--config"]
    assert (BOT["command"][0], configs) == ("trade", ["user_data/config.json", "user_data/coordinator.json"])
    assert (BOT["stop_signal"], BOT["stop_grace_period"]) == ("SIGINT", "10m")
    assert "/api/v1/ping" in BOT["healthcheck"]["test"][-1]
    compile(BOT["healthcheck"]["test"][-1], "healthcheck", "exec")
    assert "ports" not in POSTGRES


def test_postgresql_is_an_option_with_two_databases():
    assert POSTGRES["profiles"] == ["postgresql"]
    assert BOT["depends_on"] == {"postgres": {"condition": "service_healthy", "required": False}}
    assert "profiles" not in BOT
    scripts = [volume.split(":")[0] for volume in POSTGRES["volumes"] if "initdb.d" in volume]
    assert [ROOT / script for script in scripts] == [ROOT / "deploy" / "create-ledger.sql"]
    assert "CREATE DATABASE ledger;" in (ROOT / scripts[0]).read_text()
    urls = {name: url.rsplit("/", 1) for name, url in example_variables().items() if name.endswith("_DB_URL")}
    assert urls["TRADES_DB_URL"][1] == POSTGRES["environment"]["POSTGRES_DB"] == "trades"
    assert urls["LEDGER_DB_URL"][1] == "ledger"
    assert all(server.startswith("postgresql+psycopg://freqtrade:${") for server, _ in urls.values())
    assert BOT["environment"]["COORDINATOR_LEDGER_URL"] == "${LEDGER_DB_URL:-}"
    assert "postgres:/var/lib/postgresql" in POSTGRES["volumes"]
    assert POSTGRES["healthcheck"]["test"] == ["CMD", "pg_isready", "-U", "freqtrade", "-d", "ledger"]
    assert any('".[postgresql]"' in rest for name, rest in instructions() if name == "RUN")


def test_secrets_are_in_no_tracked_file():
    assert BOT["env_file"] == ".env"
    for service in (BOT, POSTGRES):
        for name, value in service["environment"].items():
            assert not SECRET.search(name) or re.fullmatch(r"\$\{[A-Z_]+:-\}", value), name
    filled = {name for name, value in example_variables().items() if SECRET.search(name) and value}
    assert filled == set()
    named = re.findall(r'"(\w+)": "([^"]*)"', (ROOT / "config.json").read_text())
    secrets = {name: value for name, value in named if SECRET.search(name.upper())}
    assert {"key", "secret", "password", "token", "chat_id"} <= set(secrets)
    assert set(secrets.values()) == {""}
    ignored = subprocess.run(["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, text=True)
    assert ignored.stdout.strip() == ".env"


def test_freqtrade_reads_every_variable_of_the_example_and_of_the_compose_file(
    user_data, own_config, coordinator, tmp_path
):
    """A config without the sections that the environment brings, shown by Freqtrade with all of them in place."""
    coordinator("init", user_data, "--yes")
    config = json.loads(own_config.read_text())
    own_config.write_text(
        json.dumps({name: config[name] for name in config if name not in {"api_server", "telegram"}})
    )
    values = {name: "k" * 40 for name in example_variables() if name.startswith("FREQTRADE__")}
    values |= {
        "FREQTRADE__DRY_RUN": "true",
        "FREQTRADE__TELEGRAM__ENABLED": "true",
        "FREQTRADE__TELEGRAM__CHAT_ID": "12",
    }
    values |= {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in BOT["environment"].items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FREQTRADE__")}
    command = [
        sys.executable,
        "-m",
        "freqtrade",
        "show-config",
        "--show-sensitive",
        "--userdir",
        str(user_data),
    ]
    for path in (own_config, user_data / "coordinator.json"):
        command += ["-c", str(path)]
    done = subprocess.run(
        command, cwd=tmp_path, env={**environment, **values}, capture_output=True, text=True, timeout=120
    )
    assert " - ERROR - " not in done.stderr, done.stderr[-2000:]
    shown = json.loads(done.stdout[done.stdout.index("{") : done.stdout.rindex("}") + 1])
    for name, value in values.items():
        found = shown
        if name.startswith("FREQTRADE__"):
            for part in name.lower().split("__")[1:]:
                found = found[part]
            assert str(found).lower() == value.lower(), name


def bash(heading: str) -> str:
    """The script under a heading of the page."""
    return PAGE.split(f"## {heading}\n")[1].split("```bash\n")[1].split("```")[0]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 command is not installed")
def test_a_backup_of_a_running_bot_comes_back_as_it_was(user_data, tmp_path):
    assert all(len(bash(heading).splitlines()) <= 5 for heading in ("Backup", "Restore"))
    databases = [user_data / name for name in ("tradesv3.sqlite", "coordinator.ledger.sqlite")]
    open_ones = []
    for path in databases:
        connection = sqlite3.connect(path)
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table t (x)")
        connection.execute("insert into t values ('before')")
        connection.commit()  # stands in the write-ahead log only, as the connection stays open
        open_ones.append(connection)
    model = user_data / "models" / "coordinator" / "model.json"
    model.parent.mkdir(parents=True)
    model.write_text("{}")
    own = user_data / "config.json"
    own.write_text("{}")
    script = bash("Backup") + 'echo "$B"\n'
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    for connection in open_ones:
        connection.execute("insert into t values ('after')")
        connection.commit()
    model.unlink()
    own.unlink()
    crashed = [
        (path.with_name(path.name + "-wal"), path.with_name(path.name + "-wal").read_bytes())
        for path in databases
    ]
    for connection in open_ones:
        connection.close()
    for wal, content in crashed:
        wal.write_bytes(content)  # what a killed bot leaves
    environment = {**os.environ, "B": done.stdout.split()[-1]}
    subprocess.run(["bash", "-euc", bash("Restore")], cwd=tmp_path, env=environment, check=True)
    for path in databases:
        assert sqlite3.connect(path).execute("select x from t").fetchall() == [("before",)]
    assert model.read_text() == own.read_text() == "{}"
    archive = tmp_path / environment["B"] / "user_data.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-1])
    spoilt = subprocess.run(["bash", "-euc", bash("Restore")], cwd=tmp_path, env=environment)
    assert spoilt.returncode != 0
    assert databases[0].exists()  # nothing is removed for a backup that is not whole


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 command is not installed")
def test_a_backup_of_a_database_that_is_elsewhere_is_an_error_and_no_empty_file(user_data, tmp_path):
    done = subprocess.run(["bash", "-euc", bash("Backup")], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "unable to open database" in done.stderr
    assert not (user_data / "tradesv3.sqlite").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_service_is_one_that_systemd_takes(tmp_path):
    unit = (ROOT / "deploy" / "coordinator-bot.service").read_text()
    assert "KillSignal=SIGINT\nTimeoutStopSec=600\nRestart=on-failure\n" in unit
    assert "--config user_data/config.json --config user_data/coordinator.json" in unit
    assert "EnvironmentFile=/etc/coordinator/bot.env" in unit
    assert (
        "--db-url sqlite:////home/trader/bot/user_data/" in unit
    )  # else in the working directory, which is read-only
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE).group(1)
    path = tmp_path / "coordinator-bot.service"
    path.write_text(unit.replace(program, sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == ""


def test_the_pages_links_lead_somewhere():
    for name in ("deployment", "exchange-binance", "exchange-kraken", "exchange-okx"):
        text = (ROOT / "docs" / f"{name}.md").read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / "docs" / target).exists(), target
        for path in re.findall(r"`((?:deploy|tests|docs)/[\w./-]+)`", text):
            assert (ROOT / path).exists(), path
