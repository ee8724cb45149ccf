import { texts } from '../lib/language.ts'
import { live, status } from '../lib/session.ts'
import { Button } from './button.tsx'

const t = texts({
  en: {
    connecting: 'Connecting…',
    'catching-up': 'Catching up…',
    live: 'Live',
    polling: 'Polling',
    offline: 'Offline',
    'signed-out': 'Signed out',
    closed: 'Closed',
    about: 'Connection to the server',
    pollingWhy: 'This network blocks WebSockets. Changes arrive over HTTP.',
    retry: 'Try now',
  },
  zh: {
    connecting: '连接中…',
    'catching-up': '同步中…',
    live: '实时',
    polling: '轮询',
    offline: '离线',
    'signed-out': '已退出',
    closed: '已关闭',
    about: '与服务器的连接',
    pollingWhy: '此网络阻止 WebSocket，更新通过 HTTP 送达。',
    retry: '立即重试',
  },
})

/** How the page is connected to the server: the truth, as the client knows it. */
export function Connection() {
  const now = status.value
  return (
    <span class="row">
      <span
        class="light"
        data-status={now}
        role="status"
        aria-label={`${t.about}: ${t[now]}`}
        title={now === 'polling' ? t.pollingWhy : t.about}
      >
        {t[now]}
      </span>
      {now === 'offline' && (
        <Button small onClick={() => live().retry()}>
          {t.retry}
        </Button>
      )}
    </span>
  )
}
