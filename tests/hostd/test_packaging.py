"""What packaging/ sets up is what hostd takes."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import DEADLINE

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


@pytest.fixture
def services():
    return yaml.safe_load((PACKAGING / "docker/compose.yaml").read_text())["services"]


def test_the_environment_of_the_compose_file(launcher, services):
    environment = {name: filled_in(value) for name, value in services["backend"]["environment"].items()}
    status, out, err = launcher.run("--print-config", env=environment)
    assert (status, err) == (0, "")
    assert 'redis.url = "redis://redis:6379"' in out
    assert "turn:localhost:3478" in out
    assert f"--static-auth-secret={environment['SIGNALBOX_TURN_SECRET']}" in map(
        filled_in, services["coturn"]["command"])


@pytest.fixture
def coturn(launcher, services, free_port):
    """The port of a real one with the command of the compose file, at loopback alone."""
    command = ["turnserver", "-n", *map(filled_in, services["coturn"]["command"]),
               "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={free_port}",
               f"--pidfile={launcher.directory}/pid", f"--userdb={launcher.directory}/users"]
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        told = ""
        for line in process.stdout:
            told += line
            if "Total General servers" in line:
                break
        assert process.poll() is None, told
        assert "Bad configuration" not in told and "nrecognized" not in told, told
        yield free_port
        process.kill()


@pytest.mark.parametrize("peer", ["10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254",
                                  "172.17.0.2", "192.168.1.1"])
def test_the_turn_server_of_the_compose_file_does_not_lead_inside(coturn, peer):
    client = subprocess.run(
        ["turnutils_uclient", "-W", TOLD["TURN_SECRET"], "-u", "somebody", "-p", str(coturn),
         "-e", peer, "-n", "1", "-m", "1", "-c", "-v", "127.0.0.1"],
        capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert "Received relay addr" in client.stdout
    assert "error 403 (Forbidden IP)" in client.stdout


@pytest.mark.parametrize("variables", [["BACKEND_PORT"], ["SIGNALBOX_LISTEN_PORT", "BACKEND_PORT"]])
def test_the_image_asks_the_port_of_the_environment_for_its_health(launcher, free_port, variables):
    dockerfile = (PACKAGING / "docker/Dockerfile").read_text()
    (check,) = re.findall(r"^HEALTHCHECK .*\\\n +CMD (.*)$", dockerfile, re.MULTILINE)
    # The first goes before the others, in which nobody listens.
    env = {name: "1" for name in variables} | {variables[0]: str(free_port)}
    launcher.serve("--redis=unix:///nonexistent/redis.sock", env=env)
    asked = subprocess.run(["sh", "-c", check], env=launcher.environment | env, capture_output=True,
                           text=True, timeout=DEADLINE, check=False)
    assert asked.returncode == 0, asked.stderr
    assert '"status":"healthy"' in asked.stdout


def test_the_page_about_the_file_names_the_options_that_the_library_has_not():
    table = (PACKAGING / "docs/options.md").read_text()
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    own = [row[0].strip("| `") for row in rows if row[8].strip() == ""]
    assert len(own) > 3
    page = (PACKAGING.parent / "hostd/hostd.toml.5").read_text()
    for name in own:
        assert re.search(rf"^\.Li {re.escape(name)}( ,| \.|$)", page, re.MULTILINE), name


def test_the_file_of_the_service(launcher):
    status, _, err = launcher.run("--check-config", "--config", PACKAGING / "debian/hostd.toml")
    assert (status, err) == (0, "")
