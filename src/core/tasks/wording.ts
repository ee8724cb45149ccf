import { parseJson } from '../../util/json.ts'
import type { Language } from '../messages.ts'
import { storedText } from './failures.ts'

/** Which field of an event's `data` is text, and which ones say the same as a code with parameters. */
const WORDED: Record<string, { text: string; code: string; params: string }> = {
  'task.failed': { text: 'error_message', code: 'failure_code', params: 'failure_params' },
  'task.requeued': { text: 'reason', code: 'reason_code', params: 'reason_params' },
}

/** Whether an event reads differently in different languages. */
export const isWorded = (type: string): boolean => Object.hasOwn(WORDED, type)

/**
 * The `data` of an event as JSON text, in the reader's language. The log has English: that, and every event without
 * words of its own, goes out as it is.
 */
export function wordedData({ type, data }: { type: string; data: string }, language: Language): string {
  if (language === 'en' || !isWorded(type)) return data
  const fields = WORDED[type]!
  const value = parseJson(data, 'null') as Record<string, unknown>
  const code = value[fields.code]
  if (typeof code !== 'string') return data
  const params = value[fields.params] as Record<string, string | number> | undefined
  const text = storedText({ text: value[fields.text] as string, code, params: params ?? null }, language)
  return JSON.stringify({ ...value, [fields.text]: text })
}
