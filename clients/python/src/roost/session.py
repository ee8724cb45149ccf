"""A session: an access token that is renewed before it expires."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Dict, Optional

from .errors import RoostError, SignedOut
from .rest import send
from .stores import MemoryStore, Store

_RENEW_SECONDS = 90
"""A token is renewed so long before its end. The server announces the end a minute before."""


class Session:
    """Made by :func:`sign_in` or :func:`restore`. ``session.token`` is what :func:`roost.connect` takes as its token."""

    def __init__(self, url: str, store: Store, tokens: Dict[str, Any]) -> None:
        self._url = url
        self._store = store
        self._tokens = tokens
        self._renewing = asyncio.Lock()

    async def token(self, refused: Optional[str] = None) -> str:
        """A valid access token, and not the ``refused`` one. Raises SignedOut when the session has ended."""
        async with self._renewing:
            if not self._is_good(refused):
                await self._renew(refused)
            return str(self._tokens["access_token"])

    async def sign_out(self) -> None:
        """Ends the session on the server: its tokens are refused at once."""
        async with self._renewing:
            await _post(self._url, "", {"refresh_token": self._tokens["refresh_token"]}, "DELETE")

    def _is_good(self, refused: Optional[str]) -> bool:
        expires_at = float(self._tokens["expires_at"])
        return self._tokens["access_token"] != refused and time.time() < expires_at - _RENEW_SECONDS

    async def _renew(self, refused: Optional[str]) -> None:
        # Another program that shares the store may have renewed the session. A used refresh token would end it.
        stored = _parsed(self._store.load())
        if stored is not None:
            self._tokens = stored
            if self._is_good(refused):
                return
        try:
            answer = await _post(self._url, "/refresh", {"refresh_token": self._tokens["refresh_token"]})
        except RoostError as error:
            if error.status in (401, 403):
                raise SignedOut(error.status, error.code, error.message) from None
            raise
        self._tokens = _kept(answer)
        self._store.save(json.dumps(self._tokens))


async def sign_in(url: str, login: str, password: str, store: Optional[Store] = None) -> Session:
    """Signs in with an email or a username. The tokens are kept in the store; in memory without one."""
    tokens = _kept(await _post(url, "", {"email": login, "password": password}))
    kept = MemoryStore() if store is None else store
    kept.save(json.dumps(tokens))
    return Session(url, kept, tokens)


def restore(url: str, store: Store) -> Optional[Session]:
    """The session in a store; None when there is none. Whether it still lives, its first token shows."""
    tokens = _parsed(store.load())
    return None if tokens is None else Session(url, store, tokens)


async def _post(url: str, path: str, body: object, method: str = "POST") -> Any:
    return await send(method, f"{url.rstrip('/')}/api/v1/auth/sessions{path}", {"accept-language": "en"}, body)


def _kept(answer: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "access_token": answer["access_token"],
        "refresh_token": answer["refresh_token"],
        "expires_at": time.time() + answer["expires_in"],
    }


def _parsed(text: Optional[str]) -> Optional[Dict[str, Any]]:
    return None if text is None else dict(json.loads(text))
