"""Troubles that pass: a token function that fails, pages of a proxy, a server that asks to wait, one socket too many.

Called with the URL of a proxy, that of a proxy whose server is away at first, a token, one of a user who has
as many sockets as a user may have, and the number of events to wait for.
"""

import asyncio
import json
import logging
import sys

import roost
import roost.backlog
import roost.connection

url, away, token, full_token, events = sys.argv[1:]
roost.backlog._MOST = 5
log = []
handler = logging.Handler()
handler.emit = log.append
logging.getLogger("roost").addHandler(handler)
asked = []


class Soon(roost.backoff.Backoff):
    def next(self) -> float:
        return 0.01


class Never(roost.backoff.Backoff):
    def next(self) -> float:
        return 3600


def give(refused):
    asked.append(refused)
    if len(asked) == 1:
        raise ValueError("no network")
    return token


def sequence(channel) -> int:
    return roost.cursors.parse(channel.position)[1]


async def main() -> None:
    roost.connection.Backoff = roost.backlog.Backoff = Soon
    numbers = []
    done = asyncio.Event()
    async with roost.connect(url, give) as channel:
        print(json.dumps({"status": channel.status}), flush=True)
        # More events wait than the client keeps.
        wanted = sequence(channel) + int(events)
        while sequence(channel) < wanted:
            await asyncio.sleep(0.01)

        @channel.on("user.updated")
        def add(event) -> None:
            numbers.append(event.data["fields"][0])
            if numbers[-1] == "last":
                done.set()

        await done.wait()
    failures = [str(one.exc_info[1]) for one in log if one.exc_info]
    print(json.dumps({"numbers": numbers, "failures": failures}), flush=True)

    roost.connection.Backoff = Never
    async with roost.connect(away, token) as channel:
        print(json.dumps({"back": channel.status}), flush=True)

    roost.connection.Backoff = Soon
    refused = [lambda _: None, lambda refused: refused or "refused"]
    errors = []
    for one in refused:
        try:
            async with roost.connect(url, one):
                pass
        except roost.SignedOut as error:
            errors.append(error.code)
    print(json.dumps({"signed_out": errors}), flush=True)

    log.clear()
    full = asyncio.ensure_future(roost.connect(url, full_token).__aenter__())
    while not log:
        await asyncio.sleep(0.01)
    full.cancel()
    print(json.dumps({"full": log[0].getMessage()}), flush=True)


asyncio.run(main())
