/** `system:log`: the lines of the log of all servers, for who may read it. */
import { may } from '../../core/accounts/permissions.ts'
import { notFound } from '../../core/errors.ts'
import type { SystemLogLine } from '../../core/logs/chunks.ts'
import { type SystemLogFrame, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { sharedText, type TopicKind } from './topic.ts'

const presentLine = ({ id, at, level, message, server, fields }: SystemLogLine): SystemLogFrame => ({
  type: 'system_log',
  id,
  at,
  level,
  message,
  server,
  fields,
})
const textOf = sharedText(presentLine)

export const systemLogKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.systemLog),
  async open({ ctx, who, name }) {
    if (!may(who.role, 'log.read')) throw notFound('topic', name)
    const { systemLogFeed } = ctx.services
    await systemLogFeed.begin()
    return {
      name,
      permits: ({ role }) => may(role, 'log.read'),
      async *follow(signal) {
        for await (const line of systemLogFeed.follow(signal)) yield textOf(line)
      },
    }
  },
}
