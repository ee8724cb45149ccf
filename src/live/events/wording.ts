import type { Language } from '../../core/messages.ts'
import { storedText } from '../../core/tasks/failures.ts'
import { camelKeys } from '../../util/case.ts'
import { parseJson } from '../../util/json.ts'

/** For each event with a text in the reader's language: its field, and the fields of the code and its parameters. */
const WORDED: Record<string, { text: string; code: string; params: string }> = {
  'task.failed': { text: 'error_message', code: 'failure_code', params: 'failure_params' },
  'task.cancelled': { text: 'reason', code: 'reason_code', params: 'reason_params' },
  'task.requeued': { text: 'reason', code: 'reason_code', params: 'reason_params' },
}

/** Whether an event has a text that depends on the reader's language. */
export const isWorded = (type: string): boolean => Object.hasOwn(WORDED, type)

/**
 * The `data` of an event as JSON text in the reader's language. The log holds it in English, so that it goes out as it is to
 * readers of English, and so does an event without such a text.
 */
export function wordedData({ type, data }: { type: string; data: string }, language: Language): string {
  if (language === 'en' || !isWorded(type)) return data
  const fields = WORDED[type]!
  const value = parseJson(data, 'null') as Record<string, unknown>
  const code = value[fields.code]
  if (typeof code !== 'string') return data
  const stored = value[fields.params] as Record<string, string | number> | undefined
  const params = stored ? camelKeys(stored) : null
  const text = storedText({ text: value[fields.text] as string, code, params }, language)
  return JSON.stringify({ ...value, [fields.text]: text })
}
