"""The asyncio loop that coroutine handlers run on."""

import asyncio
import threading
from typing import Any, Coroutine

#: Seconds that coroutines have to finish once the engine has ended, on a loop of its own.
GRACE = 1.0


class HandlerLoop:
    """A loop of the program's, if it has given one, or else one of our own on a daemon thread, begun
    with the first coroutine."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_ticket: dict[int, asyncio.Task[None]] = {}

    def adopt_running(self) -> None:
        """Takes the loop that is running on this thread, if there is one and none was given."""
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                pass

    def run(self, coroutine: Coroutine[Any, Any, None], ticket: int = 0) -> None:
        """Has the coroutine run, from any thread; `ticket` is for cancel(). RuntimeError when the loop
        is closed."""
        if self._loop is None:
            self._begin()
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._create_task, coroutine, ticket)
        except RuntimeError:
            coroutine.close()
            raise

    def cancel(self, ticket: int) -> None:
        """Cancels what runs with this ticket, if it still does, from any thread."""
        if self._loop is not None:
            try:
                # Twice round the loop: the coroutine may have to begin first.
                self._loop.call_soon_threadsafe(self._loop.call_soon, self._cancel, ticket)
            except RuntimeError:
                pass  # the loop is closed, and nothing runs

    def is_own_thread(self) -> bool:
        """Whether this is the thread that close() would wait for."""
        return self._thread is threading.current_thread()

    def close(self) -> None:
        """Ends a loop of our own, with the coroutines that do not finish; leaves a given one alone."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    def _begin(self) -> None:
        self._closing = asyncio.Event()
        begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(begun)),
                                        name="signalbox handlers", daemon=True)
        self._thread.start()
        begun.wait()

    async def _serve(self, begun: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        begun.set()
        await self._closing.wait()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)

    def _create_task(self, coroutine: Coroutine[Any, Any, None], ticket: int) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)
        if ticket:
            self._by_ticket[ticket] = task
            task.add_done_callback(lambda _: self._by_ticket.pop(ticket))

    def _cancel(self, ticket: int) -> None:
        if task := self._by_ticket.get(ticket):
            task.cancel()
