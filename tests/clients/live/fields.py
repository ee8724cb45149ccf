"""Prints the fields of every event type, and of a task, as JSON: which must be there, and which may be missing."""

import json

import roost


def fields(kind) -> dict:
    return {"required": sorted(kind.__required_keys__), "optional": sorted(kind.__optional_keys__)}


events = {kind: fields(data) for kind, data in roost.EVENTS.items()}
print(json.dumps({"events": events, "task": fields(roost.TaskDetail), "page": fields(roost.TaskPage)}))
