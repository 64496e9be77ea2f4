import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

HOSTD = os.environ.get("HOSTD", str(Path(__file__).resolve().parents[2] / "build/hostd/hostd"))
BACKEND_VARIABLES = {"BACKEND_PORT", "REDIS_HOST", "REDIS_PORT", "CORS_ORIGIN", "NODE_ENV",
                     "DISABLE_JOIN_RATE_LIMIT"}
DEADLINE = 20  # seconds; a sanitizer is slow. Nothing waits so long unless it is broken.


class Hostd:
    """A hostd that listens."""

    def __init__(self, process, error_file):
        self.process = process
        self.error_file = error_file
        line = process.stdout.readline()
        match = re.fullmatch(r"signalbox listening on (https?://\S+:(\d+))\n", line)
        assert match, f"{line!r} {self.log()}"
        self.url = match.group(1)
        self.port = int(match.group(2))

    def log(self):
        return Path(self.error_file).read_text()

    def get(self, path, headers=None, method="GET"):
        connection = http.client.HTTPConnection("localhost", self.port, timeout=DEADLINE)
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, json.loads(body) if body else None

    def end(self, number=signal.SIGTERM):
        """Ends it; the exit status and what else it printed on stdout."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, rest


class Launcher:
    """Starts hostd with the test's own directory for temporary files and a clean environment."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = []

    @property
    def environment(self):
        clean = {name: value for name, value in os.environ.items()
                 if name not in BACKEND_VARIABLES and not name.startswith("SIGNALBOX_")}
        return clean | {"TMPDIR": str(self.directory)}

    def _start(self, arguments, env, stderr):
        process = subprocess.Popen([HOSTD, *map(str, arguments)], env=self.environment | (env or {}),
                                   text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        self.processes.append(process)
        return process

    def serve(self, *arguments, env=None):
        """Starts one that is expected to listen."""
        error_file = self.directory / f"stderr{len(self.processes)}"
        with error_file.open("w") as stderr:
            process = self._start(arguments, env, stderr)
        return Hostd(process, error_file)

    def run(self, *arguments, env=None):
        """Runs one that is expected to end by itself: status, stdout, stderr."""
        process = self._start(arguments, env, subprocess.PIPE)
        out, err = process.communicate(timeout=DEADLINE)
        return process.returncode, out, err

    def redis_directories(self):
        return list(self.directory.glob("signalbox-*"))

    def connect_to_redis(self):
        """A connection to the one embedded Redis, which has answered."""
        (directory,) = self.redis_directories()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE)
        connection.connect(str(directory / "redis.sock"))
        connection.sendall(b"PING\r\n")
        assert connection.recv(16) == b"+PONG\r\n"
        return connection


@pytest.fixture
def launcher():
    directory = Path(tempfile.mkdtemp(prefix="hostd-"))
    made = Launcher(directory)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)
        process.stdout.close()
    shutil.rmtree(directory)


@pytest.fixture
def free_port():
    """A port that was free a moment ago: for what cannot be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
