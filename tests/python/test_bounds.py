"""Whatever a client can make the server hold or do has a bound. Each is hit here from outside, over bare
sockets, and the counter that tells the operator must rise."""

import base64
import json
import os
import socket
import struct
import time

import pytest
import signalbox

from conftest import PATIENCE

ADDRESS = "127.0.0.1"
NEVER = 3600  # seconds; windows that no test lives to see
SOON = 100  # milliseconds


class Raw:
    """A connection to an engine. What is not read stays unread."""

    def __init__(self, engine):
        self.socket = socket.create_connection((ADDRESS, engine.port), timeout=PATIENCE)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def request(self, method, path, body="", headers=""):
        """Sends it and gives the status and the body of the answer."""
        self.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
                  f"Content-Type: application/json\r\n{headers}\r\n{body}")
        head = self.read_until(b"\r\n\r\n").decode()
        fields = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if line)
        return int(head.split(" ")[1]), self.read(int(fields.get("content-length", 0))).decode()

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data)) or pytest.fail("the connection has ended")
        return data

    def read_until(self, end):
        data = b""
        while not data.endswith(end):
            data += self.read(1)
        return data

    def read_text(self):
        """The payload of the next frame, which is not masked."""
        size = self.read(2)[1]
        return self.read(struct.unpack(">H", self.read(2))[0] if size == 126 else size).decode()


class WebSocket(Raw):
    def __init__(self, engine, session=""):
        super().__init__(engine)
        self.send(f"GET {path('websocket', session)} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n")
        self.read_until(b"\r\n\r\n")
        if not session:
            self.read_text()

    def send_text(self, text):
        """Masked with zeros; bytes as they are."""
        data = text if isinstance(text, bytes) else text.encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.send(b"\x81" + size + bytes(4) + data)

    def connect(self):
        self.send_text("40")
        self.read_text()
        return self

    def ask(self, event, **payload):
        self.send_text("42" + json.dumps([event, payload]))
        return json.loads(self.read_text()[2:])[1]


class Polling(Raw):
    def __init__(self, engine):
        super().__init__(engine)
        self.session = json.loads(self.request("GET", path("polling"))[1][1:])["sid"]

    def post(self, packets):
        return self.request("POST", path("polling", self.session), packets)

    def connect(self):
        self.post("40")
        self.request("GET", path("polling", self.session))
        return self


def path(transport, session=""):
    return f"/socket.io/?EIO=4&transport={transport}" + (f"&sid={session}" if session else "")


def create_room(engine, room):
    return Raw(engine).request("POST", "/api/create_room", json.dumps({"roomId": room}))


# --- What clients do, one function a bound; those in rooms need Redis ---

def connect_twice(engine):
    return Raw(engine), Raw(engine)


def open_two_sessions(engine):
    for _ in range(2):
        client = Raw(engine)
        client.request("GET", path("polling"), headers="Connection: close\r\n")
        assert client.socket.recv(1) == b""


def open_sessions_until_refused(engine):
    """One is counted behind its handshake: the next may still be let in."""
    while Raw(engine).request("GET", path("polling"))[0] == 200:
        pass


def send_a_long_header(engine):
    Raw(engine).request("GET", "/", headers=f"X: {'x' * 1024}\r\n")


def send_many_headers(engine):
    Raw(engine).request("GET", "/", headers="X: x\r\n" * 10)


def begin_a_request(engine):
    client = Raw(engine)
    client.send("GET / HTTP/1.1\r\n")
    return client


def post_a_large_body(engine):
    assert create_room(engine, "a room with a name")[0] == 413


def post_a_large_payload(engine):
    assert Polling(engine).post("4" + "x" * 200)[0] == 413


def post_to_a_full_server(engine):
    assert Polling(engine).post("4" + "x" * 20_000)[0] == 503


def send_a_large_message(engine):
    client = WebSocket(engine)
    client.send_text("4" + "x" * 200)
    return client


def announce_two_attachments(engine):
    client = WebSocket(engine).connect()
    client.send_text('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    return client


def nest(levels):
    return "[" * levels + "]" * levels


def send_text_that_is_none(engine):
    web_socket = WebSocket(engine).connect()
    web_socket.send_text(b"42[\"\xff\"]")
    assert web_socket.read(4) == b"\x88\x02" + struct.pack(">H", 1007)


def nest_deeply(engine):
    client = WebSocket(engine).connect()
    client.send_text("42" + '["x",' + nest(64) + "]")
    return client


def read_nothing(engine):
    engine.on("anything")(lambda socket: None)  # a namespace is there when it has a handler
    client = Polling(engine).connect()
    engine.emit("news", "x" * 20_000)
    return client


def send_many_packets(engine):
    client = WebSocket(engine)
    for _ in range(10):
        client.send_text("3")
    return client


def begin_an_upgrade(engine):
    client = Polling(engine)
    probe = WebSocket(engine, client.session)
    probe.send_text("2probe")
    return client, probe


def connect_to_no_namespace(engine):
    return WebSocket(engine)


def answer_no_ping(engine):
    return WebSocket(engine).connect()


# A node that has just begun may not be known to Redis yet: its first joins fail.
def fill_a_room(engine):
    create_room(engine, "small")
    first, second = WebSocket(engine).connect(), WebSocket(engine).connect()
    eventually("a join", lambda: first.ask("join", roomId="small")["success"])
    assert not second.ask("join", roomId="small")["success"]


def create_two_rooms(engine):
    assert [create_room(engine, room)[0] for room in ("one", "two")] == [200, 429]


def check_two_rooms(engine):
    asked = [Raw(engine).request("POST", "/api/check_room", json.dumps({"roomId": room}))
             for room in ("one", "two")]
    assert [status for status, _ in asked] == [200, 429]


def report_two_referrers(engine):
    for ref in ("one", "two"):
        body = json.dumps({"ref": ref, "timestamp": int(time.time() * 1000)})
        Raw(engine).request("POST", "/api/set_track", body)


def ask_twice_for_ice_servers(engine):
    asked = [Raw(engine).request("GET", "/api/ice_servers") for _ in range(2)]
    assert [status for status, _ in asked] == [200, 429]


def guess_twice(engine):
    client = WebSocket(engine).connect()
    eventually("a wrong guess", lambda: "not exist" in client.ask("join", roomId="nowhere")["message"])
    client.ask("join", roomId="elsewhere")


def join_twice(engine):
    create_room(engine, "often")
    first, second = WebSocket(engine).connect(), WebSocket(engine).connect()
    eventually("a join", lambda: first.ask("join", roomId="often")["success"])
    assert "Rate limit" in second.ask("join", roomId="often")["message"]


# Bound, what hits it, the counter that rises. Depth has no option: nobody needs another.
ALONE = [
    ({"limits_connections": 1}, connect_twice, "connections_refused"),
    ({"limits_connections": 1}, open_two_sessions, "sessions_refused"),
    ({"limits_connections_per_ip": 1, "proxy_trusted": []}, connect_twice,
     "connections_refused_address"),
    ({"limits_handshakes": 1}, connect_twice, "handshakes_displaced"),
    ({"limits_packet_count": 5, "limits_packet_window": NEVER}, send_many_packets, "clients_slowed"),
    ({"http_max_header": 1024}, send_a_long_header, "requests_malformed"),
    ({"http_max_headers": 5}, send_many_headers, "requests_malformed"),
    ({"http_request_timeout": SOON}, begin_a_request, "handshakes_timed_out"),
    ({"engineio_max_payload": 100}, post_a_large_payload, "bodies_too_large"),
    ({"engineio_max_payload": 100}, send_a_large_message, "messages_too_large"),
    ({"engineio_max_buffered": 1000}, read_nothing, "sessions_slow_reader"),
    ({"engineio_max_buffered_total": 10_000}, read_nothing, "sessions_slow_reader"),
    ({"engineio_max_buffered_total": 10_000}, post_to_a_full_server, "bodies_refused"),
    ({"engineio_upgrade_timeout": SOON}, begin_an_upgrade, "upgrades_timed_out"),
    ({"engineio_ping_interval": SOON, "engineio_ping_timeout": SOON}, answer_no_ping,
     "sessions_silent"),
    ({"socketio_max_attachments": 1}, announce_two_attachments, "packets_invalid"),
    ({"socketio_connect_timeout": SOON}, connect_to_no_namespace, "sessions_idle"),
    ({}, nest_deeply, "packets_invalid"),
    ({}, send_text_that_is_none, "packets_invalid"),
]
IN_ROOMS = [
    ({"http_max_body": 10}, post_a_large_body, "bodies_too_large"),
    ({"limits_room_size": 1}, fill_a_room, "rooms_full"),
    ({"limits_join_count": 1, "limits_join_window": NEVER}, join_twice, "requests_limited"),
    ({"limits_create_count": 1}, create_two_rooms, "requests_limited"),
    ({"limits_check_count": 1, "limits_check_window": NEVER}, check_two_rooms, "requests_limited"),
    ({"limits_guess_count": 1}, guess_twice, "requests_limited"),
    ({"limits_guess_count": 2}, guess_twice, "guesses"),
    ({"limits_track_count": 1, "limits_track_window": NEVER}, report_two_referrers,
     "requests_limited"),
    ({"limits_ice_count": 1, "turn_urls": "stun:stun.example"}, ask_twice_for_ice_servers,
     "requests_limited"),
    ({"limits_connect_count": 1, "limits_connect_window": NEVER}, open_sessions_until_refused,
     "sessions_limited"),
    ({"limits_referrers": 1}, report_two_referrers, "referrers_as_other"),
]


def named(rows):
    return [pytest.param(*row, id=f"{'+'.join(row[0]) or 'always'}-{row[1].__name__}")
            for row in rows]


def eventually(what, happened):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def assert_rises(engine, hit, counter):
    assert engine.counters[counter] == 0
    kept = hit(engine)  # noqa: F841: connections that stay open
    eventually(f"{counter} rises", lambda: engine.counters[counter] > 0)


@pytest.mark.parametrize("bound, hit, counter", named(ALONE))
def test_bound(bound, hit, counter):
    with signalbox.Engine(0, ADDRESS, signaling_enabled=False, **bound) as engine:
        assert_rises(engine, hit, counter)


@pytest.mark.parametrize("bound, hit, counter", named(IN_ROOMS))
def test_bound_in_rooms(bound, hit, counter, signalbox_redis_url):
    options = {"limits_join_enabled": "limits_join_count" in bound, **bound}
    with signalbox.Engine(0, ADDRESS, redis_url=signalbox_redis_url, **options) as engine:
        eventually("Redis is reached", lambda: Raw(engine).request("GET", "/health")[0] == 200)
        assert_rises(engine, hit, counter)


def test_every_limit_is_hit():
    tried = {option for bound, *_ in ALONE + IN_ROOMS for option in bound}
    limits = {option for option in signalbox.OPTIONS if option.startswith("limits_")}
    assert {each for each in limits - tried if not each.endswith(("_window", "_enabled"))} == set()
