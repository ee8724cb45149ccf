"""Roost's live channel and tasks. The README has an example."""

from .channel import Channel, connect
from .errors import RoostError, SignedOut
from .events import EVENTS, ChannelEvent, Event, Resync, ServerEvent
from .session import Session, restore, sign_in
from .stores import FileStore, MemoryStore, Store
from .tasks import LogLine, Task, TaskDetail, TaskPage

__all__ = [
    "EVENTS",
    "Channel",
    "ChannelEvent",
    "Event",
    "FileStore",
    "LogLine",
    "MemoryStore",
    "Resync",
    "RoostError",
    "ServerEvent",
    "Session",
    "SignedOut",
    "Store",
    "Task",
    "TaskDetail",
    "TaskPage",
    "connect",
    "restore",
    "sign_in",
]
