/** docs/contracts/runtime.md, "AG-UI". The fields are those of AG-UI 1.0. */
import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { optional } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

/** A client chooses its ids. */
const Id = t.String({ minLength: 1, maxLength: 255 })

const Part = t.Object({ type: t.String(), text: t.Optional(t.String()) })

const Message = t.Object({
  id: Id,
  role: t.String(),
  /** A text, or parts, of which the server reads the texts. */
  content: optional(t.Union([t.String(), t.Array(Part), t.Record(t.String(), t.Any())])),
})

const Resume = t.Object({
  interruptId: t.String({ maxLength: 255 }),
  status: choice(['resolved', 'cancelled']),
  /** `{approved: true}` carries the call out. */
  payload: t.Optional(t.Any()),
})

/** Events of AG-UI, as server-sent events. */
export const EventStream = t.String()

/** The server needs no `state` and calls no `tools` of the client, so it ignores them. */
export const RunAgentInput = t.Object({
  threadId: Id,
  runId: Id,
  messages: t.Array(Message),
  context: optional(t.Array(t.Object({ description: t.String(), value: t.String() }))),
  /** `timezone`: where the user is, as an IANA name. */
  forwardedProps: t.Optional(t.Any()),
  resume: optional(t.Array(Resume)),
})
export type RunAgentInput = Static<typeof RunAgentInput>

export const Capabilities = t.Object({
  identity: t.Object({ name: t.String(), version: t.String() }),
  transport: t.Object({
    streaming: t.Boolean(),
    websocket: t.Boolean(),
    httpBinary: t.Boolean(),
    pushNotifications: t.Boolean(),
    resumable: t.Boolean(),
  }),
  tools: t.Object({
    supported: t.Boolean(),
    items: t.Array(t.Object({ name: t.String(), description: t.String(), parameters: t.Any() })),
    maxIterations: t.Integer(),
    maxExecutionTime: t.Integer(),
  }),
  state: t.Object({ snapshots: t.Boolean(), deltas: t.Boolean() }),
  humanInTheLoop: t.Object({
    supported: t.Boolean(),
    approvals: t.Boolean(),
    interrupts: t.Boolean(),
    approveWithEdits: t.Boolean(),
  }),
})
export type Capabilities = Static<typeof Capabilities>

named({
  RunAgentInput,
  AgUiMessage: Message,
  AgUiMessagePart: Part,
  AgUiResume: Resume,
  AgentCapabilities: Capabilities,
})
