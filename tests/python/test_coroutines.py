"""Coroutine handlers: where they run, and what follows from them."""

import asyncio
import gc
import queue
import threading

import pytest
import requests
import signalbox
import socketio

from conftest import PATIENCE


async def client_of(engine):
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(engine.url, transports=["websocket"], wait_timeout=PATIENCE)
    return client


async def where_handlers_run(engine):
    @engine.on("where")
    async def where(socket):
        asyncio.get_running_loop()
        return threading.get_ident()

    client = await client_of(engine)
    try:
        return await client.call("where", timeout=PATIENCE)
    finally:
        await client.disconnect()


def test_coroutines_run_on_the_loop_of_async_with():
    async def main():
        async with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) as engine:
            assert await where_handlers_run(engine) == threading.get_ident()

    asyncio.run(main())


def test_coroutines_run_on_the_loop_where_start_was_called():
    async def main():
        engine = signalbox.Engine(0, "127.0.0.1", signaling_enabled=False)
        engine.start()
        try:
            assert await where_handlers_run(engine) == threading.get_ident()
        finally:
            engine.stop()
            await asyncio.to_thread(engine.join)

    asyncio.run(main())


def test_coroutines_run_on_the_loop_that_is_given():
    async def main():
        loop = asyncio.get_running_loop()
        with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, loop=loop) as engine:
            assert await where_handlers_run(engine) == threading.get_ident()

    asyncio.run(main())


def test_coroutines_run_on_a_loop_of_the_engine(engine, connect):
    seen = []

    @engine.on("plain")
    def plain(socket):
        return threading.get_ident()

    @engine.on("where")
    async def where(socket):
        seen.append(asyncio.get_running_loop())
        return threading.get_ident()

    client = connect(engine)
    threads = [client.call("plain"), client.call("where"), client.call("where")]
    assert len({*threads, threading.get_ident()}) == 3
    assert threads[1] == threads[2] and seen[0] is seen[1]


def test_engine_serves_while_a_coroutine_waits(engine, connect):
    go_on = []

    @engine.on("slow")
    async def slow(socket):
        released = asyncio.Event()
        go_on.append((asyncio.get_running_loop(), released))
        await released.wait()
        return "slow"

    @engine.on("fast")
    def fast(socket):
        for loop, released in go_on:
            loop.call_soon_threadsafe(released.set)
        return "fast"

    client = connect(engine)
    answers = []
    client.client.emit("slow", callback=answers.append)
    assert client.call("fast") == "fast"
    while not answers:
        assert client.call("fast") == "fast"
    assert answers == ["slow"]


def test_coroutine_asks_the_client_while_it_handles_an_event(engine, connect):
    @engine.on("begin")
    async def begin(socket, number):
        first = await socket.call("question", number)
        second = await socket.call("question", first, timeout=PATIENCE)
        try:
            await socket.call("unanswered", timeout=0.05)
        except TimeoutError:
            return second

    client = connect(engine)
    client.on("question", lambda number: number * 2)
    assert client.call("begin", 3) == 12


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_cancelled_call_is_of_no_consequence(engine, connect, errors):
    @engine.on("begin")
    async def begin(socket):
        try:
            await asyncio.wait_for(socket.call("unanswered", timeout=0.2), 0.01)
        except TimeoutError:
            await asyncio.sleep(0.3)  # the library's own timeout comes meanwhile
            return "given up"

    assert connect(engine).call("begin") == "given up"
    assert errors() == []


@pytest.fixture
def forever():
    """A coroutine function that ends only when it is cancelled, and two queues that tell when."""
    begun, cancelled = queue.Queue(), queue.Queue()

    async def handler(request):
        begun.put(request)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.put(request)
            raise

    return handler, begun, cancelled


def leave_undecided(engine, namespace="/"):
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(engine.url, transports=["websocket"], namespaces=[namespace],
                       wait_timeout=0.1)
    client.disconnect()


def test_decision_is_cancelled_when_its_client_has_gone(engine, errors, forever):
    handler, begun, cancelled = forever
    engine.on_connect(handler)
    leave_undecided(engine)
    assert cancelled.get(timeout=PATIENCE) is begun.get(timeout=PATIENCE)
    assert errors() == []


@pytest.mark.filterwarnings("error::RuntimeWarning",  # of a coroutine that was never awaited
                            "error::pytest.PytestUnraisableExceptionWarning")
def test_decision_is_cancelled_before_it_could_begin(engine, errors, forever):
    handler, begun, cancelled = forever
    occupied, go_on = threading.Event(), threading.Event()

    @engine.on_connect(namespace="/busy")
    async def busy(request):
        occupied.set()
        go_on.wait(PATIENCE)  # nothing runs on the handler loop meanwhile

    @engine.on_connect
    def on_connect(request):
        return handler(request)

    first = threading.Thread(target=leave_undecided, args=(engine, "/busy"))
    first.start()
    assert occupied.wait(PATIENCE)
    leave_undecided(engine)
    go_on.set()
    assert cancelled.get(timeout=PATIENCE) is begun.get(timeout=PATIENCE)
    first.join()
    gc.collect()
    assert errors() == []


def test_http_answer_that_is_too_late_is_cancelled(errors, forever):
    handler, begun, cancelled = forever
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, decision_timeout=100) as engine:
        engine.mount("/slow")(handler)
        assert requests.get(f"{engine.url}/slow", timeout=PATIENCE).status_code == 504
        assert cancelled.get(timeout=PATIENCE) is begun.get(timeout=PATIENCE)
    assert errors() == []


def test_decisions_are_cancelled_when_the_engine_ends(errors, forever):
    handler, begun, cancelled = forever

    async def main():
        async with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) as engine:
            engine.on_connect(handler)
            client = socketio.AsyncClient(reconnection=False)
            await client.connect(engine.url, transports=["websocket"], wait=False)
            while begun.empty():
                await asyncio.sleep(0.01)
            assert cancelled.empty()
        await client.disconnect()
        await asyncio.sleep(0.05)  # the loop goes on
        assert cancelled.get_nowait() is begun.get_nowait()

    asyncio.run(main())
    assert errors() == []


def test_exception_in_a_coroutine_is_logged(engine, connect, errors):
    @engine.on("broken")
    async def broken(socket):
        raise LookupError("of a coroutine")

    client = connect(engine)
    with pytest.raises(socketio.exceptions.TimeoutError):
        client.call("broken", timeout=0.1)
    assert "LookupError: of a coroutine" in errors()[0]
    assert "in broken" in errors()[0]


def test_coroutines_may_finish_when_the_engine_ends(connect):
    ended = []
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) as engine:
        engine.on("ask")(lambda socket: "here")

        @engine.on_disconnect
        async def on_disconnect(socket, reason):
            await asyncio.sleep(0.01)
            ended.append(socket.id)

        client = connect(engine)
        assert client.call("ask") == "here"
        id = client.id
    assert ended == [id]


@pytest.mark.filterwarnings("error::RuntimeWarning",  # of a coroutine that was never awaited
                            "error::pytest.PytestUnraisableExceptionWarning")
def test_loop_that_is_closed(connect, errors):
    loop = asyncio.new_event_loop()
    loop.close()
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, loop=loop) as engine:
        @engine.on("ask")
        async def ask(socket): ...

        with pytest.raises(socketio.exceptions.TimeoutError):
            connect(engine).call("ask", timeout=0.1)
    gc.collect()
    assert "Event loop is closed" in errors()[0]
