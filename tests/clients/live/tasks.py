"""Tasks over the client. Called with a URL and a token, where a node runs tasks of the type test. Prints what it saw, as JSON."""

import asyncio
import json
import sys

import roost

url, token = sys.argv[1:]
LARGE = 12345678901234567890123456789


async def main() -> None:
    async with roost.connect(url, token) as channel:
        tasks = channel.tasks
        config = {"duration_seconds": 0.2, "steps": 2, "large": [LARGE]}
        made = await tasks.create("large", "test", config, priority=3)
        lines = [line["message"] async for line in tasks.logs(made["id"])]
        done = await tasks.wait(made["id"])
        waiting = await tasks.create("waiting", "no_such_type")
        cancelled, ended = await asyncio.gather(tasks.cancel(waiting["id"]), tasks.wait(waiting["id"]))
        again = await tasks.retry(waiting["id"])
        pending = await tasks.list(status="pending")
        await tasks.cancel(again["id"])
        failed = await tasks.create("failing", "test", {"duration_seconds": 0, "fail": "as asked"})
        failed = await tasks.wait(failed["id"])
        states = channel.watch(f"task:{made['id']}")
        state = await states.__anext__()
        await states.aclose()
        refused = []
        for attempt in (
            tasks.get("00000000-0000-7000-8000-000000000000"),
            tasks.create("x", "test", priority=11),
            channel.watch("no:topic").__anext__(),
            tasks.logs("00000000-0000-7000-8000-000000000000").__anext__(),
        ):
            try:
                await attempt
            except roost.RoostError as error:
                refused.append([error.status, error.code])
        print(
            json.dumps(
                {
                    "made": [made["status"], made["priority"], done["config"]["large"] == [LARGE]],
                    "lines": lines,
                    "done": [done["status"], done["result"]["steps"]],
                    "cancelled": [cancelled["status"], ended["status"], again["status"], pending["total"]],
                    "failed": [failed["status"], failed["error_message"], failed["failure_code"]],
                    "state": [state["type"], state["data"]["progress"]],
                    "refused": refused,
                }
            )
        )


asyncio.run(main())
