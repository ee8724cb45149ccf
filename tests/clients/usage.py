"""A program as somebody writes it who has only the OpenAPI document; its client is generated from that.

Called with the URL of a server and a name for its user. Prints what it saw, as JSON.
"""

import io
import json
import sys
from datetime import datetime, timezone

from roost_client import AuthenticatedClient, Client
from roost_client.api.factory_auth import factory_login, factory_register
from roost_client.api.factory_tasks import (
    factory_cancel_task,
    factory_create_task,
    factory_get_task,
    factory_list_tasks,
)
from roost_client.api.learning_materials import learning_get_material, learning_list_materials
from roost_client.api.learning_upload import learning_upload_material
from roost_client.api.runtime_schedule import runtime_create_schedule_item, runtime_list_schedule_items
from roost_client.api.runtime_users import runtime_get_user_me
from roost_client.models import (
    FactoryCreateTaskBody,
    FactoryCreateTaskBodyConfig,
    FactoryError,
    FactoryLoginBody,
    FactoryRegisterBody,
    LearningUploadMaterialBody,
    NewScheduleItem,
    Problem,
    TaskStatus,
)
from roost_client.types import File

url, name = sys.argv[1:]
email = f"{name}@example.com"
anyone = Client(base_url=url)

registered = factory_register.sync(
    client=anyone,
    body=FactoryRegisterBody(email=email, username=name, password="password123", full_name="Python"),
)
refused = factory_login.sync_detailed(client=anyone, body=FactoryLoginBody(email=email, password="wrong"))
assert isinstance(refused.parsed, FactoryError), refused
session = factory_login.sync(client=anyone, body=FactoryLoginBody(email=email, password="password123"))
client = AuthenticatedClient(base_url=url, token=session.data.access_token)

config = FactoryCreateTaskBodyConfig()
config["steps"] = 2
created = factory_create_task.sync(
    client=client, body=FactoryCreateTaskBody(title="from Python", task_type="test", priority=3, config=config)
)
read = factory_get_task.sync(created.data.id, client=client)
assert isinstance(read.data.created_at, datetime)
assert read.data.status is TaskStatus.PENDING
assert read.data.started_at is None

# A body that breaks a rule is told field by field.
too_urgent = factory_create_task.sync_detailed(
    client=client, body=FactoryCreateTaskBody(title="x", task_type="test", priority=11)
)
tasks = factory_list_tasks.sync(client=client, status=TaskStatus.PENDING)
cancelled = factory_cancel_task.sync(created.data.id, client=client)
again = factory_cancel_task.sync_detailed(created.data.id, client=client)

pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
uploaded = learning_upload_material.sync(
    client=client,
    body=LearningUploadMaterialBody(
        title="手册", file=File(payload=io.BytesIO(pdf), file_name="a.pdf", mime_type="application/pdf")
    ),
)
materials = learning_list_materials.sync(client=client)
material = learning_get_material.sync(uploaded.id, client=client)
missing = learning_get_material.sync_detailed(2_000_000_000, client=client)
assert isinstance(missing.parsed, Problem), missing

item = runtime_create_schedule_item.sync(
    client=client,
    body=NewScheduleItem(title="组会", start_at=datetime(2030, 1, 15, 9, tzinfo=timezone.utc).isoformat()),
)
items = runtime_list_schedule_items.sync(client=client, start_at="2030-01-01", end_at="2030-02-01")
me = runtime_get_user_me.sync(client=client)

print(
    json.dumps(
        {
            "registered": registered.data.username,
            "refused": [refused.status_code, refused.parsed.error_code],
            "task": [read.data.title, read.data.priority, read.id == created.id, read.data.config["steps"]],
            "too_urgent": [too_urgent.status_code, too_urgent.parsed.error_code],
            "tasks": [task.id == created.data.id for task in tasks.data.items],
            "cancelled": cancelled.data.status,
            "again": [again.status_code, again.parsed.error_code],
            "material": [uploaded.title, material.type_, material.view_count],
            "materials": materials.total,
            "missing": [missing.status_code, missing.parsed.error.code],
            "items": [one.id == item.id for one in items],
            "me": me.username,
        }
    )
)
