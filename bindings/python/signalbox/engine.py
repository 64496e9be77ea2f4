"""A server: its life, and what it sends."""

import asyncio
import atexit
import logging
import threading
from typing import Any

from . import _core
from .errors import StateError
from .handler_loop import HandlerLoop
from .handlers import Handlers, logger
from .options import OPTIONS, OptionValue, documentation, to_pairs
from .payload import encode
from .socket import Socket

_ANY_ADDRESS = {"::": "127.0.0.1", "0.0.0.0": "127.0.0.1"}


class Engine(Handlers):
    """A server with handlers of yours. It serves once:

        with signalbox.Engine(port=0) as engine: ...        # on a thread of its own
        async with signalbox.Engine(port=0) as engine: ...  # likewise; coroutines run on this loop
        engine.start(); ...; engine.stop(); engine.join()   # likewise
        engine.run()                                        # until stop() or Ctrl-C

    Handlers are called on the engine's thread and must not block, for nobody else is served
    meanwhile. Coroutine handlers run on `loop`, or else on the loop that is running where the engine
    is started, or else on one of the engine's own; they may take their time.

    The library's log goes to logging.getLogger("signalbox"), at the level that this logger has when
    the engine is made. When the program ends, so does the engine.

    `port` and `host` are short for listen_port and listen_host. Options that are "live" can be
    changed by set(). The options:

    """

    def __init__(self, port: int | None = None, host: str | None = None, *,
                 loop: asyncio.AbstractEventLoop | None = None, **options: OptionValue) -> None:
        for name, value in (("port", port), ("host", host)):
            if value is not None:
                if f"listen_{name}" in options:
                    raise TypeError(f"both {name} and listen_{name} are given")
                options[f"listen_{name}"] = value
        super().__init__(_core.Engine(to_pairs(options), _log_level()), HandlerLoop(loop))
        self._core.set_hook("started", self._on_started)
        self._host = str(options.get("listen_host", OPTIONS["listen_host"].default))
        self._thread: threading.Thread | None = None
        self._thread_id: int | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._stopping = False
        self._failure: BaseException | None = None

    # --- Life ---

    def start(self) -> None:
        """Listens, and serves on a thread of the engine's own. Returns once it listens."""
        self._loop.adopt_running()
        self._start()

    def run(self) -> None:
        """Serves, on a thread of the engine's own, and returns once it was stopped, by stop() or by
        Ctrl-C."""
        self.start()
        try:
            self.join()
        except KeyboardInterrupt:
            self.close()

    def stop(self) -> None:
        """Asks the engine to end and returns at once; from handlers, too. It sends its clients away
        one after another, within the option shutdown_drain; asked again, all that are left."""
        self._stopping = True
        self._core.stop()

    def join(self) -> None:
        """Waits until the engine has ended. Then its handlers are let go of."""
        if self._thread is None:
            return
        if threading.get_ident() == self._thread_id or self._loop.is_own_thread():
            raise StateError(_core.E_STATE, "a handler cannot wait for the end of its engine")
        # First this: Ctrl-C that interrupts Thread.join() has Python 3.11 take the thread for ended.
        self._ended.wait()
        self._thread.join()

    def close(self) -> None:
        """Ends the engine: stop() and join()."""
        if not self._stopping:
            self.stop()
        self.join()
        if self._thread is None:
            self._core.destroy()

    def __enter__(self) -> "Engine":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> "Engine":
        self._loop.adopt_running()
        await asyncio.to_thread(self._start)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.to_thread(self.close)

    def set(self, **options: OptionValue) -> None:
        """Changes options while it serves: those that are live (OPTIONS). From any thread; takes effect
        on the engine's, in order with what else it was told. InvalidError for one that cannot change
        or does not allow the value; those before it in the call have changed then."""
        for name, value in to_pairs(options):
            self._core.set(name, value)

    def share_port(self, other: "Engine") -> None:
        """Serves on the port of `other`, and of those which share it already, to use more cores; to be
        called before any of them starts, with the same options of listening. Each has handlers of its
        own, and clients of its own: whichever had the least to do when they came. StateError when one
        has started, InvalidError when their options differ."""
        self._core.share_port(other._core)

    @property
    def port(self) -> int:
        """The port it listens on; 0 while it does not."""
        return self._core.port()

    @property
    def counters(self) -> dict[str, int]:
        """How often what has happened since it was created: relays, joins_refused, packets_invalid and
        so on (the library's header and counters.h tell what each counts). StateError once closed."""
        return self._core.counters()

    @property
    def url(self) -> str:
        """Where clients on this machine find it."""
        host = _ANY_ADDRESS.get(self._host, self._host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    # --- Sending ---

    def emit(self, event: str, *args: Any, namespace: str = "/", room: str | None = None,
             skip: Socket | str | None = None) -> None:
        """Sends an event to the sockets of a namespace, or of a room that Socket.join has put them
        into, but for `skip`."""
        self._core.broadcast(namespace, room, _id(skip), event, *encode(args))

    def emit_to_peers(self, room: str, event: str, *args: Any,
                      skip: Socket | str | None = None) -> None:
        """Sends an event to the sockets in a room of the room application, but for `skip`."""
        self._core.broadcast_to_peers(room, _id(skip), event, *encode(args))

    def socket(self, id: str, namespace: str = "/") -> Socket:
        """The socket with this id. Whether it is connected is not known."""
        return self._sockets.get(id) or self._new_socket(id, namespace, "")

    # --- The engine's thread ---

    def _start(self) -> None:
        if self._thread is not None:
            raise StateError(_core.E_STATE, "the engine has served, or tried to, before")
        self._thread = threading.Thread(target=self._serve, name="signalbox", daemon=True)
        atexit.register(self.close)  # a daemon thread must not be in Python when the program ends
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def _serve(self) -> None:
        self._thread_id = threading.get_ident()
        try:
            self._core.run()
        except BaseException as error:
            self._failure = error
        finally:
            self._loop.close()
            self._core.destroy()
            self._namespaces.clear()
            atexit.unregister(self.close)
            self._ready.set()
            self._ended.set()

    def _on_started(self) -> None:
        self._ready.set()

    def _new_socket(self, id: str, namespace: str, address: str) -> Socket:
        return Socket(self, id, namespace, address)


Engine.__doc__ = f"{Engine.__doc__}{documentation()}\n"


def _log_level() -> int:
    """The sbx_log_level that shows what the logger does."""
    level = logger.getEffectiveLevel()
    return sum(level <= each for each in (logging.WARNING, logging.INFO, logging.DEBUG))


def _id(socket: Socket | str | None) -> str | None:
    return socket.id if isinstance(socket, Socket) else socket
