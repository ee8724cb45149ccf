import type { RoostError } from '../../../client/index.ts'
import { clock } from '../lib/format.ts'
import { texts } from '../lib/language.ts'

const t = texts({
  en: {
    offline: 'No connection. The upload goes on by itself.',
    limited: (at: string) => `The server takes only a few uploads a minute. Goes on at ${at}.`,
    busy: 'The server is busy. The upload goes on by itself.',
  },
  zh: {
    offline: '连接已断开，恢复后会自动继续上传。',
    limited: (at: string) => `服务器限制了每分钟的上传数，将在 ${at} 继续。`,
    busy: '服务器繁忙，稍后会自动继续上传。',
  },
})

/** Why an upload waits. */
export function waitingText({ status }: RoostError, seconds: number): string {
  if (status === 0) return t.offline
  return status === 429 ? t.limited(clock(Date.now() + seconds * 1000)) : t.busy
}
