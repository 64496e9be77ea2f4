"""The types that the package states are those that it has."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import PYTHONPATH, ROOT

EXAMPLES = sorted((ROOT / "bindings/python/examples").glob("*.py"))


def run(directory, *command):
    environment = os.environ | {"MYPYPATH": PYTHONPATH, "PYTHONPATH": PYTHONPATH,
                                "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, cwd=directory, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def test_stub_is_that_of_the_module(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text("signalbox._core.Engine\n")  # its metaclass, which is pybind11's
    run(tmp_path, "/usr/bin/python3", "/usr/bin/stubtest", "--allowlist", str(allowed),
        "signalbox._core")


def test_package_is_typed(tmp_path):
    run(tmp_path, "/usr/bin/python3", "/usr/bin/mypy", "--strict", "-p", "signalbox")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_is_typed(tmp_path, example):
    run(tmp_path, "/usr/bin/python3", "/usr/bin/mypy", "--strict", str(example))
