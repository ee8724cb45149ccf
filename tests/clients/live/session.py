"""A session is kept, restored, renewed once for many who ask, and ended. Called with URL, login, password, and a file."""

import asyncio
import json
import sys

import roost

url, login, password, path = sys.argv[1:]
store = roost.FileStore(path)


def kept() -> dict:
    return json.loads(store.load())


async def main() -> None:
    try:
        await roost.sign_in(url, login, "wrong password")
    except roost.RoostError as error:
        print(json.dumps({"wrong": [error.status, error.code]}))
    nothing = [roost.restore(url, roost.MemoryStore(text)) for text in (None, "", "no session")]
    await roost.sign_in(url, login, password, store)
    first = kept()
    session = roost.restore(url, store)
    valid = await session.token()
    renewed = set(await asyncio.gather(*[session.token(valid) for _ in range(5)]))
    after_refusal = kept()
    store.save(json.dumps({**kept(), "expires_at": 0}))
    expired = roost.restore(url, store)
    fresh = await expired.token()
    # The first session has an older refresh token than the store.
    shared = await session.token(renewed.pop())
    answer = {
        "nothing": nothing,
        "valid": valid == first["access_token"],
        "renewals": [len(renewed) + 1, after_refusal["refresh_token"] != first["refresh_token"]],
        "expired": fresh == kept()["access_token"] and kept()["refresh_token"] != after_refusal["refresh_token"],
        "shared": shared == fresh,
    }
    async with roost.connect(url, session.token) as channel:
        await session.sign_out()
        try:
            async for event in channel:
                pass
        except roost.SignedOut as error:
            answer["signed_out"] = [error.status, channel.status]
        try:
            await channel.tasks.wait(1)
        except roost.RoostError as error:
            answer["afterwards"] = error.code
    try:
        await session.token()
    except roost.SignedOut as error:
        answer["token"] = error.code
    answer["kept"] = store.load()
    print(json.dumps(answer))


asyncio.run(main())
