/** The question before a destructive tool, and the user's answer. */
import type { Interrupt } from './ag-ui.ts'

const YES =
  /^\s*(?:是|是的|好|好的|对|对的|行|可以|确认|确定|同意|嗯|yes|y|yeah|yep|ok|okay|sure|confirm|confirmed|do it|go ahead|please do|yes please)[\s.!。！,，]*$/i

/** Whether the user's answer to a confirmation is a plain yes. Any other answer is a no. */
export const readsAsYes = (message: string): boolean => YES.test(message.normalize('NFKC'))

/** An answer that names its question. */
export interface Consent {
  toolCallId: string
  confirmed: boolean
}

/** The question as AG-UI shows it. The id of the call is also the id of the interrupt. */
export const confirmationInterrupt = (toolCallId: string, question: string): Interrupt => ({
  id: toolCallId,
  reason: 'tool_call',
  message: question,
  toolCallId,
  responseSchema: {
    type: 'object',
    properties: { approved: { type: 'boolean' } },
    required: ['approved'],
  },
})
