"""Tasks over REST, and their end and logs over the channel."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, AsyncIterator, Dict, List, Optional, Set, TypedDict, Union
from urllib.parse import quote

from .backoff import Backoff
from .errors import RoostError
from .events import ChannelEvent
from .rest import Rest

if TYPE_CHECKING:
    from .channel import Channel

TaskId = Union[str, int]
"""The UUID of a task, or its number."""

_ENDED = ("completed", "failed", "cancelled")
_ENDS = ("task.completed", "task.failed", "task.cancelled", "task.deleted", "resync")
_POLL_SECONDS = 2.0


class WaitingFor(TypedDict):
    reason: str
    task_type: str
    available_types: List[str]


class Task(TypedDict):
    """docs/contracts/factory.md. Whole numbers in ``config`` and ``result`` are exact at any size."""

    id: str
    title: str
    description: str
    task_type: Optional[str]
    status: str
    progress: float
    priority: int
    gpu_server_id: Optional[str]
    config: Dict[str, Any]
    result: Dict[str, Any]
    error_message: Optional[str]
    failure_code: Optional[str]
    exit_code: Optional[int]
    cost: float
    estimated_cost: float
    estimated_duration: Optional[int]
    started_at: Optional[str]
    completed_at: Optional[str]
    created_at: str
    updated_at: str


class TaskDetail(Task):
    waiting_for: Optional[WaitingFor]


class TaskPage(TypedDict):
    items: List[Task]
    total: int
    page: int
    page_size: int
    total_pages: int


class LogLine(TypedDict):
    """``position`` grows with each line of a task, with gaps."""

    position: int
    attempt: int
    level: str
    message: str
    at: str


class Tasks:
    """``channel.tasks``. Every request is repeated while the server restarts; a change is then made once."""

    def __init__(self, channel: Channel, rest: Rest) -> None:
        self._channel = channel
        self._rest = rest

    async def create(
        self,
        title: str,
        task_type: str,
        config: Optional[Dict[str, Any]] = None,
        *,
        description: Optional[str] = None,
        priority: int = 0,
        estimated_duration: Optional[int] = None,
    ) -> TaskDetail:
        """A GPU task. ``estimated_duration`` in minutes."""
        body = {
            "title": title,
            "task_type": task_type,
            "config": config or {},
            "description": description,
            "priority": priority,
            "estimated_duration": estimated_duration,
        }
        return await self._change("", body)

    async def get(self, task_id: TaskId) -> TaskDetail:
        task: TaskDetail = (await self._rest.request("GET", f"/api/tasks/{_quoted(task_id)}"))["data"]
        return task

    async def list(
        self,
        *,
        status: Optional[str] = None,
        task_type: Optional[str] = None,
        page: int = 1,
        page_size: int = 20,
    ) -> TaskPage:
        """The newest first."""
        query = {"status": status, "task_type": task_type, "page": page, "page_size": page_size}
        tasks: TaskPage = (await self._rest.request("GET", "/api/tasks", query=query))["data"]
        return tasks

    async def cancel(self, task_id: TaskId) -> TaskDetail:
        return await self._change(f"/{_quoted(task_id)}/cancel")

    async def retry(self, task_id: TaskId) -> TaskDetail:
        """Puts a failed or cancelled task back into the queue."""
        return await self._change(f"/{_quoted(task_id)}/retry")

    async def wait(self, task_id: TaskId) -> TaskDetail:
        """Waits until one of the user's own tasks has ended: its ``status`` says how."""
        changed = asyncio.Event()

        def hear(event: ChannelEvent) -> None:
            if event.type in _ENDS and (event.type == "resync" or _is_about(event, task_id)):
                changed.set()

        backoff = Backoff()
        with self._channel.listening(hear):
            while True:
                changed.clear()
                try:
                    task = await self.get(task_id)
                except RoostError as error:
                    if not error.temporary:
                        raise
                    await asyncio.sleep(error.retry_after or backoff.next())
                    continue
                if task["status"] in _ENDED:
                    return task
                await self._channel.until(changed)

    async def logs(self, task_id: TaskId, after: int = 0) -> AsyncIterator[LogLine]:
        """The lines of a task's log behind the position ``after``, each as it is written, until the task has ended."""
        await self.get(task_id)  # Another user's task is refused as every request refuses it.
        watcher = self._channel.open_topic(f"task:{task_id}", after)
        ended = asyncio.ensure_future(self.wait(task_id))
        line: Optional[asyncio.Future[Dict[str, Any]]] = None
        try:
            while not ended.done():
                line = asyncio.ensure_future(watcher.next()) if line is None else line
                waits: Set[asyncio.Future[Any]] = {ended, line}
                await asyncio.wait(waits, timeout=_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if line.done():
                    frame, line = line.result(), None
                    after = frame["position"]
                    yield _line(frame, frame["at"])
                elif self._channel.status == "polling":
                    async for one in self._stored(task_id, after):
                        after = one["position"]
                        yield one
            await ended
            async for one in self._stored(task_id, after):
                yield one
        finally:
            ended.cancel()
            if line is not None:
                line.cancel()
            self._channel.close_topic(watcher)

    async def _stored(self, task_id: TaskId, after: int) -> AsyncIterator[LogLine]:
        while True:
            query = {"after": after, "page_size": 500}
            answer = await self._rest.request("GET", f"/api/logs/tasks/{_quoted(task_id)}", query=query)
            items = answer["data"]["items"]
            for item in items:
                after = item["position"]
                yield _line(item, item["created_at"])
            if not items:
                return

    async def _change(self, path: str, body: Optional[Dict[str, Any]] = None) -> TaskDetail:
        headers = {"idempotency-key": str(uuid.uuid4())}
        answer = await self._rest.request("POST", f"/api/tasks{path}", body=body or {}, headers=headers)
        task: TaskDetail = answer["data"]
        return task


def _quoted(task_id: TaskId) -> str:
    return quote(str(task_id), safe="")


def _is_about(event: Any, task_id: TaskId) -> bool:
    return str(task_id) in (event.data["task_id"], str(event.data["id"]))


def _line(fields: Dict[str, Any], at: str) -> LogLine:
    return {
        "position": fields["position"],
        "attempt": fields["attempt"],
        "level": fields["level"],
        "message": fields["message"],
        "at": at,
    }
