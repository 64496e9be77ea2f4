"""Fixtures that give a test a server of its own, on a free port, with its own Redis.

    pytest_plugins = ["signalbox.pytest_plugin"]

    def test_hello(signalbox_engine):
        @signalbox_engine.on("hello")
        def hello(socket): ...

A module or a class chooses options by a fixture of its own:

    @pytest.fixture
    def signalbox_options():
        return {"limits_room_size": 2}
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator, Mapping

import pytest

from .engine import Engine
from .options import OptionValue


@pytest.fixture
def signalbox_options() -> Mapping[str, OptionValue]:
    """The options of signalbox_engine, beside its address and its Redis."""
    return {}


@pytest.fixture
def signalbox_redis_url() -> Iterator[str]:
    """The URL of a Redis that begins empty and ends with the test."""
    directory = Path(tempfile.mkdtemp(prefix="signalbox-"))  # short, as the path of a socket must be
    command = ["redis-server", "--port", "0", "--unixsocket", str(directory / "redis.sock"),
               "--dir", str(directory), "--save", "", "--appendonly", "no"]
    if shutil.which("setpriv"):  # then it ends also when the test process is killed
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True) as redis:
            try:
                output = iter(redis.stdout or ())
                if not any("ready to accept" in line.lower() for line in output):
                    pytest.fail("redis-server does not start")
                yield f"unix://{directory}/redis.sock"
            finally:
                redis.kill()
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def signalbox_engine(signalbox_redis_url: str,
                     signalbox_options: Mapping[str, OptionValue]) -> Iterator[Engine]:
    """An engine that serves on 127.0.0.1. Handlers may be given to it while it does."""
    options: dict[str, OptionValue] = {"redis_url": signalbox_redis_url, **signalbox_options}
    with Engine(0, "127.0.0.1", **options) as engine:  # type: ignore[arg-type]
        yield engine
