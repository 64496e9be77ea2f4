"""What operators get at admin.listen, and nobody at the port of clients."""

import http.client
import json
import queue
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import socketio

from conftest import DEADLINE

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "packaging/prometheus/alerts.yml"
DASHBOARD = ROOT / "packaging/grafana/signalbox.json"


def admin_url(hostd):
    return re.search(r'msg="operators are served" at=http://(\S+):(\d+)/', hostd.log())


def admin(hostd):
    """Where operators are served: host and port."""
    host, port = admin_url(hostd).groups()
    return host.strip("[]"), int(port)


def ask(hostd, path, method="GET", headers={}):
    connection = http.client.HTTPConnection(*admin(hostd), timeout=DEADLINE)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def metrics(hostd):
    """The values by name and labels, as they are written."""
    _, text = ask(hostd, "/metrics")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def wait_for(hostd, name, value):
    """Until a metric has this value: it only tells when it is asked."""
    deadline = time.monotonic() + DEADLINE
    while metrics(hostd)[name] != value:
        assert time.monotonic() < deadline, name
        time.sleep(0.05)


class Client:
    def __init__(self, url):
        self.socket = socketio.Client(reconnection=False)
        self.events = queue.Queue()
        self.socket.on("*", lambda event, *_: self.events.put(event))
        self.socket.connect(url, transports=["websocket"])

    def wait_for(self, event):
        while self.events.get(timeout=DEADLINE) != event:
            pass


def relay_once(hostd):
    """Two clients meet in a room, and one calls the other."""
    url = f"http://127.0.0.1:{hostd.port}"
    body = json.dumps({"roomId": "seen"}).encode()
    request = urllib.request.Request(f"{url}/api/create_room", body,
                                     {"Content-Type": "application/json"})
    assert json.load(urllib.request.urlopen(request, timeout=DEADLINE))["success"]
    clients = [Client(url), Client(url)]
    for client in clients:
        client.socket.emit("join", {"roomId": "seen"})
        client.wait_for("joinResponse")
    receiver = clients[1].socket.get_sid()
    clients[0].socket.emit("offer", {"peerId": receiver, "offer": {"sdp": "x"}})
    clients[1].wait_for("offer")
    return clients


@pytest.fixture
def watched(launcher):
    return launcher.serve("--listen.port", 0, "--admin.listen", 0)


def test_nobody_is_served_unless_it_is_wanted(launcher):
    hostd = launcher.serve("--listen.port", 0)
    assert admin_url(hostd) is None
    assert hostd.get("/metrics")[0].status == 404


def test_a_port_alone_is_one_of_loopback(watched):
    host, port = admin(watched)
    assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):  # as at any other address of this machine
        socket.create_connection(("127.0.0.2", port), timeout=DEADLINE)


def test_another_address_can_be_named(launcher):
    hostd = launcher.serve("--listen.port", 0, "--admin.listen", "127.0.0.2:0")
    assert admin(hostd)[0] == "127.0.0.2"
    assert ask(hostd, "/metrics")[0].status == 200


def test_clients_and_operators_have_ports_of_their_own(watched):
    assert watched.get("/metrics")[0].status == 404
    for path in ["/socket.io/?EIO=4&transport=polling", "/api/check_room", "/health", "/nothing"]:
        assert ask(watched, path)[0].status == 404, path


@pytest.mark.parametrize("host,status", [
    ("localhost", 200), ("localhost:99", 200), ("127.0.0.1:99", 200), ("[::1]:99", 200), ("[::1]", 200),
    ("evil.example", 403), ("evil.example:99", 403), ("127.0.0.1.evil.example", 403), ("[::2]:99", 403)])
def test_a_name_that_was_made_to_lead_here_is_refused(watched, host, status):
    for path in ["/", "/metrics"]:
        assert ask(watched, path, headers={"Host": host})[0].status == status


def test_elsewhere_than_at_loopback_names_are_the_operators(launcher):
    hostd = launcher.serve("--listen.port", 0, "--admin.listen", "0.0.0.0:0")
    _, port = admin(hostd)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    connection.request("GET", "/metrics", headers={"Host": "monitored.example"})
    assert connection.getresponse().status == 200
    connection.close()


def test_connections_that_ask_nothing_keep_nobody_out(watched):
    silent = [socket.create_connection(admin(watched), timeout=DEADLINE) for _ in range(70)]
    assert ask(watched, "/metrics")[0].status == 200
    for connection in silent:
        connection.close()


def test_the_page_is_whole(watched):
    response, page = ask(watched, "/")
    assert response.status == 200
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        assert ask(watched, path)[0].status == 200, path


def test_metrics_can_only_be_read(watched):
    response, body = ask(watched, "/metrics", "HEAD")
    assert (response.status, body) == (200, "")
    response, _ = ask(watched, "/metrics", "POST")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_metrics_are_as_prometheus_wants_them(watched):
    response, text = ask(watched, "/metrics")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                           capture_output=True, timeout=DEADLINE, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_documents_name_metrics_that_there_are(watched):
    names = {re.match(r"\w+", line).group() for line in metrics(watched)}
    told = {name.removesuffix(f"_{part}") for name in names for part in ("bucket", "count", "sum")}
    for page in (ROOT / "packaging/docs").glob("*.md"):
        for name in re.findall(r"\bsignalbox_[a-z_]+\w", page.read_text()):
            assert name in told, f"{page.name}: {name}"


def test_metrics_tell_of_all_workers(launcher):
    hostd = launcher.serve("--listen.port", 0, "--admin.listen", 0, "--workers", 3)
    values = metrics(hostd)
    assert [values.get(f'signalbox_sessions{{worker="{i}"}}') for i in range(1, 5)] == [0, 0, 0, None]


def test_metrics_follow_what_happens(watched):
    before = metrics(watched)
    clients = relay_once(watched)
    wait_for(watched, 'signalbox_nodes{worker="1"}', 1)  # the first heartbeat tells
    values = metrics(watched)
    assert values['signalbox_sessions{worker="1"}'] == 2
    assert values['signalbox_rooms{worker="1"}'] == 1
    assert values["signalbox_relays_total"] == 1
    for what, times in (("join_duration", 2), ("relay_duration", 1)):
        name = f"signalbox_{what}_seconds"
        assert values[f"{name}_count"] == times
        assert values[f'{name}_bucket{{le="+Inf"}}'] == times
        assert 0 < values[f"{name}_sum"] < DEADLINE
    round_trips = "signalbox_redis_round_trip_seconds_count"
    assert values[round_trips] > before[round_trips]
    for client in clients:
        client.socket.disconnect()
    wait_for(watched, 'signalbox_rooms{worker="1"}', 0)


@pytest.mark.parametrize("text", [
    "x", "70000", "-1", ":80", "1:2:3", "[::1]", "127.0.0.1:", "[]:1", "[:1", "]:1", "[::1:1", "::1]:1",
    "[127.0.0.1]:1", "[a]:1", "[::1]a:1", "[::1%]:1", "1.2.3.4.5:1", "1.2.3:1", "1.2.3.400:1", "a.7:1",
    "a..b:1", ".:1", "a b:1", "a/b:1", "http://a:1"])
def test_what_is_no_address_is_refused(launcher, text):
    status, _, err = launcher.run("--listen.port", 0, f"--admin.listen={text}")
    assert status == 2
    assert "admin.listen" in err
    assert "a port, or host:port" in err


@pytest.mark.parametrize("text", [
    "127.0.0.1:1", "[::1]:1", "[fe80::1%eth0]:1", "[::ffff:1.2.3.4]:1", "localhost:1", "a-b.example:1",
    "1.example:1", "a_b:1"])
def test_what_may_be_an_address_is_taken(launcher, text):
    assert launcher.run("--check-config", "--admin.listen", text) == (0, "", "")


def test_the_port_of_clients_is_refused(launcher, free_port):
    status, _, err = launcher.run("--listen.port", free_port, "--admin.listen", free_port)
    assert status == 2
    assert "option admin.listen: needs a port of its own, not listen.port" in err


def test_a_port_of_clients_that_is_not_used_is_free(launcher):
    assert launcher.run("--check-config", "--listen.fd", 3, "--listen.port", 3001,
                        "--admin.listen", 3001) == (0, "", "")


def test_a_port_that_is_taken_is_told(launcher):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, out, err = launcher.run("--listen.port", 0, "--admin.listen", port)
    assert (status, out) == (1, "")
    assert re.search(rf'msg="cannot serve operators" error=".*{port}.* option=admin\.listen$', err,
                     re.MULTILINE), err


class Prometheus:
    """The real one, which asks a hostd each second and knows our alerts."""

    def __init__(self, directory, port, target):
        configuration = directory / "prometheus.yml"
        configuration.write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ALERTS)],
            "scrape_configs": [{"job_name": "signalbox", "static_configs": [{"targets": [target]}]}],
        }))
        self.url = f"http://127.0.0.1:{port}/api/v1"
        with (directory / "prometheus.log").open("w") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "prometheus", f"--config.file={configuration}",
                 f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}"],
                stdout=log, stderr=log)

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/{path}?{query}", timeout=DEADLINE) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def wait_for(self, expression):
        """Until it has a value; it only tells when it is asked."""
        deadline = time.monotonic() + 3 * DEADLINE
        while time.monotonic() < deadline:
            try:
                if result := self.query(expression):
                    return result
            except OSError:
                pass  # it has not started yet
            time.sleep(0.1)
        raise AssertionError(f"{expression} has no value: {self.get('targets')}")


@pytest.fixture
def prometheus(launcher, watched, free_port):
    host, port = admin(watched)
    running = Prometheus(launcher.directory, free_port, f"{host}:{port}")
    yield running
    running.process.terminate()
    running.process.wait(DEADLINE)


def expressions_of_dashboard():
    """What its panels ask for, as Grafana would write it."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    assert found
    return [each.replace("$__rate_interval", "1m").replace("$job", ".+") for each in found]


def test_a_real_prometheus_sees_it_all(watched, prometheus):
    relay_once(watched)
    prometheus.wait_for("signalbox_relays_total == 1")
    # A rate takes two scrapes.
    prometheus.wait_for("count_over_time(signalbox_relays_total[1m]) >= 3")
    told = set(prometheus.get("label/__name__/values"))
    for expression in expressions_of_dashboard():
        assert prometheus.query(expression), expression
    (group,) = prometheus.get("rules")["groups"]
    for rule in group["rules"]:
        assert rule["health"] == "ok", rule
        assert rule["state"] != "firing", rule  # one is pending: the first rate is 0
        names = set(re.findall(r"\b(?:signalbox|process)_\w+|\bup\b", rule["query"]))
        assert names and names <= told, rule["query"]


def test_alerts_tell_of_trouble_and_of_nothing_else():
    for command in (["check", "rules", ALERTS], ["test", "rules", ROOT / "tests/hostd/alerts_test.yml"]):
        check = subprocess.run(["promtool", *command], text=True, capture_output=True,
                               timeout=DEADLINE, check=False)
        assert check.returncode == 0, check.stdout + check.stderr
