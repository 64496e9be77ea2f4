"""A chat in Python: rooms, names, a coroutine that asks somebody else, a page over HTTP.

    python3 chat.py [PORT]
"""

import asyncio
import sys

import signalbox

engine = signalbox.Engine(int(sys.argv[1]) if len(sys.argv) > 1 else 3000, signaling_enabled=False)
talkers: dict[str, int] = {}


@engine.on_connect
async def on_connect(request: signalbox.Connect) -> None:
    await asyncio.sleep(0)  # here one asks a database
    name = request.auth.get("name")
    if not isinstance(name, str) or not name:
        raise signalbox.Refuse("tell your name", {"field": "name"})
    request.socket.data = name


@engine.on("enter")
def enter(socket: signalbox.Socket, room: str) -> int:
    """Acknowledged with the number of those who have entered."""
    socket.join(room)
    talkers[room] = talkers.get(room, 0) + 1
    engine.emit("entered", socket.data, room=room, skip=socket)
    return talkers[room]


@engine.on("say")
def say(socket: signalbox.Socket, room: str, text: str, *attachments: bytes) -> None:
    engine.emit("said", socket.data, text, *attachments, room=room)


@engine.mount("/rooms")
def rooms(request: signalbox.Request) -> dict[str, int]:
    return talkers


if __name__ == "__main__":
    engine.run()
