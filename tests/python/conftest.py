"""The package as it was built: SIGNALBOX_PYTHONPATH names the directory that has it (default:
build/bindings/python)."""

import logging
import os
import queue
import sys
import threading
from pathlib import Path

import pytest
import socketio

ROOT = Path(__file__).resolve().parents[2]
PYTHONPATH = os.environ.get("SIGNALBOX_PYTHONPATH", str(ROOT / "build/bindings/python"))
sys.path.insert(0, PYTHONPATH)

pytest_plugins = ["signalbox.pytest_plugin"]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Reports go from one process to another as UTF-8, which has no lone surrogates."""
    report = (yield).get_result()
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode())
                       for name, text in report.sections]


PATIENCE = 10  # seconds; nothing takes so long unless it is broken


class Client:
    """A client of python3-socketio that keeps what it receives in one namespace, in order. The event
    "unanswered" is not acknowledged before it disconnects."""

    def __init__(self, url, namespace="/", auth=None, headers=None, transports=("websocket",)):
        self.namespace = namespace
        self.inbox = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        self.ended = threading.Event()
        self.client.on("unanswered", lambda: self.ended.wait() and None, namespace=namespace)
        self.client.on("*", self._keep, namespace=namespace)
        self.client.on("disconnect", lambda: self.inbox.put(("disconnect",)), namespace=namespace)
        self.client.connect(url, headers=headers or {}, auth=auth, transports=list(transports),
                            namespaces=[namespace], wait_timeout=PATIENCE)

    def _keep(self, event, *args):
        self.inbox.put((event, *args))

    @property
    def id(self):
        return self.client.get_sid(self.namespace)

    def on(self, event, handler):
        self.client.on(event, handler, namespace=self.namespace)

    def emit(self, event, *args):
        self.client.emit(event, args, namespace=self.namespace)

    def call(self, event, *args, timeout=PATIENCE):
        return self.client.call(event, args, namespace=self.namespace, timeout=timeout)

    def receive(self):
        return self.inbox.get(timeout=PATIENCE)

    def disconnect(self):
        self.ended.set()
        self.client.disconnect()


@pytest.fixture
def connect():
    """connect(engine, ...) -> Client; they are closed after the test."""
    clients = []

    def connect(engine, *args, **options):
        clients.append(Client(engine.url, *args, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.disconnect()


@pytest.fixture
def engine():
    """An engine without the room application, and so without Redis."""
    import signalbox
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) as engine:
        yield engine


@pytest.fixture
def errors(caplog):
    """Texts of the errors that were logged, with their tracebacks."""
    caplog.set_level(logging.ERROR, logger="signalbox")

    def texts():
        return [each.exc_text or each.getMessage() for each in caplog.records
                if each.name == "signalbox"]

    return texts
