"""Two peers find each other: a test against a server of its own, with nothing to set up.

    pytest two_peers_test.py
"""

import queue
from typing import Any, Iterator

import pytest
import requests
import signalbox
import socketio  # type: ignore[import]

pytest_plugins = ["signalbox.pytest_plugin"]

PATIENCE = 10  # seconds


class Peer:
    """A client that keeps what it receives, in order."""

    def __init__(self, url: str) -> None:
        self.received: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda event, data: self.received.put((event, data)))
        self.client.connect(url, wait_timeout=PATIENCE)
        self.id: str = self.client.get_sid()

    def join(self, room: str) -> None:
        self.client.emit("join", {"roomId": room})
        event, answer = self.receive()
        assert event == "joinResponse" and answer["success"], answer

    def send(self, event: str, peer: "Peer", **members: Any) -> None:
        self.client.emit(event, {"peerId": peer.id, "from": self.id, **members})

    def receive(self) -> tuple[str, Any]:
        return self.received.get(timeout=PATIENCE)


@pytest.fixture
def peers(signalbox_engine: signalbox.Engine) -> Iterator[tuple[Peer, Peer]]:
    """A caller and a callee, in one room."""
    url = signalbox_engine.url
    requests.post(f"{url}/api/create_room", json={"roomId": "meeting"}, timeout=PATIENCE)
    caller, callee = Peer(url), Peer(url)
    caller.join("meeting")
    callee.join("meeting")
    assert caller.receive() == ("ready", {"peerId": callee.id})
    yield caller, callee
    caller.client.disconnect()
    callee.client.disconnect()


def test_offer_answer_and_candidates_arrive(peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    caller.send("offer", callee, offer={"type": "offer", "sdp": "v=0"})
    assert callee.receive() == (
        "offer", {"offer": {"type": "offer", "sdp": "v=0"}, "from": caller.id, "peerId": caller.id})

    callee.send("answer", caller, answer={"type": "answer", "sdp": "v=0"})
    event, data = caller.receive()
    assert (event, data["answer"]["type"]) == ("answer", "answer")

    for sender, receiver in ((caller, callee), (callee, caller)):
        sender.send("ice-candidate", receiver, candidate={"candidate": "candidate:1"})
        event, data = receiver.receive()
        assert (event, data["peerId"]) == ("ice-candidate", sender.id)


def test_peer_is_told_who_has_gone(peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    callee.client.disconnect()
    assert caller.receive() == ("peer-disconnected", {"peerId": callee.id})


def test_room_can_be_closed_to_some(signalbox_engine: signalbox.Engine) -> None:
    @signalbox_engine.on_create_room
    def on_create_room(request: signalbox.RoomRequest) -> None:
        raise signalbox.Refuse("closed today")

    url = f"{signalbox_engine.url}/api/create_room"
    answer = requests.post(url, json={"roomId": "meeting"}, timeout=PATIENCE)
    assert answer.json() == {"success": False, "message": "closed today"}
