/** What the user reads when a request fails. */
import { RoostError } from '../../../client/index.ts'
import { texts } from './language.ts'

const t = texts({
  en: {
    offline: 'The server cannot be reached. Check your connection, then try again.',
    unexpected: 'Something unexpected has happened. Reload the page, then try again.',
  },
  zh: {
    offline: '无法连接服务器。请检查网络后重试。',
    unexpected: '出现意外错误。请刷新页面后重试。',
  },
})

export function messageOf(error: unknown): string {
  if (error instanceof RoostError) return error.code === 'UNREACHABLE' ? t.offline : error.message
  console.error(error)
  return t.unexpected
}

/** What the server says of each field; empty when the error is about something else. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof RoostError) || error.code !== 'VALIDATION_ERROR') return {}
  const details = error.details as { field_errors?: object }
  // Portfolio lists its fields; factory and study have a list of texts for each; the others one text.
  const entries: [string, unknown][] = Array.isArray(details)
    ? details.map(({ field, message }: { field: string; message: string }) => [field, message])
    : Object.entries(details?.field_errors ?? details ?? {})
  return Object.fromEntries(
    entries.map(([field, text]) => [field, Array.isArray(text) ? text.join(' ') : String(text)]),
  )
}
