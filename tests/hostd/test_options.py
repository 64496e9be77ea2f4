"""Flags, environment and file: what is understood, what goes before what, what is refused."""

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import DEADLINE, HOSTD

NO_REDIS = "--redis=unix:///nonexistent/redis.sock"  # hostd serves without; none is started
SHIPPED = Path(__file__).resolve().parents[2] / "packaging/debian/hostd.toml"


def test_version(launcher):
    status, out, err = launcher.run("--version")
    assert status == 0 and err == ""
    assert re.fullmatch(r"signalbox \d+\.\d+\.\d+\n", out)


def test_help_tells_every_option(launcher):
    status, out, err = launcher.run("--help")
    assert status == 0 and err == ""
    assert re.search(r"-p,--port,--listen\.port INT .*0\.\.65535, default 3001", out)
    assert re.search(r"--rooms\.ttl INT .*\[s, .*default 86400, live\]", out)
    for name in ("--host", "--redis", "--config", "--log-level", "--cors.origins", "--version"):
        assert name in out


@pytest.mark.parametrize("host,printed", [
    ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]")])
def test_ready_line(launcher, host, printed):
    hostd = launcher.serve("--listen.host", host, "-p", 0, NO_REDIS)
    assert hostd.url == f"http://{printed}:{hostd.port}"
    status, rest = hostd.end()
    assert (status, rest) == (0, "")


def test_log_lines_have_time_and_level(launcher):
    hostd = launcher.serve("-p", 0, NO_REDIS, "--log-level", "debug")
    hostd.end()
    lines = hostd.log().splitlines()
    assert lines
    for line in lines:
        assert re.match(r"ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d "
                        r"level=(error|warning|info|debug) msg=\S", line)


def test_log_lines_are_for_the_journal_where_it_listens(launcher):
    file = launcher.directory / "stderr0"
    file.touch()
    status = file.stat()
    hostd = launcher.serve("-p", 0, NO_REDIS, "--log-level", "debug",
                           env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    hostd.end()
    lines = hostd.log().splitlines()
    assert any(line.startswith("<6>level=info msg=") for line in lines)
    for line in lines:
        assert re.match(r"<3>level=error |<4>level=warning |<6>level=info |<7>level=debug ", line)


@pytest.mark.parametrize("arguments,env,status,line", [
    (["--worker=1"], {}, 2, r"hostd: unknown flag --worker .*"),
    ([], {"PATH": "/nonexistent"}, 1,
     r'(ts=\S+ )?level=error msg="hostd cannot go on" error="embedded Redis: .*'),
    ([NO_REDIS, "--host", "192.0.2.1"], {}, 1, r'(ts=\S+ )?level=error msg="cannot serve" error=.*')])
def test_why_it_does_not_start_is_an_error_to_the_journal(launcher, arguments, env, status, line):
    found, _, err = launcher.run("-p", 0, *arguments, env=env)
    assert found == status and re.fullmatch(line + "\n", err), err
    with (launcher.directory / "journal").open("w+") as journal:
        of_file = os.fstat(journal.fileno())
        ended = subprocess.run(
            [HOSTD, "-p", "0", *arguments], stderr=journal, timeout=DEADLINE, check=False,
            env=launcher.environment | env | {"JOURNAL_STREAM": f"{of_file.st_dev}:{of_file.st_ino}"})
        journal.seek(0)
        told = journal.read()
    assert ended.returncode == status and re.fullmatch("<3>" + line + "\n", told), told


def make_certificate(directory):
    """Files of a certificate and its key."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=a", "-keyout", key, "-out", cert], check=True,
                   capture_output=True)
    return cert, key


def wait_for_log(hostd, text):
    deadline = time.monotonic() + DEADLINE
    while text not in hostd.log():
        assert time.monotonic() < deadline, hostd.log()
        time.sleep(0.02)


@pytest.mark.parametrize("name,told", [
    (b"plain", "plain"), (b"two words", '"two words"'), (b"a=b", '"a=b"'),
    (b'\x1b[31m \x7f"\\\n\r\t\b\f\x01', r'"\u001b[31m \u007f\"\\\n\r\t\b\f\u0001"'),
    ("\x85\x9b\xa0 \xe4\u20ac\U0001f600".encode(), '"\\u0085\\u009b\xa0 \xe4\u20ac\U0001f600"'),
    (b"\xc3\xa4 \xff\xc2", '"?? ??"'), (b"\xed\xa0\x80", '"???"'), (b"\xe0\x80\x80", '"???"'),
    (b"\xf4\x90\x80\x80", '"????"'), (b"\xf0\x80\x80\x80", '"????"'), (b"\xc1\x80", '"??"'),
    (b"\xe2\x82", '"??"'), (b"\xe2\x82(", '"??("')])
def test_names_in_the_log_are_written_as_the_library_writes_them(launcher, name, told):
    name = os.fsdecode(name)
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="a") as directory:
        file = Path(directory) / name
        file.write_text("")
        told = f'"{directory}/{told[1:]}' if told.startswith('"') else f"{directory}/{told}"
        # The library says what is wrong with a certificate, hostd which file it has read again.
        cert, key = make_certificate(Path(directory))
        cert = cert.rename(file.with_name(name + ".pem"))
        hostd = launcher.serve("-p", 0, NO_REDIS, "--config", file)
        library = launcher.serve("-p", 0, NO_REDIS, "--tls.cert", cert, "--tls.key", key)
        cert.unlink()
        for each in (hostd, library):
            each.process.send_signal(signal.SIGHUP)
        wait_for_log(hostd, 'msg="the file was read again"')
        wait_for_log(library, 'msg="the certificate read before stays in use"')
        (of_hostd,) = re.findall(r"the file was read again.* file=(.*)", hostd.log())
        (of_library,) = re.findall(r"error=\"option tls.cert: '(.*)\.pem'", library.log())
    assert of_hostd == told
    assert of_library == told.strip('"')


# --- What goes before what ---

def write(launcher, text, name="hostd.toml"):
    file = launcher.directory / name
    file.write_text(text)
    return file


FLAG, OWN, BACKEND, FILE = "flag", "SIGNALBOX_*", "backend's", "file"


@pytest.mark.parametrize("given,expected", [
    ({FILE}, FILE), ({FILE, BACKEND}, BACKEND), ({FILE, BACKEND, OWN}, OWN),
    ({FILE, BACKEND, OWN, FLAG}, FLAG), ({FILE, FLAG}, FLAG), ({BACKEND, OWN}, OWN), (set(), "default")])
def test_precedence(launcher, given, expected):
    arguments = ["-p", 0, NO_REDIS]
    env = {}
    if FLAG in given:
        arguments += ["--environment", FLAG]
    if OWN in given:
        env["SIGNALBOX_ENVIRONMENT"] = OWN
    if BACKEND in given:
        env["NODE_ENV"] = BACKEND
    if FILE in given:
        arguments += ["--config", write(launcher, f'environment = "{FILE}"\n')]
    hostd = launcher.serve(*arguments, env=env)
    _, health = hostd.get("/health")
    assert health["environment"] == ("production" if expected == "default" else expected)


@pytest.mark.parametrize("text", [
    'listen.host = "127.0.0.1"\nlisten.port = 0\nredis.url = "unix:///nonexistent"\n',
    '[listen]\nhost = "127.0.0.1"\nport = 0\n[redis]\nurl = "unix:///nonexistent"\n',
    '# comment\n[listen]\nhost = 127.0.0.1 # comment\nport=0\n\n[redis]\nurl = unix:///nonexistent\n'])
def test_file(launcher, text):
    hostd = launcher.serve("--config", write(launcher, text))
    assert hostd.url.startswith("http://127.0.0.1:")
    assert launcher.redis_directories() == []


@pytest.mark.parametrize("text", [
    'origins = ["https://a.example", "https://b.example"]', 'origins = "https://a.example,https://b.example"'])
def test_lists_in_the_file(launcher, text):
    file = write(launcher, "[cors]\n" + text + "\n")
    hostd = launcher.serve("-p", 0, NO_REDIS, "--config", file)
    for origin in ("https://a.example", "https://b.example"):
        response, _ = hostd.get("/health", {"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("name", ["log.level", "log-level"])  # the latter is what 1.0 called it
@pytest.mark.parametrize("given", [{FILE}, {FILE, OWN}, {FILE, OWN, FLAG}])
def test_log_level(launcher, given, name):
    levels = {FILE: "error", OWN: "error", FLAG: "error"}
    levels[max(given, key=[FILE, OWN, FLAG].index)] = "info"  # the strongest; "ending" is heard
    hostd = launcher.serve(
        "-p", 0, NO_REDIS, "--config", write(launcher, f'{name} = "{levels[FILE]}"\n'),
        *([f"--{name}", levels[FLAG]] if FLAG in given else []),
        env={"SIGNALBOX_LOG_LEVEL": levels[OWN]} if OWN in given else {})
    hostd.end()
    assert "ending" in hostd.log()


# --- The variables of the Node backend ---

def test_backend_port_and_cors_origin(launcher, free_port):
    hostd = launcher.serve(NO_REDIS, env={
        "BACKEND_PORT": str(free_port), "CORS_ORIGIN": "https://a.example,https://b.example"})
    assert hostd.port == free_port
    response, _ = hostd.get("/health", {"Origin": "https://b.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://b.example"


@pytest.mark.parametrize("env,host,port", [
    ({"REDIS_HOST": "127.0.0.2"}, "127.0.0.2", 6379),
    ({"REDIS_PORT": "1"}, "127.0.0.1", 1),
    ({"REDIS_HOST": "127.0.0.3", "REDIS_PORT": "2"}, "127.0.0.3", 2),
    ({"REDIS_HOST": "::1", "REDIS_PORT": "2"}, "::1", 2)])
def test_backend_redis(launcher, env, host, port):
    hostd = launcher.serve("-p", 0, env=env)
    assert launcher.redis_directories() == []
    _, health = hostd.get("/health/detailed")
    assert health["dependencies"]["redis"]["host"] == host
    assert health["dependencies"]["redis"]["port"] == port


def test_empty_backend_variables_are_absent(launcher):
    hostd = launcher.serve("-p", 0, env={
        "BACKEND_PORT": "", "REDIS_HOST": "", "REDIS_PORT": "", "CORS_ORIGIN": "", "NODE_ENV": ""})
    assert len(launcher.redis_directories()) == 1
    _, health = hostd.get("/health")
    assert health["environment"] == "production"


@pytest.mark.parametrize("env,redis", [
    ({}, None), ({"REDIS_HOST": "redis"}, '"redis://redis:6379"')])
def test_ports_of_kubernetes_services_are_absent(launcher, env, redis):
    status, out, err = launcher.run("--print-config", env=env | {
        "BACKEND_PORT": "tcp://10.0.0.2:3001", "REDIS_PORT": "tcp://10.0.0.1:6379"})
    assert (status, err) == (0, "")
    assert "\nlisten.port = 3001  # default\n" in out
    told = f"redis.url = {redis}  # REDIS_HOST, REDIS_PORT" if redis else "# redis.url = (none given)"
    assert f"\n{told}" in out


@pytest.mark.parametrize("env", [
    {"SIGNALBOX_REDIS_URL": "unix:///nonexistent"}, {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"},
    {"SIGNALBOX_REDIS_SENTINELS": "127.0.0.1:1", "SIGNALBOX_REDIS_MASTER_NAME": "mymaster"}])
def test_redis_from_the_environment_starts_none(launcher, env):
    launcher.serve("-p", 0, env=env)
    assert launcher.redis_directories() == []


# --- What is refused: status 2, and a text with the name, the value and what is allowed ---

@pytest.mark.parametrize("arguments,env,file,told", [
    (["--listen.port", "65536"], {}, None, ["listen.port", "65536", "65535"]),
    (["-p", "x"], {}, None, ["listen.port", "'x'", "65535"]),
    (["--limits.join_enabled", "maybe"], {}, None, ["limits.join_enabled", "maybe"]),
    ([], {"SIGNALBOX_ROOMS_TTL": "-1"}, None, ["SIGNALBOX_ROOMS_TTL", "rooms.ttl", "-1"]),
    ([], {"BACKEND_PORT": "70000"}, None, ["BACKEND_PORT", "listen.port", "70000"]),
    ([], {}, "[listen]\nport = 65536\n", ["hostd.toml", "listen.port", "65536"]),
    ([], {}, "[listen]\nprot = 1\n", ["hostd.toml", "listen.prot"]),
    ([], {}, "nonsense\n", ["hostd.toml", "nonsense"]),
    ([], {}, "listen.port = [1, 2]\n", ["hostd.toml", "listen.port", "one value"]),
    (["--no-such-flag"], {}, None, ["--no-such-flag"]),
    (["--listen.prot", "1"], {}, None, ["--listen.prot"]),
    (["stray"], {}, None, ["stray"]),
    (["--log-level", "loud"], {}, None, ["--log.level", "loud", "warning"]),
    ([], {"SIGNALBOX_LOG_LEVEL": "loud"}, None, ["SIGNALBOX_LOG_LEVEL", "loud", "warning"]),
    ([], {}, 'log.level = "loud"\n', ["hostd.toml", "log.level", "loud", "warning"]),
    (["--workers", "65"], {}, None, ["workers", "'65'", "0 to 64"]),
    (["--config", "/nonexistent.toml"], {}, None, ["--config", "/nonexistent.toml"]),
    (["--config", "/"], {}, None, ["--config"]),
    (["--redis", "http://x"], {}, None, ["redis.url", "http://x"]),
    (["--redis.sentinels", "h"], {}, None, ["redis.sentinels", "redis.master_name"]),
    (["--redis.cluster", "yes"], {}, None, ["redis.cluster", "redis.url"]),
])
def test_refused(launcher, arguments, env, file, told):
    if file is not None:
        arguments = [*arguments, "--config", write(launcher, file)]
    status, out, err = launcher.run(*arguments, env=env)
    assert status == 2, err
    assert out == ""
    assert len(err.splitlines()) == 1
    for text in told:
        assert text in err
    assert launcher.redis_directories() == []


def test_the_file_of_the_debian_package_is_accepted_also_with_what_it_has_as_comments(launcher):
    told = re.sub(r"^# (\[|\w+ = )", r"\1", SHIPPED.read_text(), flags=re.MULTILINE)
    assert told.count("\n[") == 5
    for number, text in enumerate((SHIPPED.read_text(), told)):
        file = launcher.directory / f"{number}.toml"
        file.write_text(text)
        hostd = launcher.serve("--config", file, "-p", 0, NO_REDIS)
        assert hostd.end() == (0, "")
