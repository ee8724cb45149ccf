/**
 * Sends the requests of chapters 8 to 14 of the portfolio contract's document with curl, as printed. Only host, token and ids
 * differ. Every answer is compared with the document's example answer, and rate limits are on, as they are by default.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { type Answer, readAnswer } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { Receiver, signatureOf } from '../../support/receiver.ts'
import { startServer } from '../../support/server.ts'
import { expectPortfolioError, expectWithout, misfits, type Shape } from '../../support/shapes.ts'
import {
  BEARER,
  expectData,
  expectNothing,
  expectPage,
  JSON_BODY,
  ONE_PAGE,
  sendTo,
} from './documents-scene.ts'
import { DASHBOARD, DAY, DETAIL, USER } from './shapes.ts'

const receiver = new Receiver()
const server = await startServer({
  ADMIN_PASSWORD: 'password123',
  RATE_LIMITS: 'on',
  ALLOW_PRIVATE_EGRESS: '1',
})
afterAll(async () => {
  await server.stop()
  await receiver.stop()
})
const send = sendTo(server)

const SETTINGS = {
  general: {
    site_title: 'string',
    site_description: 'string',
    site_keywords: 'string',
    site_author: 'string',
    site_email: 'string',
  },
  upload: {
    max_file_size: 'integer',
    allowed_types: ['string'],
    max_files_per_batch: 'integer',
    auto_publish: 'boolean',
    generate_thumbnails: 'boolean',
  },
  image: {
    quality_jpg: 'integer',
    quality_webp: 'integer',
    max_width: 'integer',
    max_height: 'integer',
    watermark_enabled: 'boolean',
  },
  display: {
    photos_per_page: 'integer',
    thumbnail_size: 'integer',
    theme_primary_color: 'string',
    theme_secondary_color: 'string',
    enable_dark_mode: 'boolean',
    enable_animations: 'boolean',
  },
} satisfies Shape

const CACHED = { keys: 'integer', hit_rate: 'number' } as const
const CACHE = {
  redis: { connected: 'boolean', used_memory: 'string', total_keys: 'integer', hit_rate: 'number' },
  categories: { photos: CACHED, categories: CACHED, tags: CACHED, settings: CACHED },
} satisfies Shape

const PAYLOAD = { id: 'integer', title: 'string', status: 'string', created_at: 'instant' } satisfies Shape

/** The class of a request, by the fields of its answer. */
function expectLimit({ headers }: Answer, limit: number, window: number): void {
  expect(headers.get('x-ratelimit-limit')).toBe(String(limit))
  expect(headers.get('x-ratelimit-window')).toBe(String(window))
  expect(Number(headers.get('x-ratelimit-remaining'))).toBeWithin(0, limit)
  expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000 - 1)
}

async function uploadPhoto(token: string): Promise<Answer> {
  const body = new FormData()
  body.append('file', new File([await picture96()], 'a.jpg'))
  const headers = { authorization: `Bearer ${token}` }
  return readAnswer(await fetch(`${server.url}/v1/upload/single`, { method: 'POST', headers, body }))
}

describe.skipIf(!Bun.which('curl'))('by curl', () => {
  test('chapters 8 to 14', async () => {
    const signIn = (password = 'password123') =>
      send(
        `POST /v1/auth/login\n${JSON_BODY}\n{\n"username": "admin",\n"password": ${JSON.stringify(password)}\n}`,
      )
    const signedIn = await signIn()
    expectLimit(signedIn, 5, 60)
    const token: string = signedIn.body.data.access_token
    const as = (printed: string) => send(printed, token)

    // Chapter 8
    const settings = await as(`GET /v1/settings?category=all&include_public=true\n${BEARER}`)
    expectData(settings, 200, SETTINGS)
    expectLimit(settings, 1000, 3600)
    const open = await send('GET /v1/settings?category=all&include_public=true')
    expectData(open, 200, { general: SETTINGS.general, display: SETTINGS.display })
    expect(Object.keys(open.body.data).sort()).toEqual(['display', 'general'])
    const changed = await as(`PUT /v1/settings
${BEARER}
${JSON_BODY}
{
"site_title": "我的摄影作品集",
"upload_max_file_size": 104857600,
"display_photos_per_page": 24
}`)
    expectData(changed, 200, SETTINGS)
    expectLimit(changed, 500, 3600)
    const { data: before } = settings.body
    const expected = {
      ...before,
      general: { ...before.general, site_title: '我的摄影作品集' },
      upload: { ...before.upload, max_file_size: 104857600 },
      display: { ...before.display, photos_per_page: 24 },
    }
    expect(changed.body.data).toEqual(expected)
    const reset = await as(`POST /v1/settings/reset
${BEARER}
${JSON_BODY}
{
"categories": ["upload", "image"],
"confirm": true
}`)
    expectData(reset, 200, SETTINGS)
    expect(reset.body.data).toEqual({ ...expected, upload: before.upload })
    const cleared = await as(`POST /v1/settings/cache/clear
${BEARER}
${JSON_BODY}
{
"types": ["photos", "categories", "tags", "settings"],
"confirm": true
}`)
    expectData(cleared, 200, 'object')
    const warmed = await as(`POST /v1/settings/cache/warm
${BEARER}
${JSON_BODY}
{
"types": ["popular_photos", "category_tree", "tag_cloud"]
}`)
    expectData(warmed, 200, 'object')
    const cache = await as(`GET /v1/settings/cache/stats\n${BEARER}`)
    expectData(cache, 200, CACHE)
    expect(cache.body.data.redis.used_memory).toMatch(/^\d+(\.\d+)?(B|KB|MB|GB)$/)
    expect(cache.body.data.categories.tags.keys).toBeGreaterThan(0)

    // Chapter 13
    const created = await as(`POST /v1/webhooks
${BEARER}
${JSON_BODY}
{
"url": "https://example.com/webhook",
"events": ["photo.created", "photo.updated", "photo.deleted"],
"secret": "webhook_secret_key",
"is_active": true
}`)
    const WEBHOOK = {
      id: 'integer',
      url: 'string',
      events: ['string'],
      is_active: 'boolean',
      created_at: 'instant',
    } as const
    expectData(created, 201, { ...WEBHOOK, secret: 'string' })
    expect(created.body.data).toMatchObject({
      url: 'https://example.com/webhook',
      events: ['photo.created', 'photo.updated', 'photo.deleted'],
      is_active: true,
    })
    expectNothing(await as(`DELETE /v1/webhooks/${created.body.data.id}\n${BEARER}`))
    // The same, to a receiver that answers.
    const hook = await as(`POST /v1/webhooks
${BEARER}
${JSON_BODY}
{
"url": "${receiver.url}",
"events": ["photo.created", "photo.updated", "photo.deleted", "category.created", "category.updated", "category.deleted", "user.login", "system.backup"],
"secret": "webhook_secret_key",
"is_active": true
}`)
    expectData(hook, 201, WEBHOOK)
    const list = await as(`GET /v1/webhooks\n${BEARER}`)
    expectPage(list, [WEBHOOK], ONE_PAGE)
    expectWithout(list, 'webhook_secret_key')
    const uploaded = await uploadPhoto(token)
    expect(uploaded.status, uploaded.text).toBe(201)
    const made = await as(`POST /v1/photos
${BEARER}
${JSON_BODY}
{"title": "城市夜景", "status": "published", "file_id": "${uploaded.body.data.file_id}"}`)
    const [sent] = await receiver.wait(1, ({ body }) => body.event === 'photo.created')
    expect(
      misfits(sent!.body, { event: 'string', timestamp: 'instant', data: PAYLOAD, signature: 'string' }),
    ).toEqual([])
    expect(Object.keys(sent!.body.data)).toEqual(expect.arrayContaining(Object.keys(DETAIL)))
    expect(sent!.body).toMatchObject({
      signature: signatureOf(sent!, 'webhook_secret_key'),
      data: { id: made.body.data.id, title: '城市夜景', status: 'published' },
    })

    // Chapter 9
    const dashboard = await as(`GET /v1/dashboard/stats?period=30d\n${BEARER}`)
    expectData(dashboard, 200, DASHBOARD)
    expectLimit(dashboard, 500, 3600)
    expect(dashboard.body.data).toMatchObject({
      summary: { total_photos: 1 },
      recent: { new_photos: 1, period: '30d' },
      system_status: { database: 'healthy', redis: 'healthy', storage: 'healthy', queue: 'healthy' },
    })
    expect(dashboard.body.data.trends.uploads).toHaveLength(30)
    expectData(await as(`GET /v1/stats/photos?group_by=month&year=2024\n${BEARER}`), 200, { periods: [DAY] })
    expectData(await as(`GET /v1/stats/views?period=30d&group_by=day\n${BEARER}`), 200, { periods: [DAY] })
    expectData(await as(`GET /v1/stats/storage\n${BEARER}`), 200, { storage_used: 'integer' })

    // Chapter 10
    const LISTED_USER = { ...USER, is_active: 'boolean', created_at: 'instant' } as const
    const users = await as(`GET /v1/users?page=1&limit=20&role=all&status=active&search=admin\n${BEARER}`)
    expectPage(users, [LISTED_USER], ONE_PAGE)
    const user = await as(`POST /v1/users
${BEARER}
${JSON_BODY}
{
"username": "editor",
"email": "editor@example.com",
"password": "password123",
"role": "editor",
"display_name": "编辑者",
"is_active": true
}`)
    expectData(user, 201, LISTED_USER)
    expect(user.body.data).toMatchObject({
      username: 'editor',
      email: 'editor@example.com',
      role: 'editor',
      display_name: '编辑者',
      is_active: true,
    })
    const id: number = user.body.data.id
    const promoted = await as(`PUT /v1/users/${id}
${BEARER}
${JSON_BODY}
{
"display_name": "高级编辑者",
"role": "admin",
"is_active": true
}`)
    expectData(promoted, 200, LISTED_USER)
    expect(promoted.body.data).toMatchObject({
      id,
      display_name: '高级编辑者',
      role: 'admin',
      is_active: true,
    })
    const itself = await send(
      `POST /v1/auth/login\n${JSON_BODY}\n{"username": "editor", "password": "password123"}`,
    )
    const sessions = await as(`GET /v1/users/${id}/sessions\n${BEARER}`)
    expectPage(sessions, [{ id: 'uuid', created_at: 'instant', last_seen_at: 'instant' }], { total: 1 })
    expectNothing(await as(`DELETE /v1/users/${id}/sessions/${sessions.body.data[0].id}\n${BEARER}`))
    const ended = await send(`GET /v1/auth/profile\n${BEARER}`, itself.body.data.access_token)
    expectPortfolioError(ended, { status: 401, code: 'INVALID_TOKEN' })
    expectNothing(await as(`DELETE /v1/users/${id}\n${BEARER}`))

    // Chapter 11
    const { token: editor } = await makeUser(server, { role: 'editor' })
    const refused = await send(`PUT /v1/settings\n${BEARER}\n${JSON_BODY}\n{"site_title": "x"}`, editor)
    expectPortfolioError(refused, { status: 403, code: 'PERMISSION_DENIED' })
    expect(refused.body.error.details).toEqual({
      required_permission: 'settings.update',
      user_role: 'editor',
    })
    const wrong = await as(`POST /v1/users\n${BEARER}\n${JSON_BODY}\n{"email": "x", "username": "editor"}`)
    expectPortfolioError(wrong, { status: 400, code: 'VALIDATION_ERROR', fields: ['email', 'password'] })
    expect(wrong.body.error.details).toContainEqual({
      field: 'email',
      message: expect.any(String),
      code: 'INVALID_FORMAT',
    })

    // Chapter 12
    for (let n = 3; n <= 5; n++) expect((await signIn('wrong password')).status).toBe(401)
    const limited = await signIn()
    expectPortfolioError(limited, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expectLimit(limited, 5, 60)
    const { limit, window, reset_at } = limited.body.error.details
    expect({ limit, window }).toEqual({ limit: 5, window: 60 })
    expect(Date.parse(reset_at) / 1000).toBe(Number(limited.headers.get('x-ratelimit-reset')))
    expect(Number(limited.headers.get('retry-after'))).toBeWithin(1, 61)
    expectLimit(await send('GET /v1/photos/search?q=夜景'), 60, 60)
    expectLimit(uploaded, 10, 60)
  })
})
