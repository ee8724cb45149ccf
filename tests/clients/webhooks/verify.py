"""Reads a webhook's secret, header fields and body as JSON on standard input, and verifies it with the official library."""
import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

given = json.load(sys.stdin)
secret = given["secret"]
if not secret.startswith("whsec_"):
    secret = base64.b64encode(secret.encode()).decode()
webhook = Webhook(secret)
event = webhook.verify(given["body"], given["headers"])["event"]
try:
    webhook.verify(given["body"] + " ", given["headers"])
    refused = False
except WebhookVerificationError:
    refused = True
print(json.dumps({"event": event, "refused": refused}))
