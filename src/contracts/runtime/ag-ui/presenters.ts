import type { Message } from '@ag-ui/core'
import { version } from '../../../../package.json'
import { MAX_RUN_MS, MAX_STEPS } from '../../../core/agent/run.ts'
import type { Thread } from '../../../core/agent/thread.ts'
import { TOOLS } from '../../../core/agent/tools/index.ts'
import type { Capabilities } from './models.ts'

/** The messages of a thread in AG-UI's form. A tool's result stands behind its call, as AG-UI's own client puts it. */
export function presentMessages(messages: Thread['messages']): Message[] {
  const shown: Message[] = []
  for (const message of messages) {
    const { role, content } = message
    if (role === 'user') {
      // The id by which the client knows its message.
      shown.push({ id: ('clientId' in message && message.clientId) || message.id, role, content })
    } else if (role === 'assistant') {
      const toolCalls = message.toolCalls?.map(({ id, name, input }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: JSON.stringify(input) },
      }))
      shown.push({ id: message.id, role, content, ...(toolCalls && { toolCalls }) })
    } else {
      const toolCallId = message.toolCallId ?? ''
      const owner = shown.findLastIndex(
        (one) => one.role === 'assistant' && one.toolCalls?.some(({ id }) => id === toolCallId),
      )
      let place = owner < 0 ? shown.length : owner + 1
      while (shown[place]?.role === 'tool') place++
      shown.splice(place, 0, { id: message.id, role, content, toolCallId })
    }
  }
  return shown
}

/** What the agent can do, in AG-UI's form. AG-UI does not say how a client gets it. */
export const presentCapabilities = (): Capabilities => ({
  identity: { name: 'Roost', version },
  transport: {
    streaming: true,
    websocket: false,
    httpBinary: false,
    pushNotifications: false,
    // By `Last-Event-ID`: docs/contracts/runtime.md, "AG-UI".
    resumable: true,
  },
  tools: {
    supported: true,
    items: TOOLS.map(({ name, description, input }) => ({ name, description, parameters: input })),
    maxIterations: MAX_STEPS,
    maxExecutionTime: MAX_RUN_MS,
  },
  state: { snapshots: false, deltas: false },
  humanInTheLoop: { supported: true, approvals: true, interrupts: true, approveWithEdits: false },
})
