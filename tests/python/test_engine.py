"""Life and end of engines, threads, exceptions in handlers."""

import gc
import logging
import os
import signal
import socket as sockets
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
import requests
import signalbox
import socketio

from conftest import PATIENCE, PYTHONPATH


def make(**options):
    return signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, **options)


def run_script(text, *, signal_when_ready=None):
    """Runs a program of its own: exit status and both outputs."""
    environment = os.environ | {"PYTHONPATH": PYTHONPATH}
    process = subprocess.Popen([sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(text)],
                               env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    if signal_when_ready is not None:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal_when_ready)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


# --- Life ---

def test_engine_listens_inside_with_and_not_after():
    engine = make()
    assert engine.port == 0
    with engine as entered:
        assert entered is engine
        port = engine.port
        assert engine.url == f"http://127.0.0.1:{port}"
        assert requests.get(engine.url, timeout=PATIENCE).status_code == 404
    assert engine.port == 0
    with pytest.raises(ConnectionRefusedError):
        sockets.create_connection(("127.0.0.1", port), PATIENCE)


def test_engines_share_a_port_and_each_has_clients_of_its_own():
    engines = [make(), make()]
    engines[1].share_port(engines[0])
    served = []

    def counting(engine):
        return lambda socket: served.append(engine)

    for engine in engines:
        engine.on("who")(counting(engine))
    with engines[0], engines[1]:
        assert engines[0].url == engines[1].url
        with pytest.raises(signalbox.StateError):
            make().share_port(engines[0])
        clients = [socketio.Client(reconnection=False) for _ in range(4)]
        for client in clients:
            client.connect(engines[0].url, wait_timeout=PATIENCE)
            client.call("who", timeout=PATIENCE)
        for client in clients:
            client.disconnect()
    assert sorted(served.count(engine) for engine in engines) == [2, 2]


@pytest.mark.parametrize("host,url", [("::1", "http://[::1]:"), ("0.0.0.0", "http://127.0.0.1:"),
                                      ("::", "http://127.0.0.1:")])
def test_url_can_be_reached(host, url):
    with signalbox.Engine(0, host, signaling_enabled=False) as engine:
        assert engine.url == f"{url}{engine.port}"
        assert requests.get(engine.url, timeout=PATIENCE).status_code == 404


def test_start_stop_join():
    engine = make()
    engine.join()
    engine.start()
    with pytest.raises(signalbox.StateError, match="has served"):
        engine.start()
    engine.stop()
    engine.stop()
    engine.join()
    engine.join()
    for call in (lambda: engine.emit("news"), lambda: engine.on("event")(print), engine.start):
        with pytest.raises(signalbox.StateError):
            call()
    engine.stop()
    engine.close()


def test_engine_that_never_serves():
    engine = make()
    engine.on("message")(print)
    with pytest.raises(signalbox.StateError):
        engine.emit("too early")
    engine.close()
    engine.close()


def test_address_in_use_and_not_ours():
    with make() as engine:
        other = signalbox.Engine(engine.port, "127.0.0.1", signaling_enabled=False)
        with pytest.raises(signalbox.AddressError, match=str(engine.port)):
            other.start()
        other.close()
    with pytest.raises(signalbox.AddressError, match="192.0.2.1"):
        with signalbox.Engine(0, "192.0.2.1", signaling_enabled=False):
            pass


def test_two_engines_in_one_process(connect):
    with make() as first, make() as second:
        assert first.port != second.port
        first.on("who")(lambda socket: "first")
        second.on("who")(lambda socket: "second")
        assert connect(first).call("who") == "first"
        client = connect(second)
        assert client.call("who") == "second"
        first.close()
        assert client.call("who") == "second"


def test_engine_stops_from_a_handler(connect):
    engine = make()
    result = []

    @engine.on("end")
    def end(socket):
        try:
            engine.join()
        except signalbox.StateError as error:
            result.append(str(error))
        engine.stop()

    engine.start()
    connect(engine).emit("end")
    engine.join()
    assert result == ["a handler cannot wait for the end of its engine"]
    assert engine.port == 0


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_fifty_engines_leave_nothing_behind():
    def one():
        with make() as engine:
            @engine.on("event")
            async def event(socket): ...

            client = socketio.Client(reconnection=False)
            client.connect(engine.url, transports=["websocket"])
            client.call("event", timeout=PATIENCE)
            client.disconnect()

    one()
    threads, descriptors = threading.active_count(), open_descriptors()
    for _ in range(50):
        one()
    gc.collect()
    assert threading.active_count() <= threads
    assert open_descriptors() <= descriptors


def test_handlers_are_let_go_of_when_the_engine_ends():
    def handler(*args): ...

    gone = weakref.ref(handler)
    engine = make()
    engine.on("event")(handler)
    engine.on_connect(handler)
    engine.on_join_room(handler)
    engine.mount("/mine")(handler)
    del handler
    gc.collect()
    assert gone() is not None
    with engine:
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_engine_that_is_forgotten_is_collected():
    engine = make()

    @engine.on("event")
    def handler(socket):
        engine.emit("event")  # a cycle, through the library

    gone = weakref.ref(engine)
    del engine, handler
    gc.collect()
    assert gone() is None


# --- Threads ---

def test_others_run_python_while_the_engine_serves(engine):
    """The engine waits without the GIL: a Python loop beside it is not slowed down."""
    def progress():
        count, end = 0, time.monotonic() + 0.2
        while time.monotonic() < end:
            count += 1
        return count

    assert progress() > 1000


def test_joining_thread_lets_others_run():
    engine = make()
    engine.start()
    joining = threading.Thread(target=engine.join)
    joining.start()
    assert requests.get(engine.url, timeout=PATIENCE).status_code == 404  # this thread runs
    engine.stop()
    joining.join(PATIENCE)
    assert not joining.is_alive()


def test_handlers_see_one_thread(engine, connect):
    local = threading.local()

    @engine.on("count")
    def count(socket):
        local.count = getattr(local, "count", 0) + 1
        return [local.count, threading.current_thread().name]

    client = connect(engine)
    assert [client.call("count") for _ in range(2)] == [[1, "signalbox"], [2, "signalbox"]]


# --- Exceptions in handlers ---

@pytest.mark.parametrize("exception", [ValueError("wrong"), SystemExit(3), KeyboardInterrupt()])
def test_exception_in_a_handler_is_logged_and_nobody_notices(engine, connect, errors, exception):
    @engine.on("broken")
    def broken(socket):
        raise exception

    engine.on("ask")(lambda socket: "still here")
    client = connect(engine)
    with pytest.raises(socketio.exceptions.TimeoutError):
        client.call("broken", timeout=0.1)
    assert client.call("ask") == "still here"
    (text,) = errors()
    assert "Traceback" in text and "in broken" in text and type(exception).__name__ in text


def test_wrong_number_of_arguments_is_logged(engine, connect, errors):
    engine.on("one")(lambda socket, argument: argument)
    client = connect(engine)
    client.emit("one")
    client.emit("one", 1, 2)
    assert client.call("one", "right") == "right"
    assert len(errors()) == 2


def test_acknowledgement_that_is_no_json_is_logged(engine, connect, errors):
    engine.on("ask")(lambda socket: float("nan"))
    with pytest.raises(socketio.exceptions.TimeoutError):
        connect(engine).call("ask", timeout=0.1)
    assert "NaN" in errors()[0]


# --- Log ---

def test_log_goes_to_logging(caplog):
    caplog.set_level(logging.DEBUG, logger="signalbox")
    with signalbox.Engine(0, "127.0.0.1", redis_url="unix:///nonexistent/redis.sock"):
        pass
    assert any("redis" in each.getMessage().lower() for each in caplog.records if each.name == "signalbox")


def test_log_can_be_taken(caplog):
    caplog.set_level(logging.INFO, logger="signalbox")
    lines = []
    engine = signalbox.Engine(0, "127.0.0.1", redis_url="unix:///nonexistent/redis.sock")
    engine.on_log(lambda level, line: lines.append((level, line)))
    with engine:
        pass
    assert lines and all(level >= logging.INFO for level, _ in lines)
    assert not [each for each in caplog.records if each.name == "signalbox"]


# --- The end of the program ---

def test_program_may_end_while_its_engine_serves():
    assert run_script("""
        import asyncio, signalbox, websocket
        engine = signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, shutdown_timeout=100)

        @engine.on_disconnect
        def on_disconnect(socket, reason):
            print(reason)

        @engine.on("later")
        async def later(socket):
            await asyncio.sleep(3600)

        @engine.on("ask")
        def ask(socket):
            return "answer"

        engine.start()
        url = f"ws://127.0.0.1:{engine.port}/socket.io/?EIO=4&transport=websocket"
        client = websocket.create_connection(url)
        client.recv()
        client.send("40")
        client.recv()
        client.send('42["later"]')
        client.send('420["ask"]')
        print(client.recv())
        """) == (0, '430["answer"]\nserver shutting down\n', "")


def test_program_may_end_with_engines_in_every_state():
    assert run_script("""
        import signalbox
        engines = [signalbox.Engine(0, "127.0.0.1", signaling_enabled=False) for _ in range(3)]
        for engine in engines:
            engine.on("event")(lambda socket: engine)
        engines[1].start()
        engines[2].start()
        engines[2].stop()
        """) == (0, "", "")


def test_exception_of_the_program_ends_it_while_its_engine_serves():
    status, out, err = run_script("""
        import signalbox
        signalbox.Engine(0, "127.0.0.1", signaling_enabled=False).start()
        raise KeyError("of the program")
        """)
    assert status == 1 and err.count("Traceback") == 1 and "of the program" in err


def test_interrupt_ends_run():
    assert run_script("""
        import signalbox
        engine = signalbox.Engine(0, "127.0.0.1", signaling_enabled=False)
        import threading, time
        def tell():
            while not engine.port:
                time.sleep(0.01)
            print("ready", flush=True)
        threading.Thread(target=tell).start()
        engine.run()
        print("ended", engine.port)
        """, signal_when_ready=signal.SIGINT) == (0, "ended 0\n", "")


def test_run_ends_by_stop(connect):
    engine = make()
    running = threading.Thread(target=engine.run)
    running.start()
    while not engine.port:
        time.sleep(0.01)
    engine.on("end")(lambda socket: engine.stop())
    connect(engine).emit("end")
    running.join(PATIENCE)
    assert not running.is_alive()
