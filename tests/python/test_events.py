"""Events, acknowledgements and attachments, both ways."""

import queue
import threading

import pytest
import signalbox

from conftest import PATIENCE


def test_event_reaches_its_handler_with_arguments(engine, connect):
    received = queue.Queue()

    @engine.on("message")
    def message(socket, *args):
        received.put((socket.id, socket.namespace, socket.address, args))

    client = connect(engine)
    arguments = ("text ü 😀", 7, 1.5, None, True, [1, {"a": []}], {"": {}})
    client.emit("message", *arguments)
    assert received.get(timeout=PATIENCE) == (client.id, "/", "127.0.0.1", arguments)


@pytest.mark.parametrize("returned,arguments", [
    (None, None), ("one", "one"), (0, 0), ([1, 2], [1, 2]), ((1, 2), (1, 2)), ({"a": 1}, {"a": 1}),
    (b"\0\xff", b"\0\xff"), (([b"1"], b"2"), ([b"1"], b"2"))])
def test_return_value_acknowledges(engine, connect, returned, arguments):
    engine.on("ask")(lambda socket: returned)
    assert connect(engine).call("ask") == arguments


def test_event_without_request_for_an_acknowledgement_gets_none(engine, connect):
    engine.on("tell")(lambda socket: "not asked for")
    engine.on("ask")(lambda socket: "asked for")
    client = connect(engine)
    client.emit("tell")
    assert client.call("ask") == "asked for"
    assert client.inbox.empty()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_binary_goes_both_ways(engine, connect, transport):
    @engine.on("message")
    def message(socket, *args):
        socket.emit("back", *args)
        socket.emit("views", bytearray(b"\1\2"), {"deep": [memoryview(b"\3")]})

    client = connect(engine, transports=[transport])
    arguments = (b"first", {"a": [b"", {"b": bytes(range(256))}]}, "text")
    client.emit("message", *arguments)
    assert client.receive() == ("back", *arguments)
    assert client.receive() == ("views", b"\1\2", {"deep": [b"\3"]})


def test_half_a_surrogate_pair_is_echoed(engine, connect):
    engine.on("echo")(lambda socket, text: text)
    assert connect(engine).call("echo", "\ud83d") == "\ud83d"


@pytest.mark.parametrize("value,error,text", [
    (float("nan"), signalbox.InvalidError, "NaN, infinities and circular values cannot be sent"),
    ([float("inf")], signalbox.InvalidError, "NaN, infinities"),
    (object(), TypeError, "a value of type object cannot be sent"),
    ([b"", {"_placeholder": True, "num": 1}], signalbox.InvalidError, "")])
def test_what_cannot_be_sent_is_refused(engine, value, error, text):
    with pytest.raises(error, match=text):
        engine.emit("news", value)


@pytest.mark.parametrize("event", ["connect", "disconnecting", "bad\0name"])
def test_event_names_that_are_not_allowed(engine, event):
    with pytest.raises(signalbox.InvalidError):
        engine.emit(event)
    with pytest.raises(signalbox.InvalidError):
        engine.on(event)(print)


def test_catch_all_gets_what_has_no_handler(engine, connect):
    engine.on("known")(lambda socket: "its own")
    engine.on_any(lambda socket, event, *args: [event, *args])
    client = connect(engine)
    assert client.call("known") == "its own"
    assert client.call("other", 1, b"2") == ["other", 1, b"2"]


def test_later_handler_replaces_the_earlier(engine, connect):
    client = connect_to_declared(engine, connect)
    engine.on("ask")(lambda socket: "first")
    assert client.call("ask") == "first"
    engine.on("ask")(lambda socket: "second")
    assert client.call("ask") == "second"


def connect_to_declared(engine, connect, namespace="/"):
    engine.on("declare", namespace)(print)
    return connect(engine, namespace)


def test_namespaces_are_apart(engine, connect):
    engine.on("where")(lambda socket: "main")
    engine.on("where", namespace="/custom")(lambda socket: socket.namespace)
    assert connect(engine).call("where") == "main"
    custom = connect(engine, "/custom")
    assert custom.call("where") == "/custom"
    engine.emit("news", namespace="/custom")
    assert custom.receive() == ("news",)


def test_server_asks_for_an_acknowledgement(engine, connect):
    answers = queue.Queue()

    @engine.on("begin")
    def begin(socket, *args):
        socket.call("question", *args).add_done_callback(lambda call: answers.put(call.result()))

    client = connect(engine)
    client.on("question", lambda *args: tuple(reversed(args)))
    for arguments, answer in (((), None), ((b"1",), b"1"), (("1", b"2"), (b"2", "1"))):
        client.emit("begin", *arguments)
        assert answers.get(timeout=PATIENCE) == answer


def test_call_from_another_thread(engine, connect):
    client = connect_to_declared(engine, connect)
    client.on("question", lambda number: number + 1)
    assert engine.socket(client.id).call("question", 1).result() == 2


def test_call_that_is_not_answered_in_time(engine, connect):
    client = connect_to_declared(engine, connect)
    socket = engine.socket(client.id)
    with pytest.raises(signalbox.TimeoutError, match="the answer did not come in time") as info:
        socket.call("unanswered", timeout=0.05).result(PATIENCE)
    assert isinstance(info.value, TimeoutError) and info.value.code == -7


@pytest.mark.parametrize("timeout", [0, -1, 1e9])
def test_call_with_a_timeout_that_is_not_allowed(engine, timeout):
    with pytest.raises(signalbox.InvalidError):
        engine.socket("nobody").call("question", timeout=timeout)


def test_call_to_one_who_is_gone(engine, connect):
    client = connect_to_declared(engine, connect)
    call = engine.socket(client.id).call("unanswered")
    client.disconnect()
    with pytest.raises(signalbox.GoneError, match="the socket is gone"):
        call.result(PATIENCE)
    with pytest.raises(signalbox.GoneError):
        engine.socket("nobody").call("question").result(PATIENCE)


def test_call_that_waits_inside_a_handler_is_refused(engine, connect):
    @engine.on("begin")
    def begin(socket):
        try:
            socket.call("question").result()
        except signalbox.StateError as error:
            return str(error)

    assert "cannot wait" in connect(engine).call("begin")


def test_emit_to_all_to_a_room_and_to_all_but_one(engine, connect):
    @engine.on("enter")
    def enter(socket, room):
        socket.join(room)

    @engine.on("exit")
    def exit(socket, room):
        socket.leave(room)

    inside, also_inside, outside = (connect_to_declared(engine, connect) for _ in range(3))
    for client in (inside, also_inside):
        assert client.call("enter", "room") is None
    engine.emit("to all", 1)
    engine.emit("to the room", 2, room="room")
    engine.emit("to one of the room", 3, room="room", skip=inside.id)
    also_inside.call("exit", "room")
    engine.emit("to whom is left", 4, room="room")
    engine.emit("end", skip=engine.socket(outside.id))
    engine.emit("end", room="room")
    for client, numbers in ((inside, [1, 2, 4]), (also_inside, [1, 2, 3])):
        for number in numbers:
            assert client.receive()[1] == number
        assert client.receive() == ("end",)
    assert outside.receive() == ("to all", 1)
    assert outside.inbox.empty()


def test_sockets_keep_data_and_identity(engine, connect):
    seen = []

    @engine.on("remember")
    def remember(socket, value):
        seen.append(socket)
        previous, socket.data = socket.data, value
        return previous

    first, second = connect(engine), connect(engine)
    assert first.call("remember", "a") is None
    assert second.call("remember", "b") is None
    assert first.call("remember", "c") == "a"
    assert seen[0] is seen[2] and seen[0] is engine.socket(first.id)


def test_server_disconnects_a_socket(engine, connect):
    engine.on("end")(lambda socket: socket.disconnect())
    engine.on("close")(lambda socket: socket.disconnect(close=True))
    for event in ("end", "close"):
        client = connect(engine)
        client.emit(event)
        assert client.receive() == ("disconnect",)


def test_other_threads_emit_while_the_engine_serves(engine, connect):
    client = connect_to_declared(engine, connect)
    threads = [threading.Thread(target=lambda: [engine.emit("n", i) for i in range(200)])
               for _ in range(4)]
    for thread in threads:
        thread.start()
    received = [client.receive()[1] for _ in range(800)]
    assert sorted(received) == sorted(list(range(200)) * 4)
