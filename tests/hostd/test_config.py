"""--check-config, --print-config, the file's ways of saying things, and the table of all options."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import HOSTD

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret of 32 bytes, or some more"


def write(launcher, text):
    file = launcher.directory / "hostd.toml"
    file.write_text(text)
    return file


def make_key(launcher):
    file = launcher.directory / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True,
                   capture_output=True)
    return file


# --- --check-config ---

def test_check_needs_neither_port_nor_redis(launcher):
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert launcher.run("--check-config", "--host", "127.0.0.1", "-p", other.getsockname()[1],
                            env={"PATH": "/nonexistent"}) == (0, "", "")
    assert launcher.run("--check-config", "--redis=redis://192.0.2.1") == (0, "", "")


@pytest.mark.parametrize("arguments,env,file,told", [
    (["--rooms.ttl=-1"], {}, "", "--rooms.ttl: option rooms.ttl: '-1' is not allowed; an integer"),
    ([], {"SIGNALBOX_WORKERS": "65"}, "", "SIGNALBOX_WORKERS: option workers: '65' is not allowed; "
     "an integer from 0 to 64"),
    ([], {}, "\n[log]\nlevel = loud\n", "hostd.toml:3: option log.level: 'loud' is not allowed; "
     "error, warning, info or debug"),
    ([], {}, 'tls.cert = "/none"\ntls.key = "/none"\n',
     "hostd.toml:1: option tls.cert: '/none': No such file"),
    (["--tls.cert=/none"], {}, "", "--tls.cert: option tls.cert: needs tls.key"),
    ([], {"SIGNALBOX_AUTH_JWT_HS256_KEY": "short"}, "",
     "SIGNALBOX_AUTH_JWT_HS256_KEY: option auth.jwt_hs256_key: needs 32 bytes at least"),
    ([], {}, 'auth.jwt_rs256_key = "KEY"\n',
     "hostd.toml:1: option auth.jwt_rs256_key: is no public RSA key (PEM) of 2048 bits at least"),
    (["--redis.cluster=yes"], {}, "", "--redis.cluster: option redis.cluster: needs redis.url"),
    ([], {}, "# nodes\nredis.master_name = m\n",
     "hostd.toml:2: option redis.master_name: is of no use without redis.sentinels"),
    ([], {"REDIS_PORT": "x"}, "", "REDIS_HOST, REDIS_PORT: option redis.url: "),
    (["--proxy.trusted=10.0.0.0/33"], {}, "",
     "--proxy.trusted: option proxy.trusted: '10.0.0.0/33' is not allowed; addresses or networks"),
])
def test_check_tells_what_a_start_would(launcher, arguments, env, file, told):
    config = write(launcher, file.replace("KEY", str(make_key(launcher)) if "KEY" in file else ""))
    arguments = ["-p", 0, "--config", config, *arguments]
    status, out, err = launcher.run("--check-config", *arguments, env=env)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and told in err
    assert launcher.run(*arguments, env=env) == (status, out, err)


def test_check_tells_all_at_once(launcher):
    file = write(launcher, "rooms.ttl = x\nenvironment = it's\n[listen]\nprot = 1\n[tls]\nkey = k\n")
    status, _, err = launcher.run(
        "--check-config", "--config", file, "--lisen.port", 1, "--auth.jwt_hs256_key=short",
        env={"SIGNALBOX_LISTEN_PROT": "1"})
    assert status == 2
    assert re.sub(r" is not allowed; .*", "", err).splitlines() == [
        "hostd: unknown flag --lisen.port (did you mean --listen.port?); see hostd --help",
        "hostd: SIGNALBOX_LISTEN_PROT: no option has this variable"
        " (did you mean SIGNALBOX_LISTEN_PORT?)",
        f"hostd: {file}:4: unknown option 'listen.prot' (did you mean listen.port?)",
        f"hostd: {file}:1: option rooms.ttl: 'x'",
        "hostd: --auth.jwt_hs256_key: option auth.jwt_hs256_key: needs 32 bytes at least",
        f"hostd: {file}:6: option tls.key: needs tls.cert",
    ]


# --- Names that are none ---

@pytest.mark.parametrize("flag,meant", [
    ("--listen.prot", "--listen.port"), ("--listen.prot=1", "--listen.port"),
    ("--log.levl", "--log.level"), ("--url", "--redis.url"), ("--chekc-config", "--check-config"),
    ("--nothing.like.it", None)])
def test_unknown_flag(launcher, flag, meant):
    status, _, err = launcher.run(flag)
    assert status == 2
    hint = f" (did you mean {meant}?)" if meant else ""
    assert err == f"hostd: unknown flag {flag.split('=')[0]}{hint}; see hostd --help\n"


@pytest.mark.parametrize("name,meant", [
    ("log.levl", "log.level"), ("worker", "workers"), ("port", "listen.port"),
    ("nothing.like.it", None)])
def test_unknown_name_in_the_file(launcher, name, meant):
    file = write(launcher, f"{name} = 1\n")
    status, _, err = launcher.run("--config", file)
    hint = f" (did you mean {meant}?)" if meant else ""
    assert (status, err) == (2, f"hostd: {file}:1: unknown option '{name}'{hint}\n")


@pytest.mark.parametrize("name,meant", [
    ("SIGNALBOX_LISTEN_PROT", "SIGNALBOX_LISTEN_PORT"), ("SIGNALBOX_PORT", "SIGNALBOX_LISTEN_PORT"),
    ("SIGNALBOX_NOTHING_LIKE_IT", None), ("SIGNALBOX_", None)])
def test_unknown_variable(launcher, name, meant):
    status, _, err = launcher.run(env={name: "3001"})
    hint = f" (did you mean {meant}?)" if meant else ""
    assert (status, err) == (2, f"hostd: {name}: no option has this variable{hint}\n")


@pytest.mark.parametrize("name,value", [
    ("SIGNALBOX_SERVICE_HOST", "10.0.0.1"), ("SIGNALBOX_SERVICE_PORT_HTTP", "3001"),
    ("SIGNALBOX_PORT", "tcp://10.0.0.1:3001"), ("SIGNALBOX_PORT_3001_TCP_ADDR", "10.0.0.1"),
    ("SIGNALBOX_OTHER_PORT_80_TCP", "tcp://10.0.0.2:80")])
def test_variables_of_kubernetes_services_named_signalbox(launcher, name, value):
    assert launcher.run("--check-config", env={name: value}) == (0, "", "")


# --- The file ---

def effective(launcher, *arguments, env=None):
    """What --print-config says of each option: (text of the value, source); None: it may not."""
    status, out, err = launcher.run("--print-config", *arguments, env=env)
    assert (status, err) == (0, "")
    lines = [line for line in out.splitlines()[1:] if line]
    told = {}
    for line in lines:
        comment, name, value, source = re.fullmatch(r"(# )?([\w.]+) = (.*)  # (.*)", line).groups()
        told[name] = (None if comment else value, source)
    assert len(told) == len(lines)
    return told


@pytest.mark.parametrize("text,value", [
    ('environment = "a#b"', "a#b"), ("environment = 'a # b' # comment", "a # b"),
    ("environment = it's # comment", "it's"), ("environment=a#b", "a"),
    ("; comment\n  # comment\nenvironment = a", "a"), ('"environment" = "a,b"', "a,b")])
def test_texts_and_comments(launcher, text, value):
    told = effective(launcher, "--config", write(launcher, text + "\n"))
    assert told["environment"][0] == f'"{value}"'


def test_a_list_on_several_lines(launcher):
    file = write(launcher, '[cors]\norigins = [ # two\n "https://a.example",\n\n'
                           ' "https://b.example", # the other\n]\n[proxy]\ntrusted = []\n')
    told = effective(launcher, "--config", file)
    assert told["cors.origins"] == ('"https://a.example,https://b.example"', f"{file}:2")
    assert told["proxy.trusted"] == ('""', f"{file}:8")


@pytest.mark.parametrize("text,fault", [
    ('environment = "a', "a quote that is not closed"),
    ('cors.origins = [ "https://a.example"\n', "a list without its end ]"),
    ("x", "'x' is no setting"),
    ("rooms.ttl = 1\nrooms.ttl = 2", "option rooms.ttl: line 1 has a value for it already"),
    ("[[listen]]", "unknown section '[[listen]]' (did you mean [listen]?)"),
    ("[limtis]", "unknown section '[limtis]' (did you mean [limits]?)"),
    ("[redis.tls]", "unknown section '[redis.tls]' (did you mean [redis]?)"),
])
def test_nothing_in_the_file_is_passed_over(launcher, text, fault):
    file = write(launcher, text + "\n")
    line = len(text.rstrip().splitlines())
    assert launcher.run("--config", file) == (2, "", f"hostd: {file}:{line}: {fault}\n")


@pytest.mark.parametrize("section", ["[rooms]", '["rooms"]', "[default]\n[rooms]"])
def test_sections_that_there_are(launcher, section):
    told = effective(launcher, "--config", write(launcher, f"{section}\nttl = 7\n"))
    assert told["rooms.ttl"][0] == "7"


@pytest.mark.parametrize("text,fault", [
    ('turn.secret "s3cret"', "option turn.secret: needs a '=' behind its name"),
    ('turn.secret s3cret=', "option turn.secret: needs a '=' behind its name"),
    ('[turn]\nsecret: "s3cret"', "option turn.secret: needs a '=' behind its name"),
    ("turn.secret:s3cret", "option turn.secret: needs a '=' behind its name"),
    ("turn.secret", "option turn.secret: needs a '=' behind its name"),
    ('turn.secert "s3cret"', "unknown option 'turn.secert' (did you mean turn.secret?)"),
])
def test_what_stands_behind_a_name_is_not_told(launcher, text, fault):
    file = write(launcher, text + "\n")
    line = len(text.splitlines())
    assert launcher.run("--config", file) == (2, "", f"hostd: {file}:{line}: {fault}\n")


# --- The page to try it with, which has no token ---

@pytest.fixture
def with_page(launcher):
    if effective(launcher)["demo.enabled"][0] == "false":
        pytest.skip("hostd was built without the page")


def rsa_key(launcher):
    private, public = launcher.directory / "rsa.pem", launcher.directory / "rsa.pub"
    for command in (["genrsa", "-out", private, "2048"], ["rsa", "-in", private, "-pubout", "-out", public]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return public


@pytest.mark.parametrize("key", ["hs256", "rs256"])
def test_the_page_is_not_there_where_tokens_are_wanted(launcher, with_page, key):
    arguments = [f"--auth.jwt_{key}_key", SECRET if key == "hs256" else rsa_key(launcher)]
    assert effective(launcher, *arguments)["demo.enabled"] == ("false", "default")
    assert effective(launcher, *arguments, "--demo.enabled=no")["demo.enabled"][0] == "false"
    assert launcher.run("--check-config", *arguments, "--demo.enabled=yes") == (
        2, "", "hostd: --demo.enabled: option demo.enabled: does not go with auth.jwt_*: "
        "the page has no token, and would be refused every room\n")


# --- --print-config ---

def test_print_tells_every_option_and_its_source(launcher):
    file = write(launcher, "log.level = debug\n[rooms]\nttl = 007\n")
    told = effective(launcher, "--config", file, "-p", 0, "--limits.join_enabled", "off",
                     env={"SIGNALBOX_WORKERS": "2", "NODE_ENV": "test"})
    table = (ROOT / "packaging/docs/options.md").read_text()
    assert list(told) == re.findall(r"^\| `([\w.]+)`", table, re.MULTILINE)
    assert told["listen.host"] == ('"::"', "default")
    assert told["listen.port"] == ("0", "--listen.port")
    assert told["rooms.ttl"] == ("7", f"{file}:3")
    assert told["log.level"] == ('"debug"', f"{file}:1")
    assert told["limits.join_enabled"] == ("false", "--limits.join_enabled")
    assert told["workers"] == ("2", "SIGNALBOX_WORKERS")
    assert told["environment"] == ('"test"', "NODE_ENV")
    assert told["redis.url"] == (None, "default")


@pytest.mark.parametrize("environment", [
    "plain", "a # b", 'said "so"', "it's", "a,b", " a ", "[a]", "true", "1", "back\\slash"])
def test_what_is_printed_can_be_read(launcher, environment):
    arguments = ["--environment", environment, "--cors.origins", "https://a.example, http://b",
                 "--redis.sentinels", "h1,h2:2", "--redis.master_name", "m",
                 "--signaling.enabled", "yes"]
    first = effective(launcher, *arguments)
    _, printed, _ = launcher.run("--print-config", *arguments)
    again = effective(launcher, "--config", write(launcher, printed))
    assert first["environment"][0] is not None
    assert {name: value for name, (value, _) in again.items()} == {
        name: value for name, (value, _) in first.items()}


@pytest.mark.parametrize("environment", ["two\nlines", "both ' and \""])
def test_what_no_file_can_say_is_told(launcher, environment):
    assert effective(launcher, "--environment", environment)["environment"] == (
        None, "--environment")


def test_print_hides_secrets(launcher):
    arguments = ["--redis.url", f"redis://user:{SECRET.split()[0]}pass@h:1/2", "--redis.sentinels=h",
                 "--redis.master_name=m", f"--redis.sentinel_password={SECRET}"]
    status, out, _ = launcher.run("--print-config", *arguments,
                                  env={"SIGNALBOX_AUTH_JWT_HS256_KEY": SECRET})
    assert status == 0
    assert SECRET not in out and "apass" not in out
    assert "\n# auth.jwt_hs256_key = (hidden)  # SIGNALBOX_AUTH_JWT_HS256_KEY\n" in out
    assert "\n# redis.sentinel_password = (hidden)  # --redis.sentinel_password\n" in out
    assert "\n# redis.url = redis://(hidden)@h:1/2  # --redis.url\n" in out
    # Who reads it again misses them, and no more.
    again = effective(launcher, "--config", write(launcher, out))
    assert again["auth.jwt_hs256_key"] == ('""', "default")
    assert again["redis.master_name"][0] == '"m"'


def test_print_hides_secrets_that_look_like_a_url(launcher):
    status, out, _ = launcher.run("--print-config", "--turn.secret", "ab://cd", "--redis.sentinels=h",
                                  "--redis.master_name=m", "--redis.sentinel_password=ef://gh@ij",
                                  env={"SIGNALBOX_AUTH_JWT_HS256_KEY": f"h://{SECRET}"})
    assert status == 0
    assert "\n# turn.secret = (hidden)  # --turn.secret\n" in out
    assert "\n# redis.sentinel_password = (hidden)  # --redis.sentinel_password\n" in out
    assert "\n# auth.jwt_hs256_key = (hidden)  # SIGNALBOX_AUTH_JWT_HS256_KEY\n" in out


def test_a_password_in_what_is_no_url_is_not_told(launcher):
    status, _, err = launcher.run("--check-config", "--redis.url", "redis:/user:s3cret@host")
    assert status == 2
    assert "option redis.url: '***' is not allowed" in err


def test_print_shows_a_url_without_login(launcher):
    assert effective(launcher, "--redis", "redis://h:1")["redis.url"] == (
        '"redis://h:1"', "--redis.url")


def test_printed_settings_start_their_own_redis(launcher):
    _, printed, _ = launcher.run("--print-config", "-p", 0)
    launcher.serve("--config", write(launcher, printed))
    assert len(launcher.redis_directories()) == 1


def test_print_of_what_is_refused_prints_nothing(launcher):
    status, out, err = launcher.run("--print-config", "--tls.cert=/none")
    assert (status, out) == (2, "") and "tls.cert" in err


# --- The document ---

def test_the_table_of_options_is_that_of_the_code():
    program = Path(HOSTD).parent / "options_document"
    made = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    committed = (ROOT / "packaging/docs/options.md").read_text()
    assert committed == made, f"{os.path.relpath(program)} > packaging/docs/options.md"
