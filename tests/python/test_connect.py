"""Who may connect, and who has gone."""

import asyncio
import gc
import queue
import threading
import weakref

import pytest
import signalbox
import socketio

from conftest import PATIENCE


def test_connect_tells_who_asks(engine, connect):
    asked = queue.Queue()
    engine.on_connect(asked.put)
    client = connect(engine, auth={"token": "ü"}, headers={"X-Forwarded-For": "192.0.2.7"})
    request = asked.get(timeout=PATIENCE)
    assert request.auth == {"token": "ü"}
    assert request.address == request.socket.address == "192.0.2.7"
    assert request.query["EIO"] == "4"
    assert request.headers["host"].startswith("127.0.0.1")
    assert (request.socket.id, request.socket.namespace) == (client.id, "/")


def test_connect_without_auth(engine, connect):
    asked = queue.Queue()
    engine.on_connect(lambda request: asked.put(request.auth))
    connect(engine)
    assert asked.get(timeout=PATIENCE) == {}


def refusal(engine, namespace="/", auth=None):
    """What a client is told that may not connect."""
    told = queue.Queue()
    client = socketio.Client(reconnection=False)
    client.on("connect_error", told.put, namespace=namespace)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(engine.url, auth=auth, transports=["websocket"], namespaces=[namespace])
    client.disconnect()
    return told.get(timeout=PATIENCE)


def test_refusal_at_once(engine):
    @engine.on_connect(namespace="/custom")
    def on_connect(request):
        raise signalbox.Refuse("no token", {"retry": [1]})

    assert refusal(engine, "/custom") == {"message": "no token", "data": {"retry": [1]}}


def test_refusal_later(engine, connect):
    @engine.on_connect
    async def on_connect(request):
        await asyncio.sleep(0)
        if request.auth.get("token") != "right":
            raise signalbox.Refuse("wrong token")

    assert refusal(engine, auth={"token": "wrong"}) == {"message": "wrong token"}
    assert connect(engine, auth={"token": "right"}).id


@pytest.mark.parametrize("result", [False, 0, "yes", {}])
def test_only_none_and_true_accept(engine, result):
    engine.on_connect(lambda request: result)
    assert refusal(engine) == {"message": "refused"}


def test_exception_refuses(engine, errors):
    @engine.on_connect
    def on_connect(request):
        raise KeyError("secret")

    assert refusal(engine) == {"message": "internal error"}
    assert "KeyError: 'secret'" in errors()[0]


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("refuse", [
    lambda: signalbox.Refuse("no", object()), lambda: signalbox.Refuse("no", float("nan")),
    lambda: signalbox.Refuse("no", {b"x": 1}), lambda: signalbox.Refuse(5),
    lambda: signalbox.Refuse("n\0"), lambda: signalbox.Refuse("\ud800"),
], ids=["object", "nan", "bytes", "number", "nul", "surrogate"])
def test_refusal_that_cannot_be_sent_is_one_all_the_same(engine, errors, refuse, later):
    if later:
        @engine.on_connect
        async def on_connect(request):
            raise refuse()
    else:
        @engine.on_connect
        def on_connect(request):
            raise refuse()

    assert refusal(engine) == {"message": "internal error"}
    [error] = errors()
    assert "Error: " in error


def test_namespace_that_nobody_declared(engine):
    engine.on("message")(print)
    assert refusal(engine, "/other") == {"message": "Invalid namespace"}


def test_same_socket_from_connect_to_disconnect(engine, connect):
    history = queue.Queue()

    @engine.on_connect
    def on_connect(request):
        request.socket.data = ["connect"]

    @engine.on_connected
    def on_connected(socket):
        socket.data.append("connected")
        socket.emit("welcome", socket.address)

    @engine.on("event")
    def event(socket):
        socket.data.append("event")

    @engine.on_disconnect
    def on_disconnect(socket, reason):
        history.put(socket.data + [reason])

    client = connect(engine)
    assert client.receive() == ("welcome", "127.0.0.1")
    client.call("event")
    client.disconnect()
    assert history.get(timeout=PATIENCE) in (
        ["connect", "connected", "event", "client namespace disconnect"],
        ["connect", "connected", "event", "transport close"])


@pytest.mark.parametrize("later", [False, True])
def test_data_of_the_question_is_that_of_the_socket(engine, connect, later):
    """Also when nobody but the library keeps the socket in between."""
    @engine.on_connect
    def on_connect(request):
        request.socket.data = "asked"
        if later:
            return asyncio.sleep(0)

    @engine.on_connected
    def on_connected(socket):
        gc.collect()
        socket.emit("data", socket.data)

    assert connect(engine).receive() == ("data", "asked")


def test_sockets_are_let_go_of(engine, connect):
    """The engine keeps a socket's data until it has gone, and no longer."""
    gone = queue.Queue()

    class Data:
        pass

    @engine.on_connect
    def on_connect(request):
        request.socket.data = Data()
        weakref.finalize(request.socket.data, gone.put, request.socket.id)

    engine.on("ask")(lambda socket: type(socket.data).__name__)
    client = connect(engine)
    gc.collect()
    assert client.call("ask") == "Data"
    assert gone.empty()
    id = client.id
    client.disconnect()
    assert gone.get(timeout=PATIENCE) == id


def test_sockets_of_clients_that_leave_before_the_decision_are_let_go_of(engine):
    gone = queue.Queue()
    decide = threading.Event()
    asked = queue.Queue()

    @engine.on_connect
    async def on_connect(request):
        weakref.finalize(request.socket, gone.put, request.socket.id)
        asked.put(request.socket.id)
        await asyncio.to_thread(decide.wait, PATIENCE)

    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(engine.url, transports=["websocket"], wait_timeout=0.1)
    client.disconnect()
    decide.set()
    assert gone.get(timeout=PATIENCE) == asked.get(timeout=PATIENCE)
