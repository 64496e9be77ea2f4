"""The daemon under test for pytest: HOSTD (default: build/hostd/hostd) beside a Redis of the test's own.

The kernel ends both when the test process dies (setpriv --pdeathsig).
"""

import os
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOSTD = os.environ.get("HOSTD", str(ROOT / "build/hostd/hostd"))
PATIENCE = 8.0
# hostd refuses variables that look like options of its own and are none; some are the tests' own.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("SIGNALBOX_")}


class Process:
    """A child whose lines of standard output can be waited for."""

    def __init__(self, *command):
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            if line is None:
                raise RuntimeError(f"{self.child.args} ended with {self.child.wait()}")
            match = re.search(pattern, line)
            if match:
                return match

    def terminate(self):
        self.child.terminate()
        try:
            return self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise


class Server:
    """hostd and its Redis; `options` are hostd's, by name. With `tls` it shows the certificate that
    the file `ca` has."""

    def __init__(self, tls=False, **options):
        self.directory = tempfile.mkdtemp(prefix="signalbox-test-")
        self.redis_socket = f"{self.directory}/redis.sock"
        self.redis = Process(
            "redis-server", "--port", "0", "--unixsocket", self.redis_socket,
            "--dir", self.directory, "--save", "", "--appendonly", "no",
        )
        self.flags = ["--listen.host", "127.0.0.1", "--redis.url", f"unix://{self.redis_socket}"]
        self.ca = f"{self.directory}/cert.pem" if tls else None
        if tls:
            key = f"{self.directory}/key.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "2", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.ca],
                check=True, capture_output=True)
            self.flags += ["--tls.cert", self.ca, "--tls.key", key]
        for name, value in options.items():
            self.flags += [f"--{name.replace('__', '.')}", str(value)]
        try:
            self.redis.wait_for("(?i)ready to accept")
            self._start(0)
        except BaseException:
            self._stop_redis()
            raise

    def _start(self, port):
        self.hostd = Process(HOSTD, *self.flags, "--listen.port", str(port))
        ready = self.hostd.wait_for(r"^signalbox listening on (https?)://\S+:(\d+)$")
        self.port = int(ready.group(2))
        self.url = f"{ready.group(1)}://127.0.0.1:{self.port}"

    def restart(self):
        """Ends hostd and starts it anew at the same address."""
        assert self.hostd.terminate() == 0
        self._start(self.port)

    def stop(self):
        try:
            code = self.hostd.terminate()
        finally:
            self._stop_redis()
        assert code == 0, f"hostd ended with {code}"

    def _stop_redis(self):
        self.redis.terminate()
        shutil.rmtree(self.directory, ignore_errors=True)

    def redis_command(self, *arguments):
        """One command whose reply is a line, a number, a bulk string or a list of these."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.redis_socket)
            parts = [str(each).encode() for each in arguments]
            request = b"*%d\r\n" % len(parts)
            request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
            connection.sendall(request)
            with connection.makefile("rb") as reply:
                return _read_reply(reply)


def _read_reply(reply):
    line = reply.readline().decode().rstrip("\r\n")
    kind, rest = line[0], line[1:]
    if kind == "-":
        raise RuntimeError(rest)
    if kind == ":":
        return int(rest)
    if kind == "*":
        return [_read_reply(reply) for _ in range(int(rest))]
    if kind == "$":
        return None if rest == "-1" else reply.read(int(rest) + 2)[:-2].decode()
    return rest
