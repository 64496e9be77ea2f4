"""A client in a namespace."""

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generator

from . import _core
from .errors import StateError, from_code
from .payload import answered, decode, encode

if TYPE_CHECKING:
    from .engine import Engine


class Call(Future[Any]):
    """The acknowledgement that a client has been asked for: `await call`, or `call.result()` on a
    thread that may wait.

    It is None, the one argument, or a tuple of several. TimeoutError when it did not come in time,
    GoneError when the socket is gone.
    """

    def __init__(self, engine_thread: int | None) -> None:
        super().__init__()
        self._engine_thread = engine_thread

    def result(self, timeout: float | None = None) -> Any:
        self._check_thread()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._check_thread()
        return super().exception(timeout)

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self).__await__()

    def _check_thread(self) -> None:
        if not self.done() and threading.get_ident() == self._engine_thread:
            raise StateError(_core.E_STATE, "a handler that is no coroutine cannot wait for an "
                             "acknowledgement: no client is served meanwhile")

    def _answer(self, status: int, args: str, attachments: list[bytes]) -> None:
        if not self.set_running_or_notify_cancel():
            return
        if status == _core.OK:
            self.set_result(answered(decode(args, attachments)))
        else:
            self.set_exception(from_code(status, _core.error_text(status)))


class Socket:
    """A client in a namespace. All that it can do may be done from any thread; what is sent once the
    client has gone is dropped."""

    __slots__ = ("engine", "id", "namespace", "address", "data", "__weakref__")

    engine: "Engine"
    id: str  #: public, unique
    namespace: str
    address: str  #: the client's; "" when it is not known here
    data: Any  #: yours: kept as long as the socket is connected

    def __init__(self, engine: "Engine", id: str, namespace: str, address: str) -> None:
        self.engine = engine
        self.id = id
        self.namespace = namespace
        self.address = address
        self.data = None

    def emit(self, event: str, *args: Any) -> None:
        """Sends an event."""
        self.engine._core.emit(self.id, event, *encode(args))

    def call(self, event: str, *args: Any, timeout: float = 60.0) -> Call:
        """Sends an event and asks for an acknowledgement within `timeout` seconds."""
        call = Call(self.engine._thread_id)
        self.engine._core.emit_with_ack(self.id, event, *encode(args), round(timeout * 1000),
                                        call._answer)
        return call

    def join(self, room: str) -> None:
        """Puts it into a room of its namespace, for Engine.emit."""
        self.engine._core.join(self.id, room)

    def leave(self, room: str) -> None:
        """Takes it out of a room of its namespace."""
        self.engine._core.leave(self.id, room)

    def disconnect(self, close: bool = False) -> None:
        """Takes it out of its namespace, or with `close` ends its whole connection."""
        self.engine._core.disconnect(self.id, close)

    def __repr__(self) -> str:
        return f"<signalbox.Socket {self.id} in {self.namespace}>"
