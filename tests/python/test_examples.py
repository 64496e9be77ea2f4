"""The examples do what they say."""

import os
import runpy
import subprocess
import sys

import pytest
import requests
import socketio

from conftest import PATIENCE, PYTHONPATH, ROOT

EXAMPLES = ROOT / "bindings/python/examples"


def test_two_peers(tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
               str(EXAMPLES / "two_peers_test.py")]
    environment = os.environ | {"PYTHONPATH": PYTHONPATH, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_chat(monkeypatch, connect):
    monkeypatch.setattr(sys, "argv", ["chat.py", "0"])
    engine = runpy.run_path(str(EXAMPLES / "chat.py"))["engine"]
    with engine:
        with pytest.raises(socketio.exceptions.ConnectionError):
            connect(engine)
        ada, bob = (connect(engine, auth={"name": name}) for name in ("Ada", "Bob"))
        assert [ada.call("enter", "hall"), bob.call("enter", "hall")] == [1, 2]
        assert ada.receive() == ("entered", "Bob")
        bob.emit("say", "hall", "hello", b"a picture")
        for client in (ada, bob):
            assert client.receive() == ("said", "Bob", "hello", b"a picture")
        assert requests.get(f"{engine.url}/rooms", timeout=PATIENCE).json() == {"hall": 2}
