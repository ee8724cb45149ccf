/** Requests to the outside provider of courses: docs/course-provider.md. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { version } from '../../../package.json'
import { snakeKeys } from '../../util/case.ts'
import { EgressError, egressRequest } from '../../util/egress.ts'
import { isJsonObject } from '../../util/json.ts'
import { storable } from '../../util/storable.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import type { CourseAccount } from './settings.ts'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 2 * 1024 * 1024

const Id = Type.String({ pattern: '^[^\\u0000-\\u001f]{1,64}$' })
const Name = Type.String({ minLength: 1, maxLength: 300 })
const Seconds = Type.Number({ minimum: 0, maximum: 10_000_000 })

export const CourseList = Type.Object({
  courses: Type.Array(
    Type.Object({
      id: Id,
      name: Name,
      teacher: Type.Optional(Type.String({ maxLength: 300 })),
      duration: Type.Optional(Seconds),
      progress: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    }),
    { maxItems: 2000 },
  ),
})

export const CourseAnswer = Type.Object({
  id: Id,
  name: Name,
  teacher: Type.Optional(Type.String({ maxLength: 300 })),
  progress: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  items: Type.Array(
    Type.Object({
      id: Id,
      name: Name,
      kind: Type.Union([Type.Literal('video'), Type.Literal('document')]),
      duration: Seconds,
      open: Type.Boolean(),
    }),
    { maxItems: 2000 },
  ),
})

export const ItemList = Type.Object({
  items: Type.Array(Type.Object({ id: Id, open: Type.Boolean(), duration: Seconds }), { maxItems: 2000 }),
})

export const Nothing = Type.Unknown()

/**
 * Asks the provider.
 * @returns undefined when it does not know what the request names
 * @throws AppError COURSE_PROVIDER_UNAVAILABLE, COURSE_PROVIDER_FAILED, COURSE_ACCOUNT_REFUSED
 */
export async function ask<T extends TSchema>(
  ctx: Pick<Context, 'config' | 'log'>,
  action: 'list' | 'course' | 'items' | 'progress',
  account: CourseAccount,
  content: object,
  model: T,
): Promise<Static<T> | undefined> {
  const { status, text } = await send(ctx, action, snakeKeys({ account, ...content }))
  if (status === 404) return undefined
  if (status === 401 || status === 403) throw new AppError('COURSE_ACCOUNT_REFUSED')
  if (status === 429 || status >= 500) throw unavailable(ctx, action, `it answered ${status}`)
  if (status < 200 || status >= 300) throw failed(ctx, action, `it answered ${status}`)
  if (model === Nothing) return {} as Static<T>
  const answer = readJson(text)
  if (Value.Check(model, answer)) return answer
  const wrong = Value.Errors(model, answer).First()
  throw failed(ctx, action, `the answer does not fit at ${wrong?.path || 'its top'}`)
}

async function send(
  ctx: Pick<Context, 'config' | 'log'>,
  action: string,
  body: object,
): Promise<{ status: number; text: string }> {
  try {
    const response = await egressRequest(`${ctx.config.courseProviderUrl}/${action}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': `Roost-Courses/${version}`,
      },
      body: JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      allowPrivate: ctx.config.allowPrivateEgress,
    })
    return { status: response.status, text: await new Response(response.body).text() }
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    const { code, message } = error
    throw code === 'TOO_LARGE' ? failed(ctx, action, message) : unavailable(ctx, action, message)
  }
}

/** Undefined for a text that is no JSON object. Characters that the database cannot store are replaced. */
function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? storable(value) : undefined
  } catch {
    return undefined
  }
}

/** The reason is for the operator: the answer of the provider may hold anything. */
const unavailable = (ctx: Pick<Context, 'log'>, action: string, reason: string): AppError => {
  ctx.log.warn({ action, reason }, 'the provider of courses cannot be reached')
  return new AppError('COURSE_PROVIDER_UNAVAILABLE')
}

const failed = (ctx: Pick<Context, 'log'>, action: string, reason: string): AppError => {
  ctx.log.warn({ action, reason }, 'the provider of courses gave an answer that cannot be used')
  return new AppError('COURSE_PROVIDER_FAILED')
}
