"""Which handlers an engine has, and how they are called.

The library calls the functions `_on_...` on the engine's thread. A handler is called there at once;
when it turns out to be a coroutine function, its coroutine goes to the handler loop, and what follows
from its result happens once it has finished.
"""

import asyncio
import json
import logging
from functools import partial
from types import CoroutineType
from typing import Any, Callable, Coroutine, TypeVar, overload
from weakref import WeakValueDictionary

from . import _core
from .errors import StateError
from .handler_loop import HandlerLoop
from .payload import decode, dump, encode, returned
from .requests import Connect, Pairs, Refuse, Request, Response, RoomRequest, to_mapping
from .socket import Socket

_Handler = Callable[..., Any]
_F = TypeVar("_F", bound=_Handler)

_Coroutine = Coroutine[Any, Any, Any]

logger = logging.getLogger("signalbox")
_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)  # by sbx_log_level


class Handlers:
    """The part of an Engine that handlers are registered with, also while it serves.

    A handler that raises is logged with its traceback, and the client gets no acknowledgement, is
    refused, or is answered 500. A coroutine that decides or answers something is cancelled when
    nobody waits for that any more. A later handler for the same replaces it.
    """

    def __init__(self, core: _core.Engine, loop: HandlerLoop) -> None:
        self._core = core
        self._loop = loop
        self._namespaces: dict[str, dict[str, _Handler]] = {}
        # A socket's own is kept by the library as its data; here it is found until that has begun.
        self._sockets: WeakValueDictionary[str, Socket] = WeakValueDictionary()
        core.set_hook("log", self._on_log)
        core.set_hook("abandoned", loop.cancel)

    # --- Namespaces ---

    def on(self, event: str, namespace: str = "/") -> Callable[[_F], _F]:
        """Calls the handler for an event: handler(socket, *args). What it returns acknowledges the
        event, if the client has asked for that: None without arguments, a tuple with several."""
        def mark(handler: _F) -> _F:
            self._declare(namespace)
            self._core.on(namespace, event, partial(self._on_event, handler, namespace))
            return handler
        return mark

    @overload
    def on_any(self, handler: _F) -> _F: ...
    @overload
    def on_any(self, *, namespace: str = "/") -> Callable[[_F], _F]: ...

    def on_any(self, handler: _F | None = None, *, namespace: str = "/") -> Any:
        """Calls the handler for events that have no other: handler(socket, event, *args)."""
        return self._mark(namespace, "event", handler)

    @overload
    def on_connect(self, handler: _F) -> _F: ...
    @overload
    def on_connect(self, *, namespace: str = "/") -> Callable[[_F], _F]: ...

    def on_connect(self, handler: _F | None = None, *, namespace: str = "/") -> Any:
        """Asks handler(connect), a Connect, whether a client may connect: None and True let it in;
        raising Refuse, or anything else, does not."""
        return self._mark(namespace, "connecting", handler)

    @overload
    def on_connected(self, handler: _F) -> _F: ...
    @overload
    def on_connected(self, *, namespace: str = "/") -> Callable[[_F], _F]: ...

    def on_connected(self, handler: _F | None = None, *, namespace: str = "/") -> Any:
        """Tells handler(socket) that a client has connected."""
        return self._mark(namespace, "connected", handler)

    @overload
    def on_disconnect(self, handler: _F) -> _F: ...
    @overload
    def on_disconnect(self, *, namespace: str = "/") -> Callable[[_F], _F]: ...

    def on_disconnect(self, handler: _F | None = None, *, namespace: str = "/") -> Any:
        """Tells handler(socket, reason) that a client has disconnected."""
        return self._mark(namespace, "disconnected", handler)

    # --- The room application ---

    def on_create_room(self, handler: _F) -> _F:
        """Asks handler(request), a RoomRequest, whether a room may be created, as on_connect does."""
        self._core.set_hook("creating", partial(self._on_room_request, handler))
        return handler

    def on_join_room(self, handler: _F) -> _F:
        """Asks handler(request), a RoomRequest, whether its socket may enter the room, likewise."""
        self._core.set_hook("joining", partial(self._on_room_request, handler))
        return handler

    def on_room_created(self, handler: _F) -> _F:
        """Tells handler(room) that a room came into being."""
        self._core.set_hook("room_created", partial(self._call, handler))
        return handler

    def on_joined(self, handler: _F) -> _F:
        """Tells handler(room, socket) that a socket entered a room, for the first time or again."""
        self._core.set_hook("joined", partial(self._on_room_event, handler))
        return handler

    def on_left(self, handler: _F) -> _F:
        """Tells handler(room, socket) that a socket left a room: asked to, or disconnected."""
        self._core.set_hook("left", partial(self._on_room_event, handler))
        return handler

    def on_refused(self, handler: _F) -> _F:
        """Tells handler(room, socket, reason) that a socket was not let into a room."""
        self._core.set_hook("refused", partial(self._on_room_event, handler))
        return handler

    # --- HTTP and log ---

    def mount(self, prefix: str) -> Callable[[_F], _F]:
        """Has handler(request), a Request, answer the HTTP requests under a path: it returns a
        Response, a body (see there), None for an empty one, or (status, body)."""
        def mark(handler: _F) -> _F:
            self._core.mount(prefix, partial(self._on_http_request, handler))
            return handler
        return mark

    def on_log(self, handler: _F) -> _F:
        """Gives handler(level, line) the library's log, in place of logging.getLogger("signalbox");
        the levels are those of the module logging."""
        self._core.set_hook("log", lambda level, line: handler(_LEVELS[level], line))
        return handler

    # --- How they are called ---

    def _mark(self, namespace: str, what: str, handler: _Handler | None) -> Any:
        def mark(handler: _F) -> _F:
            self._declare(namespace, what, handler)
            return handler
        return mark if handler is None else mark(handler)

    def _declare(self, name: str, what: str = "", handler: _Handler | None = None) -> None:
        handlers = dict(self._namespaces.get(name, {}))
        if handler is not None:
            handlers[what] = handler
        elif name in self._namespaces:
            return

        def bound(method: _Handler, what: str) -> _Handler | None:
            return partial(method, handlers[what], name) if what in handlers else None

        # Every connection is seen: only then is a socket's address known.
        self._core.add_namespace(
            name, bound(self._on_connecting, "connecting"),
            partial(self._on_connected, handlers.get("connected"), name),
            bound(self._on_disconnected, "disconnected"), bound(self._on_any_event, "event"))
        self._namespaces[name] = handlers

    def _on_log(self, level: int, line: str) -> None:
        logger.log(_LEVELS[level], "%s", line)

    def _on_event(self, handler: _Handler, namespace: str, id: str, name: str, args: str,
                  attachments: list[bytes], ack: int, socket: Socket | None) -> None:
        try:
            socket = socket or self._attached_socket(id, namespace)
            result = handler(socket, *decode(args, attachments))
            if type(result) is CoroutineType:
                self._go_on(handler, result, partial(self._acknowledge, id, ack))
            else:
                self._acknowledge(id, ack, result)
        except BaseException:
            self._log_failure(handler)

    def _on_any_event(self, handler: _Handler, namespace: str, id: str, name: str, *rest: Any) -> None:
        self._on_event(partial(_with_name, handler, name), namespace, id, name, *rest)

    def _acknowledge(self, id: str, ack: int, result: Any) -> None:
        if ack:
            self._answer(self._core.ack, id, ack, *encode(returned(result)))

    def _on_connecting(self, handler: _Handler, namespace: str, ticket: int, id: str, auth: str,
                       address: str, headers: Pairs, query: Pairs) -> None:
        socket = self._attached_socket(id, namespace, address)
        request = Connect(socket, json.loads(auth), to_mapping(headers), dict(query))
        self._decide(handler, ticket, request)

    def _on_connected(self, handler: _Handler | None, namespace: str, id: str,
                      address: str) -> None:
        socket = self._attached_socket(id, namespace, address)
        if handler is not None:
            self._call(handler, socket)

    def _on_disconnected(self, handler: _Handler, namespace: str, id: str, address: str,
                         reason: str, socket: Socket | None) -> None:
        socket = socket or self._sockets.get(id) or self._new_socket(id, namespace, address)
        self._call(handler, socket, reason)

    def _on_room_request(self, handler: _Handler, ticket: int, room: str, id: str | None,
                         address: str, headers: Pairs, query: Pairs,
                         socket: Socket | None) -> None:
        if id is not None and socket is None:
            socket = self._attached_socket(id, "/", address)
        request = RoomRequest(room, socket, address, to_mapping(headers), dict(query))
        self._decide(handler, ticket, request)

    def _on_room_event(self, handler: _Handler, room: str, id: str, *rest: str) -> None:
        socket = self._sockets.get(id) or self._new_socket(id, "/", "")
        self._call(handler, room, socket, *rest)

    def _on_http_request(self, handler: _Handler, ticket: int, method: str, path: str, address: str,
                         headers: Pairs, query: Pairs, body: bytes) -> None:
        request = Request(method, path, address, to_mapping(headers), dict(query), query, body)
        respond = partial(self._answer, self._core.respond, ticket)
        self._run(handler, (request,),
                  done=lambda result: respond(*Response.of(result).encode()),
                  failed=lambda error: respond(500, [], b""), ticket=ticket)

    def _decide(self, handler: _Handler, ticket: int, request: Any) -> None:
        def accept(result: Any) -> None:
            if result is not None and result is not True:
                raise Refuse("refused")
            self._answer(self._core.accept, ticket)

        def refuse(error: BaseException) -> None:
            if not isinstance(error, Refuse):
                error = Refuse("internal error")
            data = None if error.data is None else dump(error.data).decode()
            self._answer(self._core.refuse, ticket, error.message, data)

        def fail(error: BaseException) -> None:
            try:
                refuse(error)
            except Exception as unsendable:
                refuse(unsendable)
                raise

        self._run(handler, (request,), accept, fail, ticket)

    def _call(self, handler: _Handler, *args: Any) -> None:
        self._run(handler, args, done=lambda result: None, failed=lambda error: None)

    def _run(self, handler: _Handler, args: tuple[Any, ...], done: Callable[[Any], None],
             failed: Callable[[BaseException], None], ticket: int = 0) -> None:
        """Calls a handler, and then `done` with what it has returned, or else `failed`."""
        try:
            result = handler(*args)
            if type(result) is CoroutineType:
                self._go_on(handler, result, done, failed, ticket)
            else:
                done(result)
        except BaseException as error:
            self._fail(handler, error, failed)

    def _go_on(self, handler: _Handler, coroutine: _Coroutine, done: Callable[[Any], None],
               failed: Callable[[BaseException], None] = lambda error: None,
               ticket: int = 0) -> None:
        """Has the coroutine run on the handler loop, and then calls `done` or `failed` there. It is
        cancelled when its ticket is void."""
        async def finish() -> None:
            try:
                done(await coroutine)
            except BaseException as error:
                self._fail(handler, error, failed)

        try:
            self._loop.run(finish(), ticket)
        except RuntimeError:  # the loop is closed
            coroutine.close()
            raise

    def _fail(self, handler: _Handler, error: BaseException,
              failed: Callable[[BaseException], None]) -> None:
        if not isinstance(error, (Refuse, asyncio.CancelledError)):
            self._log_failure(handler)
        try:
            failed(error)
        except Exception:
            self._log_failure(handler)

    def _answer(self, send: Callable[..., None], *args: Any) -> None:
        try:
            send(*args)
        except StateError:
            pass  # the engine has ended, and who has asked is gone

    def _log_failure(self, handler: _Handler) -> None:
        logger.exception("handler %s failed", getattr(handler, "__qualname__", handler))

    # --- Their sockets ---

    def _new_socket(self, id: str, namespace: str, address: str) -> Socket:
        raise NotImplementedError

    def _attached_socket(self, id: str, namespace: str, address: str = "") -> Socket:
        """The one that the library keeps for this id, or will as soon as it gets there."""
        socket = self._sockets.get(id)
        if socket is None:
            socket = self._sockets[id] = self._new_socket(id, namespace, address)
            self._core.set_data(id, socket)
        return socket


def _with_name(handler: _Handler, name: str, socket: Socket, *args: Any) -> Any:
    return handler(socket, name, *args)
