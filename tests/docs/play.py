"""Does what a document says, from its top to its end, as a reader would. To be run in tests/docs/sandbox.

    /usr/bin/python3 tests/docs/play.py PAGE

The reader's machine is this one, with what the packages of the project would have put there, and with a
redis-server. It is a test: it ends with 1, having told what went wrong, or with 0.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from pages import ROOT, blocks_of

PATIENCE = 120  # seconds; nothing takes so long unless it is broken
SKIPPED = "skipped for want of"
READY = re.compile(r"\blistening on\b", re.IGNORECASE)
BUILD = Path(os.environ["HOSTD"]).parents[1] if "HOSTD" in os.environ else ROOT / "build"
# Debian's own Python and programs before others of the machine.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin", "HOME": "/root",
               "LANG": "C.UTF-8", "CI": "true"}


class Wrong(Exception):
    """What the document says is not so."""


class Server:
    """Commands that go on, until they are ended."""

    def __init__(self, text, port):
        self.port = port  # "": it tells that it is ready
        self.log = Path("/tmp/served")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["bash", "-euc", text], stdout=log, stderr=log,
                                            env=ENVIRONMENT, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Wrong(f"does not serve:\n{self.log.read_text()}")
            time.sleep(0.02)

    def is_ready(self):
        if not self.port:
            return READY.search(self.log.read_text())
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.port))) == 0

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if status not in (0, -signal.SIGTERM):
            raise Wrong(f"ended with {status}:\n{self.log.read_text()}")


def prepare(page):
    """What the packages install, what they need beside them, and where the reader is: in the tree, or, to
    write files of his own, in a directory with what npm has to offer."""
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr", "--strip"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["ldconfig"], check=True)
    shutil.copytree(ROOT / "packaging/debian", "/etc/signalbox",
                    ignore=lambda _, names: set(names) - {"hostd.toml"})
    if not shutil.which("sudo", path=ENVIRONMENT["PATH"]):
        sudo = Path("/usr/bin/sudo")
        sudo.write_text('#!/bin/sh\nexec "$@"\n')
        sudo.chmod(0o755)
    if any(block.what == "file" for block in blocks_of(page)):
        directory = Path("/tmp/reader")
        directory.mkdir()
        (directory / "node_modules").symlink_to(ROOT / "tests/node_modules")
        os.chdir(directory)
    subprocess.run(["redis-server", "--daemonize", "yes", "--bind", "127.0.0.1", "--save", ""],
                   check=True, stdout=subprocess.DEVNULL)


def run(text):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
                          timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise Wrong(f"ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def compare(wanted, printed):
    pattern = ".*?".join(re.escape(part) for part in wanted.strip().split("…"))
    if not re.fullmatch(pattern, printed.strip(), re.DOTALL):
        raise Wrong(f"is not what was printed:\n{printed}")


def play(page):
    server = None
    printed = ""
    for block in blocks_of(page):
        if block.what == "needs" and not shutil.which(block.name, path=ENVIRONMENT["PATH"]):
            print(f"{page}:{block.line}: {SKIPPED} {block.name}")
            continue
        print(f"{page}:{block.line}: {block.what}", flush=True)
        try:
            if block.what in ("run", "needs"):
                printed = run(block.text)
            elif block.what == "output":
                compare(block.text, printed)
            elif block.what == "file":
                Path(block.name).write_text(block.text)
            elif block.what == "serves":
                if server:
                    server.end()
                server = Server(block.text, block.name)
        except (Wrong, OSError, subprocess.TimeoutExpired) as wrong:
            served = f"\nserved meanwhile:\n{server.log.read_text()}" if server else ""
            return f"{page}:{block.line}:\n{block.text}{wrong}{served}"
    if server:
        server.end()
    return None


if __name__ == "__main__":
    prepare(sys.argv[1])
    sys.exit(play(sys.argv[1]))
