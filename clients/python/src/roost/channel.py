"""The live channel, as an application has it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextlib import contextmanager
from types import TracebackType
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Type,
    TypeVar,
    Union,
)

from .backlog import Backlog, event_of, resync_of
from .connection import Connection
from .cursors import follows, is_after
from .errors import RoostError, SignedOut
from .events import EVENTS, ChannelEvent
from .rest import Credential, Rest, Token
from .stores import MemoryStore, Store
from .tasks import Tasks
from .topics import Topics, Watcher

_log = logging.getLogger("roost")

Handler = Callable[[Any], Union[None, Awaitable[None]]]
H = TypeVar("H", bound=Handler)


class Channel:
    """Made by :func:`connect`.

    Events wait until there is a handler (:meth:`on`) or a loop (``async for``). Then each event goes to all that are there,
    in order and once; the next one comes when they are done with it. ``tasks`` creates tasks and waits for them.
    """

    def __init__(self, url: str, token: Token, cursors: Store, language: str) -> None:
        credential = Credential(token)
        self._rest = Rest(url, credential, language)
        self._cursors = cursors
        self._connection = Connection(url, credential, self._rest, language, self)
        self._topics = Topics(self._connection.send)
        self._handlers: Dict[str, List[Handler]] = {}
        self._loops: List[_Loop] = []
        self._listeners: List[Callable[[ChannelEvent], None]] = []
        self._running: List[asyncio.Future[None]] = []
        self._backlog = Backlog(self._rest.events)
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._error: Optional[RoostError] = None
        self._held: Optional[str] = None
        """The cursor of the event that a loop has taken and not asked beyond."""
        self.tasks = Tasks(self, self._rest)
        self.status = "connecting"
        """``connecting``, ``live``, ``polling`` (WebSockets are blocked), ``offline``, ``signed-out`` or ``closed``."""
        self.position: Optional[str] = None
        """The cursor of the last event that has arrived. The store has that of the last one that was handled."""

    async def __aenter__(self) -> Channel:
        self.position = self._cursors.load()
        for work in (self._connection.run(), self._dispatch()):
            self._running.append(asyncio.ensure_future(self._until_failure(work)))
        try:
            await self.until(self._ready)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        # A loop that was left by `break` or `return` is done with its event; one that has raised something is not.
        if kind is None and self._held is not None:
            self._save(self._held)
        await self.close()

    async def close(self) -> None:
        """Ends the connection, loops and watches."""
        self._end(RoostError(0, "CLOSED", "the channel has been closed"), "closed")
        # A handler may call this: then it is part of a task that cannot wait for its own end.
        others = [task for task in self._running if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    def on(self, kind: str) -> Callable[[H], H]:
        """Decorates a function, or an ``async`` one, that is called with every event of a type. ``*``: of every type.

        ``resync`` comes in the place of events that the server no longer has. What a handler raises is logged.
        """
        if kind not in EVENTS and kind not in ("*", "resync"):
            raise ValueError(f"there is no event type {kind}")

        def add(handler: H) -> H:
            self._handlers.setdefault(kind, []).append(handler)
            self._wanted.set()
            return handler

        return add

    def off(self, handler: Handler) -> None:
        """The handler is not called any more."""
        for kind in list(self._handlers):
            self._handlers[kind] = [one for one in self._handlers[kind] if one is not handler]
            if not self._handlers[kind]:
                del self._handlers[kind]

    async def __aiter__(self) -> AsyncIterator[ChannelEvent]:
        """Ends when the channel is closed. Raises SignedOut when the session has ended."""
        loop = _Loop()
        self._loops.append(loop)
        self._wanted.set()
        if self._error is not None:
            loop.end(self._error)
        try:
            while True:
                event = await loop.next()
                if event is None:
                    return
                self._held = event.cursor
                yield event
                loop.ask()
        finally:
            self._loops.remove(loop)
            loop.ask()

    async def watch(self, topic: str, agent_seq: Optional[int] = None) -> AsyncIterator[Dict[str, Any]]:
        """The frames of a topic: its state now, then each change. A slow loop gets the newest state only.
        Of ``system:log`` up to 1,000 lines wait for it.

        Of an agent's session (``agent:<id>``) it gets every frame after ``agent_seq``. Raises RoostError when the server
        refuses the topic or the permission ends. While WebSockets are blocked, nothing comes.
        """
        watcher = self.open_topic(topic, agent_seq)
        try:
            while True:
                yield await watcher.next()
        finally:
            self._topics.close(watcher)

    # What the connection calls.

    def connected(self, status: str, cursor: str) -> None:
        self.status = status
        if self.position is None:
            self.position = cursor
            self._save(cursor)
        self._ready.set()

    def disconnected(self) -> None:
        self.status = "offline"

    def first_frames(self) -> List[Dict[str, Any]]:
        return self._topics.subscriptions()

    def take(self, frame: Dict[str, Any]) -> bool:
        if "cursor" not in frame:
            self._topics.take(frame)
            return True
        cursor: str = frame["cursor"]
        if frame["type"] == "resync":
            self._record(resync_of(cursor, frame["reason"]))
        elif self.position is None or follows(cursor, self.position):
            self._record(event_of(frame))
        elif is_after(cursor, self.position):
            _log.warning("events are missing between %s and %s", self.position, cursor)
            return False
        return True

    # What tasks call.

    @contextmanager
    def listening(self, listener: Callable[[ChannelEvent], None]) -> Iterator[None]:
        """Calls the listener with each event as soon as it arrives, whether or not the application is done with others."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def open_topic(self, topic: str, position: Optional[int] = None) -> Watcher:
        if self._error is not None:
            raise self._error
        return self._topics.open(topic, position)

    def close_topic(self, watcher: Watcher) -> None:
        self._topics.close(watcher)

    async def until(self, event: asyncio.Event) -> None:
        """Waits for the event. Raises RoostError when the channel ends before."""
        waits = [asyncio.ensure_future(one.wait()) for one in (event, self._over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        if not event.is_set() and self._error is not None:
            raise self._error

    def _record(self, event: ChannelEvent) -> None:
        self.position = event.cursor
        for listener in list(self._listeners):
            listener(event)
        self._backlog.add(event)

    async def _dispatch(self) -> None:
        while self._error is None:
            await self._wanted.wait()
            event = await self._backlog.first()
            if await self._hand_over(event):
                self._backlog.remove_first()
                self._save(event.cursor)
                self._held = None
            elif not self._handlers and not self._loops:
                self._wanted.clear()

    async def _hand_over(self, event: ChannelEvent) -> bool:
        """Returns False when nobody has taken it."""
        taken = bool(self._handlers)
        for kind, handler in [(k, handler) for k in (event.type, "*") for handler in self._handlers.get(k, [])]:
            # An earlier handler may have taken it off, or closed the channel.
            if self._error is not None or handler not in self._handlers.get(kind, []):
                continue
            try:
                outcome = handler(event)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                _log.exception("a handler of %s has failed", event.type)
        return any(await asyncio.gather(*[loop.give(event) for loop in self._loops])) or taken

    def _save(self, cursor: str) -> None:
        try:
            self._cursors.save(cursor)
        except Exception:
            # The next event tries again.
            _log.exception("the cursor cannot be stored: the next start would get later events again")

    async def _until_failure(self, work: Awaitable[None]) -> None:
        try:
            await work
        except RoostError as error:
            self._end(error, "signed-out" if isinstance(error, SignedOut) else "closed")
        except Exception as error:
            _log.exception("the channel has failed")
            self._end(RoostError(0, "INTERNAL", repr(error)), "closed")

    def _end(self, error: RoostError, status: str) -> None:
        if self._error is not None:
            return
        self.status = status
        self._error = error
        self._over.set()
        self._topics.fail_all(error)
        for loop in self._loops:
            loop.end(error)


class _Loop:
    """An ``async for`` over the channel."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Union[ChannelEvent, RoostError]] = asyncio.Queue()
        self._asks = asyncio.Event()
        self._taken = False

    async def give(self, event: ChannelEvent) -> bool:
        """Waits until the loop asks for the next event. Returns False when it has ended before it took this one."""
        self._taken = False
        self._asks.clear()
        self._events.put_nowait(event)
        await self._asks.wait()
        return self._taken

    async def next(self) -> Optional[ChannelEvent]:
        event = await self._events.get()
        if isinstance(event, RoostError):
            if event.code == "CLOSED":
                return None
            raise event
        self._taken = True
        return event

    def ask(self) -> None:
        self._asks.set()

    def end(self, error: RoostError) -> None:
        self._events.put_nowait(error)


def connect(url: str, token: Token, cursors: Optional[Store] = None, language: str = "en") -> Channel:
    """The live channel of the token's user: ``async with connect(url, token) as channel``.

    It connects by itself, again after every cut, and goes on behind the last event, so that none is lost and none comes twice.
    ``token`` is an access token, or a function that gives one, such as ``session.token``. ``cursors`` keeps the cursor of
    the last event that was handled; without it a new channel begins at the present. ``language`` is that of texts in events.
    """
    return Channel(url, token, MemoryStore() if cursors is None else cursors, language)
