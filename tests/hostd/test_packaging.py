"""What packaging/ sets up is what hostd takes."""

import re
from pathlib import Path

import yaml

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
# What compose.yaml wants to be told.
TOLD = {"TURN_SECRET": "a secret"}


def filled_in(value):
    """With variables as docker compose replaces them: ${NAME}, ${NAME:-default}, ${NAME:?why}."""
    def variable(match):
        name, kind, text = match.groups()
        if kind == "?":
            assert name in TOLD
        return TOLD.get(name, text or "")

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", variable, value)


def test_the_environment_of_the_compose_file(launcher):
    services = yaml.safe_load((PACKAGING / "docker/compose.yaml").read_text())["services"]
    environment = {name: filled_in(value) for name, value in services["backend"]["environment"].items()}
    status, out, err = launcher.run("--print-config", env=environment)
    assert (status, err) == (0, "")
    assert 'redis.url = "redis://redis:6379"' in out
    assert "turn:localhost:3478" in out
    assert f"--static-auth-secret={environment['SIGNALBOX_TURN_SECRET']}" in map(
        filled_in, services["coturn"]["command"])


def test_the_file_of_the_service(launcher):
    status, _, err = launcher.run("--check-config", "--config", PACKAGING / "debian/hostd.toml")
    assert (status, err) == (0, "")
