/** Toasts for what happens elsewhere: in the tab that the user looks at, and not on the pages that show it anyway. */
import type { AnyLiveEvent, EventType, LiveEvent } from '../../../client/index.ts'
import { corner } from './corner.ts'
import { href, route } from './router.ts'
import { status } from './session.ts'
import { closeToast, showToast, toasts } from './toasts.ts'
import { useEvent } from './view.ts'

/** An older event is from a time when the connection was away. The pages show what has come of it. */
const LATE_MS = 60_000

/** What comes over a live connection is new, also when the clock of this device is fast. */
const isLate = ({ at }: { at: string }): boolean =>
  status.peek() !== 'live' && Date.now() > Date.parse(at) + LATE_MS

const isAt = (...paths: string[]): boolean => paths.includes(route.peek().path)

const isTaskShown = ({ data }: LiveEvent<'task.completed' | 'task.failed'>): boolean =>
  isAt('/', '/tasks', `/tasks/${data.task_id}`, `/tasks/${data.id}`)

/** Stands once in the page. */
export function useNotices(): void {
  useNotice('task.completed', isTaskShown, href('/tasks'))
  useNotice('task.failed', isTaskShown, href('/tasks'))
  useNotice(
    'agent.run_finished',
    ({ data }) => isAt('/chat', `/chat/${data.session_id}`) || data.status === 'cancelled',
    href('/chat'),
  )
  // The list of uploads in the corner shows its own ones.
  useNotice('upload.failed', () => corner.peek() !== undefined, '')
  useNotice('balance.low', () => isAt('/balance'), href('/balance'))
  useNotice(
    'webhook.disabled',
    ({ data }) => isAt('/webhooks', `/webhooks/${data.webhook_id}`),
    href('/webhooks'),
  )
  useNotice('gpu.offline', () => isAt('/gpu'), href('/gpu'))
}

/** @param toAll where several of them are to be seen */
function useNotice<E extends EventType>(
  type: E,
  isSeen: (event: LiveEvent<E>) => boolean,
  toAll: string,
): void {
  useEvent(type, (event) => {
    if (document.visibilityState === 'hidden' || isLate(event) || isSeen(event)) return
    void show(event as unknown as AnyLiveEvent, toAll)
  })
}

/** The toast of each type that is shown now, and for how many events it stands. */
const shown = new Map<EventType, { id: number; count: number }>()

async function show(event: AnyLiveEvent, toAll: string): Promise<void> {
  const { severalOf, wordsOf } = await import('./event-words.ts')
  const before = shown.get(event.type)
  const isUp = before !== undefined && toasts.peek().some(({ id }) => id === before.id)
  const count = isUp ? before.count + 1 : 1
  if (isUp) closeToast(before.id)
  const { text, tone, to } = wordsOf(event)
  const id =
    count === 1
      ? showToast(tone || 'info', text, to)
      : showToast(tone || 'info', severalOf(event.type, count), toAll || undefined)
  shown.set(event.type, { id, count })
}
