"""A handler that lags behind more events than the client keeps, on a token that expires. Called with URL and two tokens."""

import asyncio
import json
import logging
import sys

import roost
import roost.backlog

roost.backlog._MOST = 5
logging.basicConfig(level=logging.INFO, stream=sys.stderr)

url, *tokens = sys.argv[1:]
asked = []


async def token(refused) -> str:
    asked.append(refused)
    return tokens[min(len(asked), len(tokens)) - 1]


async def main() -> None:
    channel = roost.connect(url, token)
    done = asyncio.Event()
    numbers = []

    async with channel:
        print(json.dumps({"status": channel.status}), flush=True)

        @channel.on("user.updated")
        async def slow(event) -> None:
            if not numbers:
                await asyncio.sleep(0.5)
            numbers.append(event.data["fields"][0])
            if len(numbers) == 3:
                raise ValueError("a handler that fails stops nothing")
            if numbers[-1] == "last":
                done.set()

        await done.wait()
        channel.off(slow)
    print(json.dumps({"numbers": numbers, "refused": [one for one in asked if one is not None]}), flush=True)


asyncio.run(main())
