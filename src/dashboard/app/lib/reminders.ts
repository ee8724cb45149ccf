/** Reminders of schedule items: as toasts, and as notifications of the browser if the user allows them. */
import { signal } from '@preact/signals'
import { ago, time } from './format.ts'
import { texts } from './language.ts'
import { href } from './router.ts'
import { showToast } from './toasts.ts'
import { useEvent } from './view.ts'

const t = texts({
  en: { begins: (when: string, at: string) => `${when}, at ${at}` },
  zh: { begins: (when: string, at: string) => `${when}（${at}）` },
})

/** A reminder that comes after this is of no use: the page was closed, or the network was away. */
const LATE_MS = 5 * 60_000

/** `unsupported`: this browser has none, or the page is not secure (neither https nor localhost). */
export const permission = signal<NotificationPermission | 'unsupported'>(
  'Notification' in globalThis && isSecureContext ? Notification.permission : 'unsupported',
)

/** Browsers show their question only after a click. */
export async function askPermission(): Promise<void> {
  permission.value = await Notification.requestPermission()
}

/** Stands once in the page. */
export function useReminders(): void {
  useEvent('schedule.reminder', ({ data }) => {
    if (Date.now() > Date.parse(data.end_at ?? data.start_at) + LATE_MS) return
    const text = t.begins(ago(data.start_at), time(data.start_at))
    const to = href('/schedule', { at: data.start_at })
    showToast('info', `${data.title} · ${text}`, to)
    if (permission.value === 'granted') notify(data.title, text, `${data.item_id} ${data.start_at}`, to)
  })
}

/** Every tab gets the event. The tag makes them one notification, which the browser shows and sounds once. */
function notify(title: string, body: string, tag: string, to: string): void {
  try {
    const notification = new Notification(title, { body, tag })
    notification.onclick = () => {
      focus()
      location.hash = to
      notification.close()
    }
  } catch {
    // Chromium on Android wants a service worker for it. The toast is there.
  }
}
