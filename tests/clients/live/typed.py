"""Checked by mypy, not run: the type of an event tells the fields of its data."""

import roost


async def costs(channel: roost.Channel) -> float:
    total = 0.0
    async for event in channel:
        if event.type == "task.completed" or event.type == "task.failed":
            total += event.data["cost"]
        elif event.type == "resync":
            reason: str = event.data["reason"]
            print(reason)
        elif event.type == "task.created":
            event.data["cost"]  # type: ignore[typeddict-item]
    return total
