/**
 * `agent:<session id>`: every frame of an agent's session, for its user. Without a position: the newest run from its
 * first frame.
 */
import { latestRun, ownSession } from '../../core/agent/sessions.ts'
import { TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import type { TopicKind } from './topic.ts'

export const agentKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.agent),
  async open({ ctx, who, name, id, from: { agentSeq } }) {
    const session = await ownSession(ctx, who, id)
    const start = agentSeq ?? ((await latestRun(ctx, session.id))?.firstSeq ?? 1) - 1
    return {
      name,
      permits: ({ userId }) => userId === session.userId,
      async *follow(signal) {
        const { agentFeed } = ctx.services
        for await (const { seq, runId, event } of agentFeed.follow(session.id, start, signal)) {
          yield `{"type":"agent_event","session_id":"${session.id}","run_id":"${runId}","seq":${seq},"event":${event}}`
        }
      },
    }
  },
}
