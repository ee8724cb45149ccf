import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'

const DESCRIPTION = 'The demo itself takes these.'

/** A webhook for the end of tasks. The receiver has another address after each start. */
export async function furnishWebhook({ user, receiver, state }: Demo): Promise<void> {
  const { webhooks } = user.portfolio
  await state.once('webhook', () =>
    dataOf(
      webhooks.post({
        url: receiver.url,
        description: DESCRIPTION,
        events: ['task.completed', 'task.failed', 'schedule.reminder'],
      }),
    ),
  )
  const { data } = await dataOf(webhooks.get({ query: { page: 1, limit: 20 } }))
  const known = data.find(({ description }) => description === DESCRIPTION)
  if (known) await dataOf(webhooks({ id: known.id }).put({ url: receiver.url }))
}
