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
  if (error instanceof RoostError) return error.message
  // What `fetch` throws when there is no answer.
  if (error instanceof TypeError && /fetch|network|load/i.test(error.message)) return t.offline
  console.error(error)
  return t.unexpected
}

/** The errors of a validation by the name of their field, of those that the form has. */
export function fieldErrors(error: unknown, names: string[]): Record<string, string> {
  if (!(error instanceof RoostError)) return {}
  return Object.fromEntries(Object.entries(error.fields).filter(([name]) => names.includes(name)))
}
