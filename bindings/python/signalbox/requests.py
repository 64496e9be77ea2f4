"""What handlers are asked, and what they answer."""

import json
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from .payload import dump
from .socket import Socket

Pairs = list[tuple[str, str]]


class Refuse(Exception):
    """Raised by a handler to say no. The client sees `message`; `data`, a JSON value, becomes the
    data of its connect_error."""

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


@dataclass(frozen=True)
class Connect:
    """A client asks to be let into a namespace."""

    socket: Socket  #: the one it will be; what is sent to it before it has connected is dropped
    auth: Any  #: what the client gave as auth
    headers: Mapping[str, str]  #: by names in small letters
    query: Mapping[str, str]

    @property
    def address(self) -> str:
        return self.socket.address


@dataclass(frozen=True)
class RoomRequest:
    """A room of the room application is to be created, or to be entered by a socket."""

    room: str
    socket: Socket | None  #: None when the room is to be created
    address: str
    headers: Mapping[str, str]  #: of the request to create it, by names in small letters; else empty
    query: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """An HTTP request under a path that was mounted."""

    method: str
    path: str  #: whole, percent-decoded, without the query
    address: str
    headers: Mapping[str, str]  #: by names in small letters
    query: Mapping[str, str]  #: of names given more than once the last
    query_pairs: Pairs  #: all of them, in order
    body: bytes

    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Response:
    """The answer to a Request. A str or bytes body goes out as it is, None is an empty one, and any
    other value as JSON; Content-Type follows from that unless it is among the headers."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(result: Any) -> "Response":
        """The response that a handler's return value stands for."""
        if isinstance(result, Response):
            return result
        if isinstance(result, tuple):
            status, body = result
            return Response(body, status)
        return Response(result, 204 if result is None else 200)

    def encode(self) -> tuple[int, Pairs, bytes]:
        """Status, headers and body as bytes."""
        kind, body = _content(self.body)
        headers = list(self.headers.items())
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", kind))
        return self.status, headers, body


def _content(body: Any) -> tuple[str, bytes]:
    if body is None:
        return "", b""
    if isinstance(body, str):
        return "text/plain; charset=utf-8", body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return "application/octet-stream", bytes(body)
    return "application/json", dump(body)


def to_mapping(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Headers by name; one that was sent several times is a list of values, as HTTP has it."""
    mapping: dict[str, str] = {}
    for name, value in pairs:
        mapping[name] = f"{mapping[name]}, {value}" if name in mapping else value
    return mapping
