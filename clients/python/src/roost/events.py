"""The events of the live channel, with the ``data`` of each type. docs/protocol.md, "Events", says when they come.

Fields that may be missing are in the classes with ``total=False``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Generic, List, Literal, Optional, TypedDict, TypeVar, Union, get_args

T = TypeVar("T", bound=str)
D = TypeVar("D")


@dataclass(frozen=True)
class Event(Generic[T, D]):
    """``cursor`` is its position in the channel, ``at`` its time (RFC 3339 in UTC)."""

    type: T
    cursor: str
    at: str
    data: D


class TaskData(TypedDict):
    task_id: str
    id: int
    status: str
    progress: float
    title: str
    attempt: int


class TaskStartedData(TaskData, total=False):
    gpu_server_id: str


class _TaskCompletedData(TaskData):
    result: Dict[str, Any]
    cost: float


class TaskCompletedData(_TaskCompletedData, total=False):
    result_omitted: Literal[True]


class TaskFailedData(TaskData):
    error_message: str
    failure_code: str
    failure_params: Dict[str, Union[str, int, float]]
    exit_code: Optional[int]
    cost: float


class _Reason(TypedDict, total=False):
    reason_code: str
    reason_params: Dict[str, Union[str, int, float]]


class _TaskCancelledData(TaskData):
    cost: float


class TaskCancelledData(_TaskCancelledData, _Reason, total=False):
    reason: str


class _TaskRequeuedData(TaskData):
    reason: str


class TaskRequeuedData(_TaskRequeuedData, _Reason):
    pass


class TaskUnplaceableData(TaskData):
    task_type: str
    available_types: List[str]


class _Upload(TypedDict):
    title: str
    type: str
    file_format: str


class UploadData(_Upload, total=False):
    """``material_id`` of a material, ``file_id`` of a photo."""

    material_id: int
    file_id: str


class UploadCompletedData(UploadData):
    file_size: int


class UploadFailedData(UploadData):
    reason: str


class MaterialData(TypedDict):
    material_id: int


class ThumbnailCompletedData(MaterialData):
    thumbnail_path: str


class ThumbnailFailedData(ThumbnailCompletedData):
    reason: str


class PhotoDeletedData(TypedDict):
    photo_id: int


class PhotoData(PhotoDeletedData):
    file_id: str
    title: str
    slug: str
    status: str
    visibility: str


class PhotoProcessedData(TypedDict):
    file_id: str
    photo_id: Optional[int]
    status: str
    reason: Optional[str]


class CategoryDeletedData(TypedDict):
    category_id: int


class CategoryData(CategoryDeletedData):
    name: str
    slug: str
    parent_id: Optional[int]
    is_active: bool


class AgentRunFinishedData(TypedDict):
    session_id: str
    run_id: str
    status: str
    error: Optional[str]


class ScheduleDeletedData(TypedDict):
    item_id: str


class _Schedule(ScheduleDeletedData):
    title: str
    start_at: str
    end_at: Optional[str]
    timezone: str


class ScheduleData(_Schedule):
    status: str
    rrule: Optional[str]


class ScheduleReminderData(_Schedule):
    reminder_minutes: int


class BalanceData(TypedDict):
    balance: float
    available_balance: float


class BalanceChangedData(BalanceData):
    reason: str


class BalanceLowData(BalanceData):
    threshold: float


class LedgerUnbalancedData(TypedDict):
    checked_at: str
    differences: int


class SessionRevokedData(TypedDict):
    session_id: str
    reason: str


class Device(TypedDict):
    browser: str
    browser_version: str
    os: str
    os_version: str
    type: str


class UserLoginData(TypedDict):
    id: int
    username: str
    email: str
    role: str
    display_name: str
    avatar_url: Optional[str]
    session_id: str
    ip: str
    device: Device


class UserUpdatedData(TypedDict):
    fields: List[str]


class SystemBackupData(TypedDict):
    backup_id: int
    status: str
    file_name: str
    size: Optional[int]
    started_at: str
    ended_at: str
    error: Optional[str]


class GpuServerData(TypedDict):
    server_id: str
    name: str


class WebhookDisabledData(TypedDict):
    webhook_id: int
    reason: str


class ResyncData(TypedDict):
    """``expired``, ``epoch`` or ``unknown``."""

    reason: str


ServerEvent = Union[
    Event[Literal["task.created"], TaskData],
    Event[Literal["task.started"], TaskStartedData],
    Event[Literal["task.paused"], TaskData],
    Event[Literal["task.resumed"], TaskData],
    Event[Literal["task.completed"], TaskCompletedData],
    Event[Literal["task.failed"], TaskFailedData],
    Event[Literal["task.cancelled"], TaskCancelledData],
    Event[Literal["task.requeued"], TaskRequeuedData],
    Event[Literal["task.unplaceable"], TaskUnplaceableData],
    Event[Literal["task.deleted"], TaskData],
    Event[Literal["upload.started"], UploadData],
    Event[Literal["upload.completed"], UploadCompletedData],
    Event[Literal["upload.failed"], UploadFailedData],
    Event[Literal["thumbnail.completed"], ThumbnailCompletedData],
    Event[Literal["thumbnail.failed"], ThumbnailFailedData],
    Event[Literal["photo.created"], PhotoData],
    Event[Literal["photo.updated"], PhotoData],
    Event[Literal["photo.deleted"], PhotoDeletedData],
    Event[Literal["photo.processed"], PhotoProcessedData],
    Event[Literal["category.created"], CategoryData],
    Event[Literal["category.updated"], CategoryData],
    Event[Literal["category.deleted"], CategoryDeletedData],
    Event[Literal["material.hidden"], MaterialData],
    Event[Literal["material.removed"], MaterialData],
    Event[Literal["agent.run_finished"], AgentRunFinishedData],
    Event[Literal["schedule.created"], ScheduleData],
    Event[Literal["schedule.updated"], ScheduleData],
    Event[Literal["schedule.deleted"], ScheduleDeletedData],
    Event[Literal["schedule.reminder"], ScheduleReminderData],
    Event[Literal["balance.changed"], BalanceChangedData],
    Event[Literal["balance.low"], BalanceLowData],
    Event[Literal["ledger.unbalanced"], LedgerUnbalancedData],
    Event[Literal["session.revoked"], SessionRevokedData],
    Event[Literal["user.login"], UserLoginData],
    Event[Literal["user.updated"], UserUpdatedData],
    Event[Literal["system.backup"], SystemBackupData],
    Event[Literal["gpu.online"], GpuServerData],
    Event[Literal["gpu.offline"], GpuServerData],
    Event[Literal["webhook.disabled"], WebhookDisabledData],
]
"""Every event that the server sends. A comparison of its ``type`` tells a type checker the fields of ``data``."""

Resync = Event[Literal["resync"], ResyncData]
"""In the place of events that the server no longer has: fetch again what you keep."""

ChannelEvent = Union[ServerEvent, Resync]

EVENTS: Dict[str, type] = {get_args(get_args(one)[0])[0]: get_args(one)[1] for one in get_args(ServerEvent)}
"""The class of the ``data`` of each event type."""
