/** Rows for measurements, written in bulk. No password is hashed, because nobody signs in with one. */

import { nameKeys } from '../../src/core/accounts/name-keys.ts'
import { SERVER } from '../../src/core/audit/audit.ts'
import type { Context } from '../../src/core/context.ts'
import { createNode } from '../../src/core/nodes/nodes.ts'
import { sessions, taskLogs, tasks, users } from '../../src/db/schema/index.ts'

const HOUR_MS = 3_600_000
const CHUNK = 500

export interface SeededUser {
  id: number
  token: string
}

/** Users with one session and one access token each. */
export async function seedUsers(ctx: Context, count: number): Promise<SeededUser[]> {
  const seeded: SeededUser[] = []
  while (seeded.length < count) {
    const rows = await ctx.db
      .insert(users)
      .values(
        Array.from({ length: Math.min(CHUNK, count - seeded.length) }, () => {
          const uuid = Bun.randomUUIDv7()
          const username = `bench-${uuid.slice(-12)}`
          return {
            uuid,
            username,
            displayName: 'Bench',
            email: `${username}@example.com`,
            ...nameKeys({ username, displayName: 'Bench', email: `${username}@example.com` }),
            passwordHash: '-',
            role: 'user' as const,
            // Older than a minute, because servers poll for recent changes every other second.
            updatedAt: new Date(Date.now() - HOUR_MS),
          }
        }),
      )
      .returning({ id: users.id })
    const opened = await ctx.db
      .insert(sessions)
      .values(
        rows.map(({ id }) => ({
          id: Bun.randomUUIDv7(),
          userId: id,
          userAgent: 'bench',
          ip: '127.0.0.1',
          expiresAt: new Date(Date.now() + 24 * HOUR_MS),
        })),
      )
      .returning({ sessionId: sessions.id, userId: sessions.userId })
    for (const { sessionId, userId } of opened) {
      const expiresAt = Math.floor((Date.now() + 2 * HOUR_MS) / 1000)
      seeded.push({ id: userId, token: await ctx.tokens.sign({ userId, sessionId, expiresAt }) })
    }
  }
  return seeded
}

/** Completed GPU tasks with log lines. @returns their ids */
export async function seedTasks(
  ctx: Context,
  userId: number,
  count: number,
  logLines: number,
): Promise<number[]> {
  const made = await ctx.db
    .insert(tasks)
    .values(
      Array.from({ length: count }, (_, n) => ({
        uuid: Bun.randomUUIDv7(),
        userId,
        kind: 'gpu' as const,
        title: `Analyse the recording of lecture ${n}`,
        description: 'Find the slides, the speaker and the chapters, and write a transcript.',
        taskType: 'video_analysis',
        config: { resolution: '1080p', language: 'zh', models: ['slides', 'speech'] },
        status: 'completed' as const,
        progress: 100,
        result: { chapters: 12, slides: 48, transcript: 'files/transcript.vtt' },
        startedAt: new Date(),
        completedAt: new Date(),
      })),
    )
    .returning({ id: tasks.id })
  const lines = made.flatMap(({ id }) =>
    Array.from({ length: logLines }, (_, n) => ({
      taskId: id,
      attempt: 1,
      level: 'INFO',
      message: `Chunk ${n} of ${logLines} analysed in 812 ms`,
    })),
  )
  for (let from = 0; from < lines.length; from += CHUNK) {
    await ctx.db.insert(taskLogs).values(lines.slice(from, from + CHUNK))
  }
  return made.map(({ id }) => id)
}

export interface SeededNode {
  uuid: string
  token: string
}

export async function seedNodes(ctx: Context, count: number, maxConcurrentTasks = 1): Promise<SeededNode[]> {
  const made: SeededNode[] = []
  for (let n = 0; n < count; n++) {
    const { node, token } = await createNode(ctx, SERVER, {
      name: `bench-${n}`,
      host: '127.0.0.1',
      maxConcurrentTasks,
    })
    made.push({ uuid: node.uuid, token })
  }
  return made
}
