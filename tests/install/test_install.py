"""What `cmake --install` lays out is enough to build and run programs, wherever it is moved to.

Everything happens in a temporary directory: nothing is taken from the source tree or the build.
"""

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ["HOSTD"]).parents[1] if "HOSTD" in os.environ else ROOT / "build"
DEADLINE = 20  # seconds; nothing waits so long unless it is broken
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command, **options):
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    directory = tmp_path_factory.mktemp("install")
    run("cmake", "--install", BUILD, "--prefix", directory / "first", "--strip")
    return (directory / "first").rename(directory / "moved")


@pytest.fixture(scope="module")
def library_dir(prefix):
    (library,) = prefix.glob("lib/**/libsignalbox.so")
    return library.parent


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return shutil.copytree(HERE / "consumer", tmp_path_factory.mktemp("consumer") / "sources")


def configure(sources, prefix, wanted):
    build = sources.parent / f"build-{wanted}"
    return build, subprocess.run(
        ["cmake", "-G", "Ninja", "-S", sources, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DWANTED={wanted}"],
        capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(sources, prefix):
    """The build directory of the programs that CMake has built with find_package."""
    build, configured = configure(sources, prefix, "1.0")
    assert configured.returncode == 0, configured.stderr
    run("cmake", "--build", build)
    return build


def greeting(*command, env=None):
    """Runs a server, asks it GET /hello and ends it."""
    with subprocess.Popen([str(each) for each in command], env=os.environ | (env or {}), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            line = server.stdout.readline()
            port = re.fullmatch(r"listening on port (\d+)\n", line).group(1)
            url = f"http://localhost:{port}/hello"
            with urllib.request.urlopen(url, timeout=DEADLINE) as response:
                body = response.read().decode()
            server.stdin.close()
            assert server.wait(DEADLINE) == 0
        finally:
            server.kill()
    return body


def test_a_c_program_built_by_cmake(built):
    assert greeting(built / "server_c") == "hello from C"


def test_a_cpp_program_built_by_cmake(built):
    assert greeting(built / "server_cpp") == "hello from C++"


def test_a_c_program_built_with_pkg_config(sources, library_dir, tmp_path):
    env = os.environ | {"PKG_CONFIG_PATH": str(library_dir / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "signalbox", env=env).split()
    assert [flag[:2] for flag in flags] == ["-I", "-L", "-l"]  # nothing of what is private
    program = tmp_path / "server_c"
    run("gcc", "-std=c99", *WARNINGS, sources / "server.c", "-o", program, *flags)
    assert greeting(program, env={"LD_LIBRARY_PATH": str(library_dir)}) == "hello from C"


def test_a_python_script(sources, prefix):
    (package,) = prefix.glob("lib/**/signalbox/__init__.py")
    script = sources / "server.py"
    env = {"PYTHONPATH": str(package.parents[1])}
    assert greeting("/usr/bin/python3", script, env=env) == "hello from Python"


@pytest.mark.parametrize("wanted", ["1.99", "2.0"])
def test_cmake_refuses_a_version_that_this_is_not(sources, prefix, wanted):
    _, configured = configure(sources, prefix, wanted)
    assert configured.returncode != 0
    assert f'compatible with requested version "{wanted}"' in configured.stderr


def test_nothing_points_back_to_where_it_was_built(prefix, library_dir):
    texts = [*library_dir.glob("cmake/signalbox/*"), *library_dir.glob("pkgconfig/*"),
             *prefix.glob("include/*")]
    assert len(texts) >= 6
    for path in texts:
        assert not re.search(f"{ROOT}|{BUILD}|/first", path.read_text()), path


def test_hostd_finds_the_library_beside_it(prefix, library_dir):
    (header,) = prefix.glob("include/signalbox_version.h")
    version = re.search(r'SBX_VERSION "(.*)"', header.read_text()).group(1)
    assert run(prefix / "bin/hostd", "--version") == f"signalbox {version}"
    loaded = re.search(r"libsignalbox\S* => (\S+)", run("ldd", prefix / "bin/hostd")).group(1)
    assert Path(loaded).resolve().parent == library_dir.resolve()


@pytest.mark.parametrize("page", ["man1/hostd.1", "man5/hostd.toml.5"])
def test_the_manual_pages_of_hostd_are_well_formed(prefix, page):
    run("mandoc", "-T", "lint", "-W", "warning", prefix / "share/man" / page)
