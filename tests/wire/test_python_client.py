"""Rows of the contract again with python3-socketio, an implementation of its own."""

import asyncio
import contextlib
import itertools
import pathlib
import queue
import re
import ssl
import sys

import aiohttp
import pytest
import requests
import socketio

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from hostd import PATIENCE, Server  # noqa: E402

TRANSPORTS = [["polling"], ["websocket"], None]  # None: polling, then an upgrade
RELAYS = [("offer", "offer"), ("answer", "answer"), ("ice-candidate", "candidate")]
serial = itertools.count(1)


@pytest.fixture(scope="module")
def server():
    running = Server(limits__join_enabled="false")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def limited_server():
    running = Server()
    yield running
    running.stop()


def session(server):
    """For requests, and for clients: trusts the server's certificate."""
    made = requests.Session()
    made.verify = server.ca or True
    made.trust_env = False  # REQUESTS_CA_BUNDLE would take precedence
    return made


class Peer:
    """A client that keeps what it receives, in order."""

    def __init__(self, server, transports, headers=None):
        self.client = socketio.Client(reconnection=False, http_session=session(server))
        self.inbox = queue.Queue()
        for event in ("joinResponse", "ready", "offer", "answer", "ice-candidate", "initiator-online",
                      "recipient-ready", "peer-disconnected"):
            self.client.on(event, lambda data, event=event: self.inbox.put((event, data)))
        self.client.connect(server.url, headers=headers or {}, transports=transports,
                            wait_timeout=PATIENCE)

    @property
    def id(self):
        return self.client.get_sid()

    def emit(self, event, data):
        self.client.emit(event, data)

    def expect(self, event, data):
        """The next thing that arrives is exactly this."""
        assert self.inbox.get(timeout=PATIENCE) == (event, data)

    def join(self, room):
        self.emit("join", {"roomId": room})
        event, data = self.inbox.get(timeout=PATIENCE)
        assert event == "joinResponse"
        return data

    def close(self):
        self.client.disconnect()


@pytest.fixture(params=TRANSPORTS, ids=["polling", "websocket", "upgrade"])
def peers(request, server):
    """A function that connects clients; they are closed after the test."""
    opened = []

    def connect(on=server, headers=None):
        opened.append(Peer(on, request.param, headers))
        return opened[-1]

    yield connect
    for peer in opened:
        peer.close()


def new_room(server):
    room = f"python-room-{next(serial)}"
    answer = session(server).post(f"{server.url}/api/create_room", json={"roomId": room},
                                  timeout=PATIENCE)
    assert answer.json() == {"success": True, "message": "create room success"}
    return room


def joined(room):
    return {"success": True, "message": "Successfully joined room", "roomId": room}


def meet(server, connect):
    room = new_room(server)
    a, b = connect(), connect()
    assert a.join(room) == joined(room)
    assert b.join(room) == joined(room)
    a.expect("ready", {"peerId": b.id})
    return room, a, b


def test_join_and_ready(server, peers):
    room, a, b = meet(server, peers)
    assert sorted(server.redis_command("SMEMBERS", f"room:{room}:sockets")) == sorted([a.id, b.id])
    assert server.redis_command("GET", f"socket:{a.id}") == room
    assert 86390 < server.redis_command("TTL", f"room:{room}") <= 86400


def test_join_again_says_ready_again(server, peers):
    room, a, b = meet(server, peers)
    assert a.join(room) == joined(room)
    b.expect("ready", {"peerId": a.id})


def test_join_of_an_absent_room_and_of_a_second_one(server, peers):
    room, a, _ = meet(server, peers)
    stranger = peers()
    assert stranger.join("no-such-room") == {
        "success": False, "message": "Room does not exist", "roomId": "no-such-room"}
    other = new_room(server)
    assert a.join(other) == {
        "success": False, "message": "Socket is already bound to another room", "roomId": other}
    assert server.redis_command("GET", f"socket:{a.id}") == room


@pytest.mark.parametrize("event,member", RELAYS)
def test_relay(server, peers, event, member):
    _, a, b = meet(server, peers)
    payload = {"sdp": "v=0\r\né😀", "list": [1, None, True]}
    a.emit(event, {"peerId": b.id, "from": "me", member: payload, "extra": 1})
    b.expect(event, {member: payload, "from": "me", "peerId": a.id})
    b.emit(event, {"peerId": a.id, member: None})
    a.expect(event, {member: None, "peerId": b.id})


def test_binary_relay(server, peers):
    _, a, b = meet(server, peers)
    data = bytes(range(256))
    a.emit("offer", {"peerId": b.id, "from": a.id, "offer": {"data": data}})
    b.expect("offer", {"offer": {"data": data}, "from": a.id, "peerId": a.id})


def test_room_events(server, peers):
    room, a, b = meet(server, peers)
    a.emit("initiator-online", {"roomId": room})
    b.expect("initiator-online", {"roomId": room})
    b.emit("recipient-ready", {"roomId": room, "peerId": b.id})
    a.expect("recipient-ready", {"peerId": b.id})


def test_nothing_from_outside_the_room(server, peers):
    room, a, b = meet(server, peers)
    stranger = peers()
    stranger.emit("offer", {"peerId": a.id, "offer": "no"})
    stranger.emit("initiator-online", {"roomId": room})
    assert not stranger.join("no-such-room")["success"]  # the answer comes after both were read
    b.emit("answer", {"peerId": a.id, "answer": "fence"})
    a.expect("answer", {"answer": "fence", "peerId": b.id})
    assert a.inbox.empty()


def test_peer_disconnected(server, peers):
    room, a, b = meet(server, peers)
    gone = a.id
    a.close()
    b.expect("peer-disconnected", {"peerId": gone})
    assert b.join(room)["success"]  # answered after Redis has dealt with what happened before
    assert server.redis_command("SMEMBERS", f"room:{room}:sockets") == [b.id]
    assert server.redis_command("EXISTS", f"socket:{gone}") == 0


def test_leave_room(server, peers):
    room, a, b = meet(server, peers)
    answer = session(server).post(f"{server.url}/api/leave_room",
                                  json={"roomId": room, "socketId": b.id}, timeout=PATIENCE)
    assert answer.json() == {"success": True, "message": "Successfully left the room"}
    for peer in (a, b):
        peer.expect("peer-disconnected", {"peerId": b.id})


def test_join_limit(limited_server, peers):
    headers = {"X-Forwarded-For": f"203.0.113.{next(serial) % 250}"}
    room = new_room(limited_server)
    for _ in range(2):
        assert peers(limited_server, headers).join(room) == joined(room)
    refused = peers(limited_server, headers).join(room)
    assert not refused["success"] and refused["roomId"] == room
    assert re.fullmatch(r"Rate limit exceeded\. Try again in [1-5]s\. Attempts left: 0\.",
                        refused["message"])


def test_unknown_namespace(server):
    client = socketio.Client(reconnection=False, http_session=session(server))
    errors = queue.Queue()
    client.on("connect_error", errors.put, namespace="/admin")
    client.connect(server.url, namespaces=["/admin"], wait=False)
    assert errors.get(timeout=PATIENCE) == {"message": "Invalid namespace"}
    client.disconnect()


@pytest.mark.parametrize("transports", TRANSPORTS, ids=["polling", "websocket", "upgrade"])
def test_comes_back_by_itself_after_its_server_was_ended(transports):
    server = Server(limits__join_enabled="false")
    client = socketio.Client(reconnection_delay=0.05, randomization_factor=0)
    ids = queue.Queue()
    client.on("connect", lambda: ids.put(client.get_sid()))
    try:
        client.connect(server.url, transports=transports, wait_timeout=PATIENCE)
        first = ids.get(timeout=PATIENCE)
        server.restart()
        assert ids.get(timeout=PATIENCE) != first
    finally:
        client.disconnect()
        server.stop()


# Not with threads: CPython 3.11 lets two of them into one TLS connection at a time.
@pytest.mark.parametrize("transports", TRANSPORTS, ids=["polling", "websocket", "upgrade"])
def test_over_tls(transports):
    server = Server(tls=True, limits__join_enabled="false")
    try:
        asyncio.run(relay_over_tls(server, transports))
    finally:
        server.stop()


async def relay_over_tls(server, transports):
    context = ssl.create_default_context(cafile=server.ca)
    room = f"python-room-{next(serial)}"
    async with contextlib.AsyncExitStack() as stack:
        async def connect():
            connector = aiohttp.TCPConnector(ssl=context)
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            client = socketio.AsyncClient(reconnection=False, http_session=http)
            inbox = asyncio.Queue()
            for event in ("joinResponse", "ready", "offer"):
                client.on(event, lambda data, event=event: inbox.put_nowait((event, data)))
            await client.connect(server.url, transports=transports, wait_timeout=PATIENCE)
            stack.push_async_callback(client.disconnect)
            await client.emit("join", {"roomId": room})
            event, data = await asyncio.wait_for(inbox.get(), PATIENCE)
            assert (event, data["success"]) == ("joinResponse", True)
            return client, inbox

        with session(server) as http:
            created = http.post(f"{server.url}/api/create_room", json={"roomId": room}, timeout=PATIENCE)
            assert created.json()["success"]
        first, first_inbox = await connect()
        second, second_inbox = await connect()
        ready = await asyncio.wait_for(first_inbox.get(), PATIENCE)
        assert ready == ("ready", {"peerId": second.get_sid()})
        offer = {"type": "offer", "sdp": "x" * 100_000}
        await first.emit("offer", {"peerId": second.get_sid(), "from": first.get_sid(), "offer": offer})
        event, data = await asyncio.wait_for(second_inbox.get(), PATIENCE)
        assert (event, data["offer"], data["from"]) == ("offer", offer, first.get_sid())
