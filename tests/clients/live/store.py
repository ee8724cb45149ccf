"""What becomes of a session whose store fails, or has another user's session. Called with URL, password, and two logins."""

import asyncio
import json
import logging
import sys

import roost

url, password, login, other_login = sys.argv[1:]
log = []
handler = logging.Handler()
handler.emit = log.append
logging.getLogger("roost").addHandler(handler)


class Unreadable(roost.MemoryStore):
    def load(self):
        raise OSError("no permission")


class Late(roost.MemoryStore):
    """Another user signs in with the store after the session has read it once."""

    other = ""

    def load(self):
        text = super().load()
        if self.other:
            self.save(self.other)
        return text


async def error_of(attempt):
    try:
        await attempt
    except roost.RoostError as error:
        return error.code
    return None


async def lives(token: str) -> bool:
    """Whether the server accepts the token."""
    headers = {"authorization": f"Bearer {token}"}
    return await error_of(roost.rest.send("GET", f"{url}/api/users/me", headers)) is None


async def two(store):
    mine = await roost.sign_in(url, login, password, store)
    token = await mine.token()
    other = await roost.sign_in(url, other_login, password, store)
    return mine, token, other, store.load()


async def main() -> None:
    answer = {}
    store = roost.MemoryStore()
    mine, token, other, text = await two(store)
    await mine.sign_out()
    answer["signed_out"] = [await lives(token), store.load() == text, await lives(await other.token())]

    mine, token, other, text = await two(store)
    answer["renewed"] = [await error_of(mine.token(token)), store.load() == text, await lives(await other.token())]

    late = Late()
    mine = await roost.sign_in(url, login, password, late)
    late.other = text
    answer["meanwhile"] = [await error_of(mine.token(await mine.token())), late.load() == text]

    unreadable = Unreadable()
    mine = await roost.sign_in(url, login, password, unreadable)
    token = await mine.token()
    await mine.sign_out()
    answer["unreadable"] = [await lives(token), await error_of(mine.token()), [str(one.exc_info[1]) for one in log]]
    print(json.dumps(answer))


asyncio.run(main())
