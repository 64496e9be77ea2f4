"""The room application with hooks in Python."""

import asyncio
import queue

import pytest
import requests
import signalbox

from conftest import PATIENCE


@pytest.fixture
def signalbox_options():
    return {"limits_join_enabled": False}


def create(engine, room):
    return requests.post(f"{engine.url}/api/create_room", json={"roomId": room}, timeout=PATIENCE)


def join(client, room):
    client.emit("join", {"roomId": room})
    event, answer = client.receive()
    assert event == "joinResponse"
    return answer


def test_handshake_of_two_peers(signalbox_engine, connect):
    engine = signalbox_engine
    assert create(engine, "handshake").json()["success"]
    caller, callee = connect(engine), connect(engine)
    assert join(caller, "handshake")["success"]
    assert join(callee, "handshake")["success"]
    assert caller.receive() == ("ready", {"peerId": callee.id})

    def relay(sender, receiver, event, member, value):
        sender.emit(event, {"peerId": receiver.id, "from": sender.id, member: value})
        assert receiver.receive() == (
            event, {member: value, "from": sender.id, "peerId": sender.id})

    relay(caller, callee, "offer", "offer", {"type": "offer", "sdp": "v=0\r\n"})
    relay(callee, caller, "answer", "answer", {"type": "answer", "sdp": "v=0\r\n"})
    for number in range(3):
        relay(caller, callee, "ice-candidate", "candidate", {"candidate": f"candidate:{number}"})
        relay(callee, caller, "ice-candidate", "candidate", {"candidate": f"candidate:{-number}"})
    id = callee.id
    callee.disconnect()
    assert caller.receive() == ("peer-disconnected", {"peerId": id})


def test_hooks_tell_the_life_of_a_room(signalbox_engine, connect):
    engine, told = signalbox_engine, queue.Queue()
    engine.on_room_created(lambda room: told.put(("created", room)))
    engine.on_joined(lambda room, socket: told.put(("joined", room, socket.id)))
    engine.on_left(lambda room, socket: told.put(("left", room, socket.id)))
    engine.on_refused(lambda room, socket, reason: told.put(("refused", room, socket.id, reason)))

    create(engine, "hooked-room")
    assert told.get(timeout=PATIENCE) == ("created", "hooked-room")
    client = connect(engine)
    id = client.id
    join(client, "no-such-room")
    assert told.get(timeout=PATIENCE) == ("refused", "no-such-room", id, "Room does not exist")
    join(client, "hooked-room")
    assert told.get(timeout=PATIENCE) == ("joined", "hooked-room", id)
    client.disconnect()
    assert told.get(timeout=PATIENCE) == ("left", "hooked-room", id)


def test_creation_of_a_room_can_be_refused(signalbox_engine):
    @signalbox_engine.on_create_room
    def on_create_room(request):
        assert request.socket is None and request.address == "127.0.0.1"
        if request.room.startswith("private"):
            raise signalbox.Refuse("no private rooms")

    assert create(signalbox_engine, "private-room").json() == {
        "success": False, "message": "no private rooms"}
    assert create(signalbox_engine, "public-room").json()["success"]


def test_requests_for_rooms_tell_who_asks(signalbox_engine, connect):
    engine, asked = signalbox_engine, queue.Queue()
    engine.on_create_room(asked.put)
    engine.on_join_room(asked.put)
    requests.post(f"{engine.url}/api/create_room?plan=a%20b", json={"roomId": "asked-room"},
                  headers={"Authorization": "me"}, timeout=PATIENCE)
    creation = asked.get(timeout=PATIENCE)
    assert creation.headers["authorization"] == "me"
    assert creation.query == {"plan": "a b"}
    client = connect(engine)
    assert join(client, "asked-room")["success"]
    entry = asked.get(timeout=PATIENCE)
    assert (entry.socket.id, entry.headers, entry.query) == (client.id, {}, {})


def test_creation_of_a_room_can_be_refused_later(signalbox_engine):
    @signalbox_engine.on_create_room
    async def on_create_room(request):
        await asyncio.sleep(0)
        return request.room == "allowed-room"

    assert not create(signalbox_engine, "other-room").json()["success"]
    assert create(signalbox_engine, "allowed-room").json()["success"]


@pytest.mark.parametrize("later", [False, True])
def test_join_can_be_refused(signalbox_engine, connect, later):
    def decide(request):
        if request.socket.data != "member":
            raise signalbox.Refuse("members only")

    async def decide_later(request):
        await asyncio.sleep(0)
        decide(request)

    @signalbox_engine.on_connect
    def on_connect(request):
        request.socket.data = request.auth.get("role")

    signalbox_engine.on_join_room(decide_later if later else decide)
    create(signalbox_engine, "members-room")
    stranger, member = connect(signalbox_engine), connect(signalbox_engine, auth={"role": "member"})
    assert join(stranger, "members-room") == {
        "success": False, "message": "members only", "roomId": "members-room"}
    assert join(member, "members-room")["success"]
    assert stranger.inbox.empty()  # it is in no room, and so not told that there is a peer


def test_exception_refuses_the_join(signalbox_engine, connect, errors):
    @signalbox_engine.on_join_room
    def on_join_room(request):
        raise RuntimeError("database lost")

    create(signalbox_engine, "broken-room")
    answer = join(connect(signalbox_engine), "broken-room")
    assert not answer["success"] and "database" not in answer["message"]
    assert "RuntimeError: database lost" in errors()[0]


def test_emit_to_the_peers_of_a_room(signalbox_engine, connect):
    create(signalbox_engine, "peers-room")
    first, second, outside = (connect(signalbox_engine) for _ in range(3))
    join(first, "peers-room")
    join(second, "peers-room")
    assert first.receive()[0] == "ready"
    signalbox_engine.emit_to_peers("peers-room", "news", b"1", skip=first.id)
    signalbox_engine.emit_to_peers("peers-room", "news", b"2")
    signalbox_engine.emit("end")
    assert [second.receive() for _ in range(3)] == [("news", b"1"), ("news", b"2"), ("end",)]
    assert [first.receive() for _ in range(2)] == [("news", b"2"), ("end",)]
    assert outside.receive() == ("end",)


def test_events_of_the_room_application_are_its_own(signalbox_engine, engine):
    with pytest.raises(signalbox.InvalidError, match="offer"):
        signalbox_engine.on("offer")(print)
    with pytest.raises(signalbox.StateError):
        engine.emit_to_peers("room", "news")
    engine.on("offer")(print)
