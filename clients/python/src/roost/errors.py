"""What the package raises."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional


class RoostError(Exception):
    """The server has refused something, or cannot be reached (then ``status`` is 0 and ``code`` is ``UNREACHABLE``).

    ``status`` is that of the answer, or a close code of the socket. Decide by ``code``: ``message`` is for people.
    ``retry_after``: seconds after which another try makes sense; None when the server does not say so.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: Optional[float] = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def temporary(self) -> bool:
        """The same request may succeed later."""
        # What is not JSON comes from a proxy, or from the sign-in page of a network.
        return self.status in (0, 429, 500, 502, 503, 504) or self.code == "NOT_JSON"


class SignedOut(RoostError):
    """The session has ended, or the token is refused and there is no way to a new one."""


def not_roost(url: str) -> RoostError:
    return RoostError(200, "NOT_JSON", f"the answer of {url} is not JSON of Roost")


def error_of(status: int, body: bytes, retry_after: Optional[str]) -> RoostError:
    """The error in an answer of any of the five APIs. ``retry_after`` is the field of the answer's head."""
    try:
        answer: Dict[str, Any] = dict(json.loads(body))
    except (TypeError, ValueError):
        answer = {}
    inner = answer.get("error")
    error: Dict[str, Any] = inner if isinstance(inner, dict) else {}
    code = answer.get("error_code") or error.get("code") or f"HTTP_{status}"
    message = error.get("message") or answer.get("message") or answer.get("detail") or f"status {status}"
    seconds = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
    return RoostError(status, str(code), str(message), seconds)
