import { SIMULATED_TRAINING } from './nodes.ts'
import type { Accounts } from './people.ts'

const PAUSE_MS = [12_000, 40_000] as const
/** More tasks than this do not wait: the demo may run for days. */
const MOST_PENDING = 4
const NEWEST = { page: 1, page_size: 1, sort_by: 'created_at', sort_order: 'desc' } as const
const SUBJECTS = [
  'birds',
  'clouds',
  'trains',
  'leaves',
  'faces of dogs',
  'handwriting',
  'street signs',
  'songs',
]

/** Creates a task now and then, for ever. */
export async function keepBusy({ user }: Pick<Accounts, 'user'>): Promise<never> {
  for (;;) {
    await Bun.sleep(between(...PAUSE_MS))
    const query = { ...NEWEST, status: 'pending' as const }
    const { data, error } = await user.factory.tasks.get({ query })
    // The server may be restarting, and the next turn comes.
    if (error || data.data.total > MOST_PENDING) continue
    await user.factory.tasks.post(newTask())
  }
}

function newTask() {
  const subject = SUBJECTS[Math.floor(between(0, SUBJECTS.length))]!
  const seconds = Math.round(between(15, 90))
  const kind = Math.random()
  if (kind < 0.1) {
    const config = { duration_seconds: 8, steps: 8, fail: `no ${subject} in the input` }
    return { title: `Look for ${subject}`, task_type: 'test', config }
  }
  if (kind < 0.4) {
    return {
      title: `Count ${subject}`,
      task_type: 'test',
      config: { duration_seconds: seconds, steps: seconds },
    }
  }
  return {
    title: `Simulated training: ${subject}`,
    task_type: SIMULATED_TRAINING,
    estimated_duration: 2,
    config: { epochs: 6 + Math.floor(between(0, 10)), seconds },
  }
}

const between = (min: number, max: number): number => min + Math.random() * (max - min)
