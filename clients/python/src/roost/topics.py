"""What the application watches: one subscription for all watchers of a topic, made again with every connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional

from .errors import RoostError

_RETRY_SECONDS = 2.0

_STREAMS = {"agent_event": "seq", "task_log": "position"}
"""Frames of which each one counts, and the field that grows with them. Of others only the newest counts."""

_MOST_SYSTEM_LINES = 1000
"""Lines of the servers' own log that wait for a slow loop: the newest. They have no position at which a server could go on."""

_POSITION = {"agent": "agent_seq", "task": "log_position"}
"""The field of `subscribe` that says where a stream goes on."""


class Watcher:
    """The frames of a topic that one reader has yet to read."""

    def __init__(self, topic: str, position: Optional[int], is_task_log: bool) -> None:
        self.topic = topic
        self.position = position
        self._is_task_log = is_task_log
        self._frames: Deque[Dict[str, Any]] = deque()
        self._changed = asyncio.Event()
        self._error: Optional[RoostError] = None

    async def next(self) -> Dict[str, Any]:
        while not self._frames:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        return self._frames.popleft()

    def offer(self, frame: Dict[str, Any]) -> None:
        kind = frame["type"]
        if (kind == "task_log") != self._is_task_log:
            return
        counter = _STREAMS.get(kind)
        if kind == "system_log":
            if len(self._frames) >= _MOST_SYSTEM_LINES:
                self._frames.popleft()
        elif counter is None:
            self._frames.clear()
        elif self.position is not None and frame[counter] <= self.position:
            return  # Another watcher of the topic began further back.
        else:
            self.position = frame[counter]
        self._frames.append(frame)
        self._changed.set()

    def fail(self, error: RoostError) -> None:
        self._error = error
        self._changed.set()


class Topics:
    """``send`` sends a frame; while there is no socket, it does nothing."""

    def __init__(self, send: Callable[[Dict[str, Any]], None]) -> None:
        self._send = send
        self._watchers: Dict[str, List[Watcher]] = {}

    def open(self, topic: str, position: Optional[int] = None) -> Watcher:
        """``position``: of the last line of a task's log, or frame of an agent, that the watcher has; of a task without it
        the watcher gets the state."""
        topic = topic.lower()  # As servers write it in frames.
        watcher = Watcher(topic, position, topic.startswith("task:") and position is not None)
        others = self._watchers.setdefault(topic, [])
        others.append(watcher)
        # The current value has been sent to the others only.
        self._send(self._subscription(topic))
        return watcher

    def close(self, watcher: Watcher) -> None:
        watchers = self._watchers.get(watcher.topic, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[watcher.topic]
                # By its id the answer is told from the end of a permission.
                self._send({"type": "unsubscribe", "topic": watcher.topic, "id": "mine"})

    def subscriptions(self) -> List[Dict[str, Any]]:
        """The first frames of a new socket."""
        return [self._subscription(topic) for topic in self._watchers]

    def take(self, frame: Dict[str, Any]) -> None:
        """A frame from the server about a topic."""
        topic = _topic_of(frame)
        if frame["type"] == "error" and frame.get("retryable"):
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._again, topic)
        elif frame["type"] == "error":
            self._fail(topic, RoostError(400, frame["code"], frame["message"]))
        elif frame["type"] == "unsubscribed":
            if "id" not in frame:
                self._fail(topic, RoostError(403, "ACCESS_DENIED", f"{topic} may no longer be watched"))
        else:
            for watcher in self._watchers.get(topic, []):
                watcher.offer(frame)

    def fail_all(self, error: RoostError) -> None:
        for topic in list(self._watchers):
            self._fail(topic, error)

    def _again(self, topic: str) -> None:
        if topic in self._watchers:
            self._send(self._subscription(topic))

    def _fail(self, topic: str, error: RoostError) -> None:
        for watcher in self._watchers.pop(topic, []):
            watcher.fail(error)

    def _subscription(self, topic: str) -> Dict[str, Any]:
        frame: Dict[str, Any] = {"type": "subscribe", "topic": topic}
        # The server keeps one position for a socket, so the watcher that is furthest behind decides.
        positions = [one.position for one in self._watchers[topic] if one.position is not None]
        field = _POSITION.get(topic.partition(":")[0])
        if positions and field is not None:
            frame[field] = min(positions)
        return frame


def _topic_of(frame: Dict[str, Any]) -> str:
    if frame["type"] in ("task_update", "task_log"):
        return f"task:{frame['task_id']}".lower()
    if frame["type"] == "agent_event":
        return f"agent:{frame['session_id']}".lower()
    if frame["type"] == "system_log":
        return "system:log"
    return str(frame.get("key") or frame.get("topic")).lower()
