"""A session: an access token that is renewed before it expires."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any, Dict, Optional

from .errors import RoostError, SignedOut, not_roost
from .rest import base_of, send
from .stores import MemoryStore, Store

_log = logging.getLogger("roost")

_RENEW_SECONDS = 90
"""A token is renewed so long before its end. The server announces the end a minute before."""
_RENEW_TIMEOUT_SECONDS = 4.5
"""Of a request to renew. Two take less than the ten seconds in which the server accepts a refresh token once more."""


class Session:
    """Made by :func:`sign_in` or :func:`restore`. ``session.token`` is what :func:`roost.connect` takes as its token."""

    def __init__(self, url: str, store: Store, tokens: Dict[str, Any]) -> None:
        self._url = base_of(url)
        self._store = store
        self._tokens = tokens
        self._is_stored = True
        """The store has these tokens or, from another program, newer ones."""
        self._renewal: Optional[asyncio.Future[None]] = None
        self._ended: Optional[SignedOut] = None

    async def token(self, refused: Optional[str] = None) -> str:
        """A valid access token, and not the ``refused`` one. Raises SignedOut when the session has ended."""
        if self._ended is not None:
            raise self._ended
        if not self._is_good(refused):
            if self._renewal is None:
                self._renewal = asyncio.ensure_future(self._renew(refused))
                self._renewal.add_done_callback(self._renewed)
            # Whoever asks may be cancelled. The renewal goes on: the server has perhaps replaced the refresh token already.
            await asyncio.shield(self._renewal)
        return str(self._tokens["access_token"])

    async def sign_out(self) -> None:
        """Ends the session here and in its store, then on the server, which refuses its tokens at once.

        Raises RoostError when the server cannot be reached: there the session ends when nobody has used it for seven days.
        """
        if self._ended is not None:
            return
        self._end(SignedOut(401, "SESSION_ENDED", "this session has been signed out"))
        await _post(self._url, "", {"refresh_token": self._tokens["refresh_token"]}, "DELETE")

    def _is_good(self, refused: Optional[str]) -> bool:
        return self._tokens["access_token"] != refused and self._seconds_left() > _RENEW_SECONDS

    def _seconds_left(self) -> float:
        return float(self._tokens["expires_at"]) - time.time()

    async def _renew(self, refused: Optional[str]) -> None:
        if self._is_stored:
            # Another program that shares the store may have renewed the session. A used refresh token would end it.
            stored = _parsed(self._store.load())
            if stored is None or not self._is_own(stored):
                raise self._end(_elsewhere())
            self._tokens = stored
            if self._is_good(refused):
                return
        try:
            tokens = await self._refresh()
        except RoostError as error:
            if error.status in (401, 403):
                raise self._end(SignedOut(error.status, error.code, error.message)) from None
            if refused is None and self._seconds_left() > 0:
                return
            raise
        self._tokens = tokens
        if self._ended is None:
            self._save()
        if self._ended is not None:
            raise self._ended

    def _is_own(self, tokens: Dict[str, Any]) -> bool:
        return bool(tokens["user_id"] == self._tokens["user_id"])

    async def _refresh(self) -> Dict[str, Any]:
        """Asks once more when the answer was lost. The server has replaced the refresh token then, and accepts the old one
        for ten seconds only; a later use of it ends the session."""
        body = {"refresh_token": self._tokens["refresh_token"]}
        try:
            answer = await _post(self._url, "/refresh", body, timeout=_RENEW_TIMEOUT_SECONDS)
        except RoostError as error:
            if error.status != 0 and error.status < 500:
                raise
            answer = await _post(self._url, "/refresh", body, timeout=_RENEW_TIMEOUT_SECONDS)
        return _kept(self._url, answer)

    def _renewed(self, renewal: asyncio.Future[None]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # Perhaps nobody waits for it any more.

    def _end(self, reason: SignedOut) -> SignedOut:
        self._ended = reason
        self._save()
        return reason

    def _save(self) -> None:
        """Stores the tokens, or nothing after the end, unless another user has signed in meanwhile: then the store has their
        session."""
        try:
            stored = _parsed(self._store.load())
            if stored is not None and not self._is_own(stored):
                self._ended = self._ended or _elsewhere()
                return
            if self._ended is not None and stored is not None and self._is_stored:
                # Another program may have renewed the session, or the user may have signed in again.
                self._tokens = stored
            self._store.save(json.dumps(self._tokens) if self._ended is None else "")
            self._is_stored = True
        except Exception:
            self._is_stored = False
            _log.exception("the session cannot be stored or deleted: this program goes on without its store")


async def sign_in(url: str, login: str, password: str, store: Optional[Store] = None) -> Session:
    """Signs in with an email or a username. The tokens are kept in the store; in memory without one."""
    base = base_of(url)
    tokens = _kept(base, await _post(base, "", {"email": login, "password": password}))
    kept = MemoryStore() if store is None else store
    kept.save(json.dumps(tokens))
    return Session(url, kept, tokens)


def restore(url: str, store: Store) -> Optional[Session]:
    """The session in a store; None when there is none. Whether it still lives, its first token shows."""
    tokens = _parsed(store.load())
    return None if tokens is None else Session(url, store, tokens)


async def _post(url: str, path: str, body: object, method: str = "POST", timeout: float = 30) -> Any:
    return await send(method, f"{url}/api/v1/auth/sessions{path}", {"accept-language": "en"}, body, timeout)


def _elsewhere() -> SignedOut:
    return SignedOut(401, "SESSION_ENDED", "another program has signed this session out, or another user in")


def _kept(url: str, answer: Any) -> Dict[str, Any]:
    if not isinstance(answer, dict) or "user" not in answer:
        raise not_roost(url)
    return {
        "access_token": answer["access_token"],
        "refresh_token": answer["refresh_token"],
        "user_id": answer["user"]["id"],
        "expires_at": time.time() + answer["expires_in"],
    }


def _parsed(text: Optional[str]) -> Optional[Dict[str, Any]]:
    """None also for a text that is no session."""
    try:
        tokens = json.loads(text or "null")
    except ValueError:
        return None
    return tokens if isinstance(tokens, dict) and {"refresh_token", "user_id"} <= tokens.keys() else None
