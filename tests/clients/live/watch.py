"""Prints the frames of topics, one JSON object a line, until each topic has had some. Called with URL, token, and the topics."""

import asyncio
import json
import sys

import roost

url, token, *topics = sys.argv[1:]


async def follow(channel: roost.Channel, topic: str) -> None:
    seen = 0
    async for frame in channel.watch(topic):
        print(json.dumps({"topic": topic, "type": frame["type"], "data": frame.get("data")}), flush=True)
        seen += 1
        if seen == 2 or topic.lower().startswith("task"):
            return


async def main() -> None:
    async with roost.connect(url, token) as channel:
        print(json.dumps({"status": channel.status}), flush=True)
        await asyncio.gather(*[follow(channel, topic) for topic in topics])


asyncio.run(main())
