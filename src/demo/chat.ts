import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'

/** One conversation with tool calls. */
const SAID = [
  "What's on my schedule this week?",
  'Add a meeting with Bob tomorrow at 3pm',
  'Start a test task called nightly',
  'Show my running tasks',
]

export const furnishChat = ({ user, state }: Demo): Promise<void> =>
  state.once('chat', async () => {
    const timezone = Temporal.Now.timeZoneId()
    let session_id: string | undefined
    for (const message of SAID) {
      const body = { message, timezone, ...(session_id && { session_id }) }
      session_id = (await dataOf(user.runtime['agent-chats'].post(body))).session_id
    }
  })
