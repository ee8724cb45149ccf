"""Keeps a channel connected: over a WebSocket, or by long polls where the upgrade to one is blocked."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from typing import Any, Dict, List, Optional, Protocol, Union
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, WebSocketException

from .backoff import Backoff
from .cursors import is_after
from .errors import RoostError, SignedOut
from .rest import Credential, Rest, base_of

_log = logging.getLogger("roost")

_OPEN_SECONDS = 10.0
_PING_SECONDS = 20.0
_STABLE_SECONDS = 10.0
"""A connection that has lived so long counts as a success: the next try comes soon."""
_POLL_SECONDS = 25
_UPGRADE_SECONDS = 10.0
"""While upgrades are blocked, the first one is tried again after this time, and each later one after twice the time."""
_MOST_UPGRADE_SECONDS = 300.0
_MOST_BYTES = 16 * 1024 * 1024

_BURST = 200
_PACE_SECONDS = 0.05
"""A client may send 300 frames at once, then 30 a second."""

_BAD_FRAME, _UNAUTHENTICATED, _FORBIDDEN, _FRAME_TOO_LARGE = 4400, 4401, 4403, 4413
_TOO_MUCH = (4409, 4429)
"""The user has too many sockets, or the program has sent too many frames: the next try would end in the same way."""
_TOO_MUCH_SECONDS = 60.0


class _Opening(open_socket):
    """Opens a socket at this URL only: the client would send its token to whichever server a redirect names."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Application(Protocol):
    """The channel, as the connection sees it."""

    @property
    def position(self) -> Optional[str]:
        """The cursor of the last event that has arrived."""

    def connected(self, status: str, cursor: str) -> None:
        """Events come from now on. A channel without a position begins at the cursor."""

    def disconnected(self) -> None: ...

    def first_frames(self) -> List[Dict[str, Any]]:
        """What a new socket begins with."""

    def take(self, frame: Dict[str, Any]) -> bool:
        """Takes an event, a state or a resync. Returns False when events are missing before it."""


class Connection:
    def __init__(
        self, url: str, credential: Credential, rest: Rest, language: str, application: Application
    ) -> None:
        self._url = base_of(url).replace("http", "ws", 1) + "/ws/connect"
        self._credential = credential
        self._rest = rest
        self._language = language
        self._application = application
        self._outgoing: Optional[asyncio.Queue[Dict[str, Any]]] = None
        self._renewal: Optional[asyncio.Task[None]] = None
        self._token = ""
        self._refused: Optional[str] = None
        self._was_connected = False
        self._is_away = False
        self._asked: Optional[float] = None
        """Seconds after which the server asks to come back."""
        self._upgrade_seconds = _UPGRADE_SECONDS

    def send(self, frame: Dict[str, Any]) -> None:
        """Does nothing without a socket: a new one begins with the application's first frames."""
        if self._outgoing is not None:
            self._outgoing.put_nowait(frame)

    async def run(self) -> None:
        """Ends with a RoostError when coming back makes no sense."""
        backoff = Backoff()
        while True:
            began, position = time.monotonic(), self._application.position
            self._asked = None
            try:
                await self._over_socket()
            except ConnectionClosed as error:
                _log.info("the connection has ended: %s", error)
                self._after(error)
            except (OSError, EOFError, asyncio.TimeoutError, WebSocketException) as error:
                _log.info("no WebSocket: %s", error)
                if await self._over_http():
                    backoff.reset()
                    continue
            except SignedOut:
                raise
            except RoostError as error:  # There is no token now.
                self._failed(error)
            self._application.disconnected()
            # A connection that has brought something is no failed try.
            if time.monotonic() - began > _STABLE_SECONDS or self._application.position != position:
                backoff.reset()
            await asyncio.sleep(backoff.next() if self._asked is None else self._asked)

    async def _over_socket(self) -> None:
        """Ends when the socket ends, or when an event is missing."""
        self._token = await self._credential.get(self._refused)
        cursor = self._application.position
        async with _Opening(
            self._url if cursor is None else f"{self._url}?{urlencode({'cursor': cursor})}",
            additional_headers={"Authorization": f"Bearer {self._token}", "Accept-Language": self._language},
            open_timeout=_OPEN_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=1,
            max_size=_MOST_BYTES,
        ) as socket:
            welcome = await self._welcome(socket)
            self._refused = None
            self._upgrade_seconds = _UPGRADE_SECONDS
            self._connected("live", welcome["cursor"])
            self._outgoing = asyncio.Queue()
            for frame in self._application.first_frames():
                self.send(frame)
            helpers = [asyncio.ensure_future(one) for one in (_send_all(socket, self._outgoing), self._ping())]
            try:
                while self._take(_frame_of(await socket.recv())):
                    pass
            finally:
                self._outgoing = None
                for helper in helpers:
                    helper.cancel()

    def _connected(self, status: str, cursor: str) -> None:
        self._was_connected = True
        self._is_away = False
        self._application.connected(status, cursor)

    def _failed(self, error: RoostError) -> None:
        """Warns once, until the server is there again."""
        self._asked = error.retry_after or None
        _log.log(logging.INFO if self._is_away else logging.WARNING, "not connected, trying again: %s", error)
        self._is_away = True

    async def _welcome(self, socket: ClientConnection) -> Any:
        try:
            return _frame_of(await asyncio.wait_for(socket.recv(), _OPEN_SECONDS))
        except ConnectionClosed as error:
            # The server would have said why.
            if error.rcvd is None:
                raise OSError("the socket was cut before its first frame") from error
            raise

    def _take(self, frame: Dict[str, Any]) -> bool:
        kind = frame["type"]
        if kind == "draining":
            self._asked = frame["reconnect_after_ms"] / 1000
        elif kind == "auth_expiring":
            self._renewal = asyncio.ensure_future(self._renew())
        elif kind == "error" and "topic" not in frame:
            _log.warning("the server refused a frame: %s", frame["message"])
        elif kind == "pong":
            # The server has sent all events up to this cursor.
            position = self._application.position
            return position is None or "cursor" not in frame or not is_after(frame["cursor"], position)
        elif kind != "subscribed":
            return self._application.take(frame)
        return True

    async def _ping(self) -> None:
        """The answers show whether the newest event was lost on its way: no later one would."""
        while True:
            await asyncio.sleep(_PING_SECONDS)
            self.send({"type": "ping"})

    async def _renew(self) -> None:
        try:
            self._token = await self._credential.get()
        except RoostError as error:
            # The server closes the socket when the old token expires; the next connection tries again.
            _log.info("the access token cannot be renewed: %s", error)
        else:
            self.send({"type": "auth", "token": self._token})

    def _after(self, error: ConnectionClosed) -> None:
        """What a close code asks for. Raises when the client must not come back."""
        if error.rcvd is None:
            return
        code, reason = error.rcvd.code, error.rcvd.reason
        if code == _UNAUTHENTICATED:
            self._refused = self._token
        elif code == _FORBIDDEN:
            raise SignedOut(code, "SESSION_ENDED", reason or "the session has ended")
        elif code in (_BAD_FRAME, _FRAME_TOO_LARGE):
            raise RoostError(code, "BAD_FRAME", reason)
        elif code in _TOO_MUCH:
            self._failed(RoostError(code, "TOO_MUCH", reason, random.uniform(0.5, 1) * _TOO_MUCH_SECONDS))

    async def _over_http(self) -> bool:
        """Long polls until it is time to try an upgrade again. Returns False when the server cannot be reached."""
        until = time.monotonic() + self._upgrade_seconds
        wait = 0
        while True:
            try:
                page = await self._rest.events(self._application.position, wait)
            except SignedOut:
                raise
            except RoostError as error:
                # At the first connection it is the URL that is wrong. Later a proxy may answer so during a restart.
                is_roost = error.temporary and error.code != "NOT_JSON"
                if not is_roost and not self._was_connected:
                    raise
                self._failed(error)
                return False
            self._connected("polling", page["cursor"])
            for event in page["events"]:
                self._application.take(event)
            if page["resync"] is not None:
                self._application.take(
                    {"type": "resync", "cursor": page["cursor"], "reason": page["resync"]}
                )
            left = until - time.monotonic()
            if left <= 0:
                self._upgrade_seconds = min(_MOST_UPGRADE_SECONDS, self._upgrade_seconds * 2)
                return True
            wait = 0 if page["has_more"] else max(1, min(_POLL_SECONDS, int(left)))


def _frame_of(text: Union[str, bytes]) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise OSError("a frame is not JSON") from None


async def _send_all(socket: ClientConnection, outgoing: asyncio.Queue[Dict[str, Any]]) -> None:
    sent = 0
    while True:
        frame = await outgoing.get()
        try:
            await socket.send(json.dumps(frame))
        except ConnectionClosed:
            return
        sent += 1
        if sent > _BURST:
            await asyncio.sleep(_PACE_SECONDS)
