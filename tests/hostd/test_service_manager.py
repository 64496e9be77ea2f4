"""hostd under a service manager that speaks systemd's protocols: what it tells, and what it is passed.

The manager is this test: the protocols are a datagram socket, two variables and a descriptor.
"""

import ctypes
import os
import select
import signal
import socket
import subprocess
import time

import pytest

from conftest import DEADLINE, HOSTD

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_FOR_ANY_THREAD = 0x40000000  # __WALL
NO_REDIS = "--redis=unix:///nonexistent/redis.sock"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    """What a hostd with `env` tells."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.env = {"NOTIFY_SOCKET": str(path)}

    def next(self, timeout=DEADLINE):
        """The fields of the next message."""
        self.socket.settimeout(timeout)
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def silent_for(self, seconds):
        try:
            self.next(seconds)
        except (TimeoutError, BlockingIOError):
            return True
        return False


@pytest.fixture
def manager(launcher):
    made = Manager(launcher.directory / "notify")
    yield made
    made.socket.close()


class StoppedThread:
    """A thread of another process that does not run within the block, while its process does."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        self._trace(PTRACE_SEIZE)
        self._trace(PTRACE_INTERRUPT)
        os.waitpid(self.thread, WAIT_FOR_ANY_THREAD)

    def __exit__(self, *_):
        self._trace(PTRACE_DETACH)

    def _trace(self, request):
        assert LIBC.ptrace(request, self.thread, None, None) == 0, os.strerror(ctypes.get_errno())


def test_tells_that_it_serves_reads_its_file_and_ends(launcher, manager):
    file = launcher.directory / "hostd.toml"
    file.write_text("")
    hostd = launcher.serve("-p", 0, "--config", file, "--shutdown.drain=7000", env=manager.env)
    ready = manager.next()
    assert ready["READY"] == "1" and ready["STATUS"] == f"listening on {hostd.url}"
    hostd.get("/health")

    file.write_text("[shutdown]\ntimeout = 4000")
    before = time.monotonic_ns() // 1000
    hostd.process.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.next()["READY"] == "1"
    assert 'msg="an option changed" option=shutdown.timeout value=4000' in hostd.log()

    assert hostd.end() == (0, "")
    stopping = manager.next()
    assert stopping["STOPPING"] == "1" and stopping["EXTEND_TIMEOUT_USEC"] == "11000000"


def test_nobody_is_told_that_it_serves_when_it_cannot(launcher, manager):
    status, _, _ = launcher.run("--host", "192.0.2.1", "-p", 0, env=manager.env)
    assert status == 1
    assert manager.silent_for(0)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_watchdog_hears_of_it_while_every_engine_turns(launcher, manager, workers):
    timeout = 0.8
    hostd = launcher.serve("-p", 0, "--workers", workers, "--signaling.enabled=false",
                           env=manager.env | {"WATCHDOG_USEC": str(int(timeout * 1e6))})
    assert manager.next()["READY"] == "1"
    for _ in range(3):
        assert manager.next(timeout) == {"WATCHDOG": "1"}
    threads = sorted(map(int, os.listdir(f"/proc/{hostd.process.pid}/task")))
    assert len(threads) >= 1 + workers  # some runtimes have one of their own
    with StoppedThread(threads[-1]):
        # Once at most, for it may have turned since the last time.
        assert manager.silent_for(timeout) or manager.silent_for(timeout)
    assert manager.next(timeout) == {"WATCHDOG": "1"}
    assert hostd.end() == (0, "")


def test_the_watchdog_of_another_process_is_not_ours(launcher, manager):
    hostd = launcher.serve("-p", 0, "--signaling.enabled=false",
                           env=manager.env | {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert manager.next()["READY"] == "1"
    assert manager.silent_for(0.3)
    assert hostd.end() == (0, "")


def activated(launcher, listeners, *arguments):
    """A command line that starts hostd with these sockets passed."""
    numbers = [listener.fileno() for listener in listeners]
    passing = " ".join(f"{3 + i}<&{number}" for i, number in enumerate(numbers))
    command = f'LISTEN_PID=$$ LISTEN_FDS={len(numbers)} exec "$0" "$@" {passing}'
    return subprocess.Popen(
        ["bash", "-c", command, HOSTD, *arguments], pass_fds=numbers, text=True,
        env=launcher.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("workers", ["1", "4"])
def test_serves_on_the_socket_that_is_passed(launcher, workers):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for _ in range(2):  # who comes while no hostd is there is served by the next
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                process = activated(launcher, [listener], "--workers", workers, "-p", "1")
                launcher.processes.append(process)
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert process.stdout.readline() == f"signalbox listening on http://localhost:{port}\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE) == 0
            process.stderr.close()


def test_nobody_is_served_by_one_that_cannot_serve_operators(launcher):
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            socket.create_server(("127.0.0.1", 0)) as taken, \
            socket.create_connection(listener.getsockname(), DEADLINE) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        process = activated(launcher, [listener], NO_REDIS, "--admin.listen",
                            str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 1 and "cannot serve operators" in err
        # Who has come waits on, for one that can.
        assert select.select([client], [], [], 0)[0] == []
        process = activated(launcher, [listener], NO_REDIS)
        launcher.processes.append(process)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        process.stderr.close()


def test_several_sockets_are_refused(launcher):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        process = activated(launcher, [one, two])
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "LISTEN_FDS" in err


def test_what_does_not_listen_is_refused(launcher):
    with socket.socket() as unbound:
        process = activated(launcher, [unbound])
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert "listen.fd: 3 is not a TCP socket that listens" in err
