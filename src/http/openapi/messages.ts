/**
 * The messages that the server sends: the `webhooks` of the document. Their header fields are those of
 * https://www.standardwebhooks.com.
 */
import { operationId, pascal } from './operation-id.ts'
import type { Operation, Parameter } from './operations.ts'
import type { DescribedRoute } from './route.ts'
import type { SchemaPool } from './schemas.ts'

const header = (name: string, description: string): Parameter => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
})

const HEADERS = [
  header('webhook-id', 'The id of the message. It stays the same when the message is sent again.'),
  header('webhook-timestamp', 'When this attempt was made, in seconds since 1970.'),
  header(
    'webhook-signature',
    'One or more signatures with spaces between: `v1,` and the base64 HMAC-SHA256 of `webhook-id.webhook-timestamp.body`.',
  ),
]

const RESPONSES = {
  '2XX': { description: 'The receiver has taken the message. The server does not read what the body says.' },
  '410': { description: 'The receiver wants no more messages: the server switches the webhook off.' },
  '429': { description: 'The receiver can take no more now. `Retry-After` is honoured.' },
  default: { description: 'The message is sent again later. A redirect is not followed.' },
}

export function messagesOf(
  routes: readonly DescribedRoute[],
  pool: SchemaPool,
): Record<string, Record<string, Operation>> {
  const messages: Record<string, Record<string, Operation>> = {}
  for (const { contract, description } of routes) {
    for (const [type, model] of Object.entries(description.sends ?? {})) {
      const schema = pool.add(model, `${pascal(type.replace('.', '_'))}Message`)
      messages[type] = {
        post: {
          operationId: operationId(contract.name, 'POST', `/${type.replace('.', '/')}`),
          summary: `The message ${type}`,
          tags: [`${contract.name}: ${description.tag}`],
          security: [],
          parameters: HEADERS,
          requestBody: { required: true, content: { 'application/json': { schema } } },
          responses: RESPONSES,
        },
      }
    }
  }
  return messages
}
