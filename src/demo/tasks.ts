import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'
import { SIMULATED_TRAINING } from './nodes.ts'

/** One task for each thing that can become of one. */
const TASKS = [
  { title: 'Check the installation', task_type: 'test', config: { duration_seconds: 1, steps: 4 } },
  {
    title: 'Read a broken file',
    task_type: 'test',
    config: { duration_seconds: 1, fail: 'line 17 is cut off' },
  },
  { title: 'A long test', task_type: 'test', config: { duration_seconds: 600, steps: 300 } },
  {
    title: 'Simulated training: birds',
    task_type: SIMULATED_TRAINING,
    estimated_duration: 5,
    config: { epochs: 40, seconds: 240 },
  },
  {
    title: 'Simulated training: clouds',
    task_type: SIMULATED_TRAINING,
    estimated_duration: 2,
    priority: 5,
    config: { epochs: 12, seconds: 60 },
  },
  { title: 'Waits for a server that offers its type', task_type: 'whisper', config: { language: 'en' } },
]

export async function furnishTasks({ user, state }: Demo): Promise<void> {
  for (const task of TASKS) await state.once(task.title, () => dataOf(user.factory.tasks.post(task)))
  await state.once('a cancelled task', async () => {
    const task = { title: 'Not needed any more', task_type: 'whisper' }
    const { data } = await dataOf(user.factory.tasks.post(task))
    await dataOf(user.factory.tasks({ id: data.id }).cancel.post())
  })
}
