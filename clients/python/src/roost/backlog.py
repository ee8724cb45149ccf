"""The events that the application has yet to handle."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Awaitable, Callable, Deque, Dict, List, Optional

from .backoff import Backoff
from .cursors import is_after
from .errors import RoostError, SignedOut
from .events import ChannelEvent, Event, Resync

_log = logging.getLogger("roost")

_MOST = 1000

ReadPage = Callable[[str], Awaitable[Dict[str, Any]]]
"""A page of ``GET /api/events`` after a cursor."""


class Backlog:
    """Keeps 1,000 events. More stay in the server's log, from which they are read when their turn comes: an application
    that is slow, or does not ask for events, costs no memory and holds up no other frame."""

    def __init__(self, read_page: ReadPage) -> None:
        self._read_page = read_page
        self._events: Deque[ChannelEvent] = deque()
        self._added = asyncio.Event()
        self._end: Optional[str] = None
        """The cursor of the last event that was taken into memory."""
        self._newest: Optional[str] = None
        """The cursor of the newest event, while the events after ``_end`` are in the log only."""

    def add(self, event: ChannelEvent) -> None:
        if event.type != "resync" and self._end is not None and not is_after(event.cursor, self._end):
            return  # A page of the log has brought it already.
        if self._newest is not None or len(self._events) >= _MOST:
            self._newest = event.cursor
        else:
            self._take(event)
        self._added.set()

    async def first(self) -> ChannelEvent:
        """The event whose turn it is. Waits for one."""
        while not self._events:
            if self._newest is not None and self._end is not None:
                await self._read(self._end)
            else:
                self._added.clear()
                await self._added.wait()
        return self._events[0]

    def remove_first(self) -> None:
        self._events.popleft()

    def _take(self, event: ChannelEvent) -> None:
        self._events.append(event)
        self._end = event.cursor

    async def _read(self, end: str) -> None:
        backoff = Backoff()
        while True:
            try:
                page = await self._read_page(end)
                break
            except SignedOut:
                raise
            except RoostError as failure:
                error = failure
            # The server has been there, so that even a 404 may come from a proxy during a restart.
            level = logging.INFO if error.temporary else logging.WARNING
            _log.log(level, "events cannot be read, trying again: %s", error)
            await asyncio.sleep(error.retry_after or backoff.next())
        for event in events_of(page):
            self._take(event)
        self._end = page["cursor"]
        # Events may have been added while the page was on its way.
        if self._newest is not None and not is_after(self._newest, page["cursor"]):
            self._newest = None


def events_of(page: Dict[str, Any]) -> List[ChannelEvent]:
    """The events of a page, and what it says instead when the log does not have them."""
    events: List[ChannelEvent] = [event_of(frame) for frame in page["events"]]
    if page["resync"] is not None:
        events.append(resync_of(page["cursor"], page["resync"]))
    return events


def event_of(frame: Dict[str, Any]) -> ChannelEvent:
    event: Any = Event(frame["type"], frame["cursor"], frame["at"], frame["data"])
    return event  # type: ignore[no-any-return]


def resync_of(cursor: str, reason: str) -> Resync:
    return Event("resync", cursor, "", {"reason": reason})
