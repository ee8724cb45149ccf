"""What a program is told when something is wrong. Called with a URL, that of a proxy, login and password. Prints JSON.

The proxy loses the first answer to a renewal, and has moved everything under ``/moved``.
"""

import asyncio
import json
import logging
import sys

import roost

url, proxy, login, password = sys.argv[1:]
log = []
handler = logging.Handler()
handler.emit = log.append
logging.getLogger("roost").addHandler(handler)


class Unwritable:
    """A store on a full disk."""

    def load(self) -> None:
        return None

    def save(self, text: str) -> None:
        raise OSError("no space left on device")


async def error_of(attempt):
    try:
        await attempt
    except Exception as error:
        return error
    return None


async def open_channel(at: str, token) -> None:
    async with roost.connect(at, token):
        pass


async def main() -> None:
    answer = {}
    no_url = [error_of(roost.sign_in(url[7:], login, password)), error_of(open_channel("roost.example.org", ""))]
    answer["no_url"] = [type(await one).__name__ for one in no_url]
    moved = await error_of(roost.sign_in(f"{proxy}moved", login, password))
    answer["moved"] = [moved.status, next(word for word in moved.message.split() if word.startswith(url)).rstrip(":")]

    session = await roost.sign_in(proxy, login, password)
    old = await session.token()
    answer["moved"].append((await error_of(open_channel(f"{proxy}moved", old))).code)
    answer["not_here"] = (await error_of(open_channel(f"{url}/elsewhere", old))).status
    log.clear()
    # A port where nobody listens, and three tries of which the program is told once.
    roost.connection.Backoff = lambda: roost.backoff.Backoff(0.01, 0.01)
    await error_of(asyncio.wait_for(open_channel("http://127.0.0.1:9", old), 1))
    answer["away"] = sum(record.levelno >= logging.WARNING for record in log)

    # Whoever asked is gone, and the answer was lost; the session lives.
    asking = asyncio.ensure_future(session.token(old))
    await asyncio.sleep(0)
    asking.cancel()
    new = await session.token(old)
    answer["renewed"] = [new != old, new == await session.token(old)]

    async with roost.connect(url, session.token, cursors=Unwritable()) as channel:
        first = channel.status
        await channel.tasks.create("unwritable", "no_such_type")
        async for _ in channel:
            break
        answer["unwritable"] = [first, channel.status]

    seen = []
    async with roost.connect(url, session.token) as channel:
        over = asyncio.Event()

        @channel.on("*")
        async def close(event: roost.ChannelEvent) -> None:
            seen.append(event.type)
            await channel.close()
            over.set()

        await channel.tasks.create("closing", "no_such_type")
        await over.wait()
    answer["closed"] = [channel.status, seen]
    print(json.dumps(answer))


asyncio.run(main())
