"""Requests over HTTP, by the standard library."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import json
import logging
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, TypeVar, Union

from .backoff import Backoff
from .errors import RoostError, SignedOut, error_of, not_roost

_log = logging.getLogger("roost")

Token = Union[str, Callable[[Optional[str]], Union[Awaitable[Optional[str]], Optional[str]]]]
"""An access token, or a function that gives a valid one. The argument is the token that the server has just refused, or None.
Without a token (None, or the refused one again) the session has ended. A function that raises is called again later."""

T = TypeVar("T")

_TRIES = 6
_MOST_WAIT_SECONDS = 60.0
"""A request whose next try makes sense only later than this fails at once."""


def base_of(url: str) -> str:
    """The URL of a server without a slash at its end. Raises ValueError when it is none."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the URL of a server is like https://roost.example.org, and not {url!r}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would send a redirected POST as a GET, and the access token to whichever server the answer names."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


class Credential:
    """The access token of a channel and its requests."""

    def __init__(self, token: Token) -> None:
        self._token = token

    async def get(self, refused: Optional[str] = None) -> str:
        token = await self._give(refused)
        if not token or token == refused:
            raise SignedOut(401, "INVALID_CREDENTIALS", "the server has refused the access token")
        return token

    async def _give(self, refused: Optional[str]) -> Optional[str]:
        if isinstance(self._token, str):
            return self._token
        try:
            given = self._token(refused)
            return await given if inspect.isawaitable(given) else given
        except RoostError:
            raise
        except Exception as error:
            _log.exception("the function of the access token has failed")
            raise RoostError(0, "NO_TOKEN", f"the function of the access token has failed: {error!r}") from error


async def in_thread(work: Callable[[], T]) -> T:
    """Runs ``work`` in a thread that keeps no program from ending. A request cannot be interrupted, but abandoned."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], outcome: Any) -> None:
        if not done.done():
            set_outcome(outcome)

    def run() -> None:
        set_outcome: Callable[[Any], None] = done.set_result
        outcome: Any
        try:
            outcome = work()
        except Exception as error:
            set_outcome, outcome = done.set_exception, error
        try:
            loop.call_soon_threadsafe(settle, set_outcome, outcome)
        except RuntimeError:
            pass  # The loop has ended meanwhile.

    threading.Thread(target=run, daemon=True, name="roost request").start()
    return await done


async def send(
    method: str, url: str, headers: Mapping[str, str], body: Optional[object] = None, timeout: float = 30
) -> Any:
    """One request. Returns what the answer says, None without a body. Raises RoostError."""
    payload = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, payload, dict(headers), method=method)
    if payload is not None:
        request.add_header("content-type", "application/json")

    def ask() -> bytes:
        try:
            return _answer(request, timeout)
        except (OSError, http.client.HTTPException) as error:
            raise RoostError(0, "UNREACHABLE", f"{method} {url}: {error}") from error

    text = await in_thread(ask)
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise not_roost(url) from None


def _answer(request: urllib.request.Request, timeout: float) -> bytes:
    try:
        with _opener.open(request, timeout=timeout) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            to = error.headers.get("location")
            if 300 <= error.code < 400 and to is not None:
                message = f"{request.full_url} redirects to {to}: give the URL of that server"
                raise RoostError(error.code, "REDIRECTED", message) from None
            raise error_of(error.code, error.read(), error.headers.get("retry-after")) from None


class Rest:
    """Requests as a signed-in user."""

    def __init__(self, url: str, credential: Credential, language: str) -> None:
        self._url = base_of(url)
        self._credential = credential
        self._language = language

    async def once(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, object]] = None,
        body: Optional[object] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: float = 30,
    ) -> Any:
        """One request, and another one with a new token when the first token is refused."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self._url}{path}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        token = await self._credential.get()
        all_headers: Dict[str, str] = {"accept-language": self._language, **(headers or {})}
        for refused in (False, True):
            all_headers["authorization"] = f"Bearer {token}"
            try:
                return await send(method, url, all_headers, body, timeout)
            except RoostError as error:
                if error.status != 401 or refused:
                    raise
            token = await self._credential.get(token)
        raise AssertionError("not reached")

    async def events(self, cursor: Optional[str], wait: int = 0) -> Dict[str, Any]:
        """The events after a cursor: at most 500. When there are none, the server waits so many seconds for one."""
        query = {"cursor": cursor, "limit": 500, "wait": wait}
        page = await self.once("GET", "/api/events", query=query, timeout=wait + 15)
        if not isinstance(page, dict) or "events" not in page:
            raise not_roost(self._url)
        return page

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, object]] = None,
        body: Optional[object] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Any:
        """A request that may be sent twice. It is, while the server cannot be reached: restarts take seconds."""
        backoff = Backoff(most=5)
        for tries in range(1, _TRIES + 1):
            try:
                return await self.once(method, path, query=query, body=body, headers=headers)
            except RoostError as error:
                asked = error.retry_after or 0.0
                if not error.temporary or tries == _TRIES or asked > _MOST_WAIT_SECONDS:
                    raise
            await asyncio.sleep(max(asked, backoff.next()))
        raise AssertionError("not reached")
