"""Prints the events of a channel, one JSON object a line, until one with the title that is given.

Called with URL, token, the file of the cursor, and that title.
"""

import asyncio
import json
import logging
import sys

import roost
import roost.connection

# So that a test need not wait long for the next try of an upgrade, or for the answer that shows a lost event.
roost.connection._UPGRADE_SECONDS = 1.0
roost.connection._PING_SECONDS = 2.0
logging.basicConfig(level=logging.INFO, stream=sys.stderr)

url, token, cursors, last = sys.argv[1:]


async def main() -> None:
    async with roost.connect(url, token, cursors=roost.FileStore(cursors)) as channel:
        print(json.dumps({"status": channel.status}), flush=True)
        seen = []
        channel.on("task.created")(lambda event: seen.append(event.data["title"]))
        async for event in channel:
            line = {"type": event.type, "cursor": event.cursor, "data": event.data, "status": channel.status}
            print(json.dumps(line), flush=True)
            if event.type == "task.created" and event.data["title"] == last:
                break
        print(json.dumps({"handled": seen}), flush=True)


asyncio.run(main())
