"""What a Python handler costs per event.

    PYTHONPATH=build/bindings/python python3 bindings/python/bench/handler_cost.py [EVENTS]

A client in a process of its own sends the same events again and again over one WebSocket; measured
is the CPU time of the server's process. The floor is an event without a handler, which never gets to
Python. Prints for each kind of handler microseconds per event, and the ratio to the floor.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Callable

import signalbox

ROUNDS = 5


def frame(text: str) -> bytes:
    """A WebSocket text frame of a client; the mask is zero, which changes nothing."""
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def send_events(port: int, event: str, count: int) -> None:
    """The client: connects, sends the events, and returns once the last was acknowledged."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\n"
                           f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
                           f"\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        wait_for(connection, b'"sid"')
        connection.sendall(frame("40"))
        wait_for(connection, b"40{")
        one = frame("42" + json.dumps([event, {"number": 1, "text": "some text"}]))
        data = one * count + frame('421["last"]')
        sending = threading.Thread(target=connection.sendall, args=(data,))
        sending.start()  # beside it we read: a client that does not is closed
        wait_for(connection, b"431[]")
        sending.join()


def wait_for(connection: socket.socket, text: bytes) -> None:
    received = b""
    while text not in received:
        more = connection.recv(65536)
        assert more, f"the server has closed; {text!r} did not come"
        received = received[-64:] + more


def plain(socket: signalbox.Socket, argument: Any) -> None:
    pass


async def coroutine(socket: signalbox.Socket, argument: Any) -> None:
    pass


def emitting(socket: signalbox.Socket, argument: Any) -> None:
    socket.emit("back", argument)


HANDLERS: dict[str, Callable[..., Any] | None] = {
    "none": None, "plain": plain, "coroutine": coroutine, "emitting": emitting}


def measure(kind: str, count: int) -> float:
    """Microseconds of the server's CPU per event."""
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) as engine:
        handler = HANDLERS[kind]
        if handler is not None:
            engine.on("event")(handler)
        engine.on("last")(lambda socket: None)
        client = [sys.executable, __file__, "--client", str(engine.port), "event"]
        subprocess.run([*client, "100"], check=True)  # what is done once is done
        begin = time.process_time()
        subprocess.run([*client, str(count)], check=True)
        return (time.process_time() - begin) / count * 1e6


def main() -> None:
    if sys.argv[1:2] == ["--client"]:
        send_events(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    floor = 0.0
    for kind in HANDLERS:
        cost = min(measure(kind, count) for _ in range(ROUNDS))
        floor = floor or cost
        print(f"{kind:10} {cost:7.2f} us an event, {cost / floor:5.1f} x an event without handler")


if __name__ == "__main__":
    main()
