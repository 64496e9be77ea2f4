"""Each rule of tests/house, seen to fail: a violation is planted in a copy of the tree."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ["HOSTD"]).parent.parent if "HOSTD" in os.environ else ROOT / "build"


@pytest.fixture(scope="session")
def copied(tmp_path_factory):
    copy = tmp_path_factory.mktemp("house") / "tree"
    generated = shutil.ignore_patterns(".git", "build", "build-*", "node_modules", "__pycache__")

    def ignored(folder, names):
        return {each for each in generated(folder, names) if Path(folder, each).is_dir()}

    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


def files(tree):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size)
            for path in tree.rglob("*") if path.is_file()}


@pytest.fixture
def tree(copied):
    """A copy to plant faults in; it is put right again after the test."""
    before = files(copied)
    yield copied
    after = files(copied)
    for path in after.keys() - before.keys():
        path.unlink()
    for path in sorted(copied.rglob("*"), reverse=True):  # what is inside comes first
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for path in before:
        if after.get(path) != before[path]:
            shutil.copy2(ROOT / path.relative_to(copied), path)


def faults(tree, *arguments):
    run = subprocess.run([tree / "tests/house", *arguments, tree], capture_output=True, text=True)
    assert run.stderr == ""
    assert run.returncode == (1 if run.stdout else 0)
    return run.stdout.splitlines()


@pytest.fixture(scope="session")
def before():
    return faults(ROOT)


def test_the_tree_is_clean(tree):
    assert faults(tree, "--build-dir", BUILD) == []


# Each: the file that is written or appended to, the text, and the fault that must be told.
PLANTED = [
    ("engine/core/planted.cpp", '#include "engine/net/listener.h"', "not below engine/core/"),
    ("engine/net/planted.cpp", '#include "engine/engineio/packet.h"', "not below engine/net/"),
    ("engine/engineio/planted.cpp", '#include "engine/socketio/packet.h"', "not below"),
    ("engine/socketio/planted.cpp", '#include "engine/signaling/x.h"', "not below"),
    ("engine/store/planted.cpp", '#include "engine/socketio/packet.h"', "not below engine/store/"),
    ("engine/signaling/planted.cpp", '#include "engine/engine.h"', "not below engine/signaling/"),
    ("engine/planted.cpp", '#include "capi/src/guard.h"', "not below engine/"),
    ("engine/core/planted.cpp", '#include "../net/listener.h"', "not below engine/core/"),
    ("capi/src/planted.cpp", '#include "engine/store/rooms.h"', "not below capi/src/"),
    ("hostd/planted.cpp", '#include "engine/engine.h"', "not below hostd/"),
    ("hostd/planted.cpp", "#include <engine/engine.h>", "not below hostd/"),
    ("bindings/planted.cpp", '#include "engine/engine.h"', "not below bindings/"),
    ("engine/core/planted.cpp", "#include <libwebsockets.h>", "which only engine/net/ and hostd/receive_buffers.cpp may"),
    ("engine/core/planted.cpp", "#include <zlib.h>", "which only engine/net/ may"),
    ("engine/net/planted.cpp", "#include <hiredis/async.h>", "which only engine/store/ may"),
    ("engine/net/planted.cpp", "#include <uv.h>", "which only engine/core/ may"),
    ("engine/store/planted.cpp", "#include <cjson/cJSON.h>", "which only engine/core/ may"),
    ("engine/core/planted.cpp", "#include <spdlog/spdlog.h>", "which only hostd/ may"),
    ("capi/src/planted.cpp", "#include <CLI/CLI.hpp>", "which only hostd/ may"),
    ("hostd/planted.cpp", "#include <pybind11/pybind11.h>", "which only bindings/ may"),
    ("engine/core/planted.cpp", "void f() { fork(); }", "only hostd/ starts processes"),
    ("engine/core/planted.cpp", 'void f() { ::execvp("a", b); }', "only hostd/ starts processes"),
    ("engine/core/planted.cpp", "void f() { exit(1); }", "must not end"),
    ("engine/core/planted.cpp", "void f() { std::abort(); }", "must not end"),
    ("engine/core/planted.cpp", "void f() { std::terminate(); }", "must not end"),
    ("capi/src/planted.cpp", 'void f() { std::printf("x"); }', "must not end"),
    ("capi/src/planted.cpp", 'void f() { fprintf(stderr, "x"); }', "must not end"),
    ("engine/net/planted.cpp", 'void f() { std::cerr << "x"; }', "must not end"),
    ("engine/net/planted.cpp", "void f() { std::this_thread::sleep_for(d); }", "must not end"),
    ("engine/net/planted.cpp", "void f() { usleep(5); }", "must not end"),
    ("engine/net/planted.h", "#pragma once", "does not say 'Thread: '"),
    ("engine/net/planted.cpp", "\n" * 1001, "has 1002 lines"),
    ("capi/include/signalbox.h", "SBX_API int sbx_planted(void);", "without a comment"),
    ("hostd/planted.cpp", "// see ../shar" + "ed/design.md", "mentions"),
    ("README.md", "`tests/planted.cpp`", "names tests/planted.cpp, which is not there"),
    ("engine/net/README.md", "`limits.planted = 1`", "names limits.planted, which is no option"),
    ("README.md", "```sh\ntests/planted\n```", "names tests/planted, which is not there"),
    ("engine/planted/planted.cpp", "", "does not name engine/planted/"),
    ("engine/core/planted.cpp", "#include <prometheus/gauge.h>", "which only hostd/ may"),
]


@pytest.mark.parametrize("path,text,told", PLANTED,
                         ids=[f"{path}-{told}" for path, _, told in PLANTED])
def test_planted(tree, before, path, text, told):
    planted = tree / path
    planted.parent.mkdir(exist_ok=True)
    with planted.open("a") as file:
        file.write(text + "\n")
    new = [fault for fault in faults(tree) if fault not in before]
    assert len(new) == 1 and told in new[0], new


def test_planted_at_the_top(tree, before):
    (tree / "src").mkdir()
    (tree / "src/planted.cpp").write_text("")
    new = [fault for fault in faults(tree) if fault not in before]
    assert new == ["src: does not belong at the top",
                   "packaging/docs/architecture.md: does not name src/"]


# What looks like a violation and is none.
@pytest.mark.parametrize("text", [
    '// exit(1) is for hosts',
    'const char* k = "abort() and std::cerr";',
    "void f() { exchange.abort(); peer->terminate(); snprintf(a, b, c); }",
])
def test_innocent(tree, before, text):
    (tree / "engine/core/planted.cpp").write_text(text + "\n")
    assert faults(tree) == before


@pytest.mark.parametrize("change,told", [
    (lambda names: names[1:], "is exported but not listed"),
    (lambda names: names + ["sbx_planted@@SIGNALBOX_1.0"], "is listed but not exported"),
])
def test_symbols(tree, change, told):
    symbols = tree / "capi/symbols.txt"
    symbols.write_text("\n".join(change(symbols.read_text().split())) + "\n")
    new = [fault for fault in faults(tree, "--build-dir", BUILD) if told in fault]
    assert len(new) == 1
