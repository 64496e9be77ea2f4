"""How hostd starts and ends, and its embedded Redis with it."""

import os
import re
import signal
import socket
import time

import pytest

NO_REDIS = "--redis=unix:///nonexistent/redis.sock"


def test_embedded_redis_keeps_rooms(launcher):
    hostd = launcher.serve("-p", 0)
    _, answer = hostd.get("/api/get_room")
    redis = launcher.connect_to_redis()
    redis.sendall(f"HEXISTS room:{answer['roomId']} created_at\r\n".encode())
    assert redis.recv(16) == b":1\r\n"


def test_embedded_redis_listens_on_no_port_and_saves_nothing(launcher):
    launcher.serve("-p", 0)
    redis = launcher.connect_to_redis()
    for name, value in (("port", "0"), ("save", ""), ("appendonly", "no"),
                        ("maxmemory-policy", "noeviction")):
        redis.sendall(f"CONFIG GET {name}\r\n".encode())
        assert redis.recv(256).decode().split("\r\n")[4] == value


@pytest.mark.parametrize("arguments, least, most", [
    ([], 18000, 19000),
    (["--limits.connections=100"], 100, 1000),
    (["--limits.connections=100", "--workers=3"], 100, 1000),
    (["--limits.connections=1000000"], None, None),  # as many as it may have
])
def test_may_have_as_many_descriptors_as_its_connections_take(launcher, arguments, least, most):
    hostd = launcher.serve("-p", 0, *arguments)
    limits = open(f"/proc/{hostd.process.pid}/limits", encoding="ascii").read()
    soft, hard = map(int, re.search(r"^Max open files +(\d+) +(\d+)", limits, re.MULTILINE).groups())
    if least is None:
        assert soft == min(hard, 1000000 + 320)
    else:
        assert min(hard, least) < soft < most


@pytest.mark.parametrize("yes", ["true", "on"])
def test_starts_redis_however_it_is_said_that_the_rooms_are_on(launcher, yes):
    launcher.serve("-p", 0, "--signaling.enabled", yes)
    assert len(launcher.redis_directories()) == 1


def test_starts_no_redis_that_nobody_uses(launcher):
    launcher.serve("-p", 0, "--signaling.enabled=false")
    assert launcher.redis_directories() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_as_asked_and_redis_with_it(launcher, number):
    hostd = launcher.serve("-p", 0)
    redis = launcher.connect_to_redis()
    begun = time.monotonic()
    assert hostd.end(number) == (0, "")
    assert time.monotonic() - begun < 5
    assert redis.recv(1) == b""
    assert launcher.redis_directories() == []


def test_redis_does_not_survive_a_killed_hostd(launcher):
    hostd = launcher.serve("-p", 0)
    redis = launcher.connect_to_redis()
    hostd.process.kill()
    assert redis.recv(1) == b""


def test_ctrl_c_at_the_terminal_does_not_reach_redis(launcher):
    launcher.serve("-p", 0)
    redis = launcher.connect_to_redis()
    redis.sendall(b"INFO server\r\n")
    info = redis.recv(65536).decode()
    pid = int(info.split("process_id:")[1].split("\r\n")[0])
    assert os.getpgid(pid) == pid


def test_ends_when_its_redis_does(launcher):
    hostd = launcher.serve("-p", 0)
    launcher.connect_to_redis().sendall(b"SHUTDOWN NOSAVE\r\n")
    hostd.process.communicate(timeout=20)
    assert hostd.process.returncode == 1
    assert "redis-server has ended" in hostd.log()
    assert launcher.redis_directories() == []


def test_redis_server_is_not_installed(launcher):
    status, out, err = launcher.run("-p", 0, env={"PATH": "/nonexistent"})
    assert status == 1 and out == ""
    assert "redis-server is not installed" in err and "--redis.url" in err
    assert launcher.redis_directories() == []


def test_redis_server_ends_at_once(launcher):
    fake = launcher.directory / "redis-server"
    fake.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 1\n")
    fake.chmod(0o755)
    status, _, err = launcher.run(
        "-p", 0, env={"PATH": f"{launcher.directory}:{os.environ['PATH']}"})
    assert status == 1
    assert "out of luck" in err
    assert launcher.redis_directories() == []


def test_port_in_use(launcher):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, out, err = launcher.run("--host", "127.0.0.1", "-p", port)
    assert status == 1 and out == ""
    assert str(port) in err and "in use" in err
    assert launcher.redis_directories() == []


def test_a_foreign_address(launcher):
    status, _, err = launcher.run("--host", "192.0.2.1", "-p", 0, NO_REDIS)
    assert status == 1
    assert "192.0.2.1" in err
