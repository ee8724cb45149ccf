/** docs/contracts/portfolio.md, "Settings". */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import sharp from 'sharp'
import { SITE_CATEGORIES, type SiteCategory } from '../../../src/core/system/site-definitions.ts'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { form, sendForm } from '../../support/files.ts'
import { blindImaging, decoding } from '../../support/imaging.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { makePhoto, makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const imaging = blindImaging()
const server = await startServer({}, { imaging })
afterAll(() => server.stop())
const [admin, editor, reader] = [
  await makeUser(server, { role: 'admin' }),
  await makeUser(server, { role: 'editor' }),
  await makeUser(server),
]

type Headers = Record<string, string>
const get = (search = '', token?: string, headers: Headers = {}) =>
  api(server, 'GET', `/v1/settings${search}`, { token, headers })
const put = (body: object, headers: Headers = {}, token = admin.token) =>
  api(server, 'PUT', '/v1/settings', { token, body, headers })
const reset = (body: object, headers: Headers = {}) =>
  api(server, 'POST', '/v1/settings/reset', { token: admin.token, body, headers })
const resetAll = () => reset({ categories: ['all'], confirm: true })
const all = async () => (await get('', admin.token)).body.data
const issuesOf = ({ body }: { body: { error: { details: { field: string; code: string }[] } } }) =>
  Object.fromEntries(body.error.details.map(({ field, code }) => [field, code]))

const DEFAULTS = {
  general: {
    site_title: '摄影作品集',
    site_description: '专业摄影师作品展示平台',
    site_keywords: '摄影,作品集,艺术,创作',
    site_author: '摄影师姓名',
    site_email: 'contact@example.com',
  },
  upload: {
    max_file_size: 52428800,
    allowed_types: [
      'image/jpeg',
      'image/png',
      'image/raw',
      'image/webp',
      'image/tiff',
      'image/heic',
      'image/heif',
      'image/avif',
    ],
    max_files_per_batch: 50,
    auto_publish: false,
    generate_thumbnails: true,
    publish_location: false,
  },
  image: {
    quality_jpg: 85,
    quality_webp: 80,
    max_width: 1920,
    max_height: 1080,
    watermark_enabled: false,
    watermark_text: '',
    watermark_position: 'bottom_right',
    watermark_opacity: 60,
    watermark_size: 30,
  },
  display: {
    photos_per_page: 20,
    thumbnail_size: 300,
    theme_primary_color: '#d4af37',
    theme_secondary_color: '#2d2d2d',
    enable_dark_mode: true,
    enable_animations: true,
  },
}

describe('reading', () => {
  test('administrators get all with the documented defaults, everybody else what is public', async () => {
    const { status, body } = await get('?category=all&include_public=true', admin.token)
    expect([status, body.success, body.code, body.data]).toEqual([200, true, 200, DEFAULTS])
    const { general, display } = DEFAULTS
    for (const token of [undefined, reader.token, editor.token])
      expect((await get('?category=all&include_public=true', token)).body.data).toEqual({ general, display })
  })

  test('by category; what a reader may not read is 401 or 403, and what does not exist 400', async () => {
    expect((await get('?category=general')).body.data).toEqual({ general: DEFAULTS.general })
    expect((await get('?category=image', admin.token)).body.data).toEqual({ image: DEFAULTS.image })
    const { upload, image, display } = DEFAULTS
    expect((await get('?include_public=false', admin.token)).body.data).toEqual({ upload, image })
    expect((await get('?include_public=false')).body.data).toEqual({})
    expect((await get('?category=display&include_public=false')).body.data).toEqual({ display })
    const anonymous = await get('?category=upload')
    expect([anonymous.status, anonymous.body.error.type]).toEqual([401, 'AUTHENTICATION_REQUIRED'])
    const { status, body } = await get('?category=upload', editor.token)
    expect([status, body.error]).toEqual([
      403,
      {
        type: 'PERMISSION_DENIED',
        details: { required_permission: 'settings.read', user_role: 'editor' },
      },
    ])
    const unknown = await get('?category=nothing', admin.token)
    expect([unknown.status, issuesOf(unknown)]).toEqual([400, { category: 'CHOICE' }])
    expect((await get('', 'not-a-token')).status).toBe(401)
  })

  test('an ETag: 304 until a setting changes, another one for readers who see more', async () => {
    const first = (await get()).headers.get('etag')!
    expect((await get('', undefined, { 'if-none-match': first })).status).toBe(304)
    expect((await get('', admin.token, { 'if-none-match': first })).status).toBe(200)
    expect((await get('', undefined, { 'if-none-match': first, 'accept-language': 'zh' })).status).toBe(200)
    await put({ display_photos_per_page: 21 })
    expect((await get('', undefined, { 'if-none-match': first })).status).toBe(200)
    await resetAll()
    expect((await get()).headers.get('etag')).toBe(first)
  })
})

describe('writing', () => {
  test('the documented request: flat names, of which bare ones are general; the answer is nested', async () => {
    const body = {
      site_title: '我的摄影作品集',
      upload_max_file_size: 104857600,
      display_photos_per_page: 24,
    }
    const answer = await put(body)
    const expected = structuredClone(DEFAULTS)
    expected.general.site_title = '我的摄影作品集'
    expected.upload.max_file_size = 104857600
    expected.display.photos_per_page = 24
    expect([answer.status, answer.body.data]).toEqual([200, expected])
    expect(await all()).toEqual(expected)
    const rows = await query(server, sql`select value from settings where key = 'site'`)
    expect(rows).toEqual([
      {
        value: {
          general: { site_title: '我的摄影作品集' },
          upload: { max_file_size: 104857600 },
          display: { photos_per_page: 24 },
        },
      },
    ])
    await resetAll()
  })

  test('nested, flat and both; what is read can be written back', async () => {
    await put({ image: { quality_jpg: 70 }, upload: { auto_publish: true }, image_quality_webp: 71 })
    const settings = await all()
    expect([settings.image.quality_jpg, settings.image.quality_webp, settings.upload.auto_publish]).toEqual([
      70,
      71,
      true,
    ])
    expect((await put(settings)).body.data).toEqual(settings)
    expect((await put({ image: { quality_jpg: 72 }, image_quality_jpg: 72 })).status).toBe(200)
    const twice = await put({ image: { quality_jpg: 72 }, image_quality_jpg: 73, site_title: 'no' })
    expect([twice.status, twice.body.error.type, twice.body.error.details.field]).toEqual([
      422,
      'UNPROCESSABLE_ENTITY',
      'image_quality_jpg',
    ])
    expect((await put({})).status).toBe(200)
    await put({
      site_author: '  Ansel \t',
      site_keywords: '',
      upload_allowed_types: ['image/png', 'image/png'],
    })
    const { general, upload } = await all()
    expect([general.site_author, general.site_keywords, upload.allowed_types]).toEqual([
      'Ansel',
      '',
      ['image/png'],
    ])
    await resetAll()
  })

  test.each<[field: string, value: unknown, code: string]>([
    ['nothing', 1, 'UNKNOWN_SETTING'],
    ['general_site_title', 'a', 'UNKNOWN_SETTING'],
    ['upload_', 1, 'UNKNOWN_SETTING'],
    ['constructor', 1, 'UNKNOWN_SETTING'],
    ['image.nothing', 1, 'UNKNOWN_SETTING'],
    ['image.image_quality_jpg', 1, 'UNKNOWN_SETTING'],
    ['image', 1, 'TYPE'],
    ['display', null, 'TYPE'],
    ['site_title', '', 'REQUIRED'],
    ['site_title', '\u200b ', 'REQUIRED'],
    ['site_title', 'a\nb', 'INVALID_FORMAT'],
    ['site_title', 'x'.repeat(101), 'MAX_LENGTH'],
    ['site_email', 'nobody', 'INVALID_FORMAT'],
    ['upload_max_file_size', 1023, 'MINIMUM'],
    ['upload_max_file_size', 1073741825, 'MAXIMUM'],
    ['upload_max_file_size', '52428800', 'TYPE'],
    ['upload_max_file_size', 1e21, 'MAXIMUM'],
    ['upload_max_files_per_batch', 0, 'MINIMUM'],
    ['upload_max_files_per_batch', 1.5, 'TYPE'],
    ['upload_allowed_types', [], 'MIN_ITEMS'],
    ['upload_allowed_types.0', ['image/gif'], 'CHOICE'],
    ['upload_auto_publish', 'true', 'TYPE'],
    ['image.quality_jpg', 0, 'MINIMUM'],
    ['image_quality_webp', 101, 'MAXIMUM'],
    ['image_max_width', 15, 'MINIMUM'],
    ['image_watermark_position', 'middle', 'CHOICE'],
    ['image_watermark_text', 'two\nlines', 'INVALID_FORMAT'],
    ['display_photos_per_page', 101, 'MAXIMUM'],
    ['display_theme_primary_color', 'gold', 'INVALID_FORMAT'],
    ['display.enable_dark_mode', null, 'TYPE'],
  ])('%s may not be %p', async (field, value, code) => {
    const [first, second] = field.split('.') as [string, string | undefined]
    const isNested = second !== undefined && (SITE_CATEGORIES as string[]).includes(first)
    const body = isNested ? { [first]: { [second]: value } } : { [first]: value }
    const answer = await put({ ...body, display_thumbnail_size: 111 })
    expect([answer.status, issuesOf(answer)]).toEqual([400, { [field]: code }])
    expect((await all()).display.thumbnail_size).toBe(300)
  })

  test('only users with settings.update may', async () => {
    const { status, body } = await put({ site_title: 'mine' }, {}, editor.token)
    expect([status, body.error.details.required_permission]).toEqual([403, 'settings.update'])
    const anonymous = await api(server, 'PUT', '/v1/settings', { body: { site_title: 'mine' } })
    expect(anonymous.status).toBe(401)
    const token = reader.token
    const body2 = { categories: ['all'], confirm: true }
    expect((await api(server, 'POST', '/v1/settings/reset', { token, body: body2 })).status).toBe(403)
    expect((await api(server, 'GET', '/v1/settings/watermark', { token })).status).toBe(403)
  })

  test('writers of different settings at once lose nothing; with If-Match only one of them changes anything', async () => {
    const changes = [
      { site_title: 'A' },
      { site_author: 'B' },
      { upload_max_files_per_batch: 3 },
      { image: { quality_jpg: 4 } },
      { display: { thumbnail_size: 50 } },
      { display_photos_per_page: 6 },
    ]
    await Promise.all(changes.map((change) => put(change)))
    const { general, upload, image, display } = await all()
    expect([general.site_title, general.site_author, upload.max_files_per_batch]).toEqual(['A', 'B', 3])
    expect([image.quality_jpg, display.thumbnail_size, display.photos_per_page]).toEqual([4, 50, 6])

    const etag = (await get('', admin.token)).headers.get('etag')!
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => put({ image_quality_jpg: 10 + n }, { 'if-match': etag })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
    const lost = answers.find(({ status }) => status === 412)!
    expect(lost.body.error.type).toBe('PRECONDITION_FAILED')
    // A reader who sees less sees the same revision.
    const seen = (await get()).headers.get('etag')!
    expect(
      (await reset({ categories: ['image'], confirm: true }, { 'if-match': `"x", ${seen}` })).status,
    ).toBe(200)
    expect((await put({ image_quality_jpg: 9 }, { 'if-match': seen })).status).toBe(412)
    expect((await put({ image_quality_jpg: 9 }, { 'if-match': '*' })).status).toBe(200)
    expect((await put({ image_quality_jpg: 8 }, { 'if-match': 'nonsense' })).status).toBe(412)
    await resetAll()
  })

  test('a reset gives whole categories their defaults, and needs to be confirmed', async () => {
    await put({ site_title: 'kept', upload_auto_publish: true, image_quality_jpg: 5 })
    for (const body of [
      { categories: ['upload'] },
      { categories: ['upload'], confirm: false },
      { categories: ['upload'], confirm: 'true' },
      { categories: [], confirm: true },
      { categories: ['nothing'], confirm: true },
      { confirm: true },
    ])
      expect([body, (await reset(body)).status]).toEqual([body, 400])
    const { status, body } = await reset({ categories: ['upload', 'image'], confirm: true })
    const general = { ...DEFAULTS.general, site_title: 'kept' }
    expect([status, body.data]).toEqual([200, { ...DEFAULTS, general }])
    expect((await resetAll()).body.data).toEqual(DEFAULTS)
  })

  test('the audit log has who changed which settings', async () => {
    await put({ site_title: 'audited', image: { quality_jpg: 3 } })
    await resetAll()
    const rows = await query(
      server,
      sql`select action, details from audit_log where actor_id = ${admin.user.id} order by id desc limit 2`,
    )
    expect(rows).toEqual([
      { action: 'settings.reset', details: { categories: SITE_CATEGORIES } },
      { action: 'settings.updated', details: { fields: ['general.site_title', 'image.quality_jpg'] } },
    ])
  })
})

describe('acting', () => {
  const JPEG = picture96()
  const upload = async (file: Promise<Uint8Array>, path = 'single') =>
    sendForm(server, `/v1/upload/${path}`, editor.token, form(['file', new Uint8Array(await file), 'a.jpg']))
  const init = (body: object) =>
    api(server, 'POST', '/v1/upload/chunked/init', {
      token: editor.token,
      body: { filename: 'a.jpg', file_size: 2000, mime_type: 'image/jpeg', ...body },
    })

  test('the size and the types of uploads, before the bytes come where the client names them', async () => {
    await put({ upload_max_file_size: 1024, upload_allowed_types: ['image/png', 'image/raw'] })
    const large = sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: '#123',
        noise: { type: 'gaussian', mean: 99, sigma: 30 },
      },
    })
    expect((await upload(large.png().toBuffer())).status).toBe(413)
    expect((await init({ mime_type: 'image/png' })).status).toBe(413)
    const refused = await upload(JPEG)
    expect([refused.status, refused.body.error]).toEqual([
      422,
      {
        type: 'UNPROCESSABLE_ENTITY',
        details: { type: 'image/jpeg', allowed: 'image/png, image/raw' },
      },
    ])
    expect((await init({ file_size: 900 })).status).toBe(422)
    for (const mime_type of ['image/png', 'image/x-canon-cr2', 'image/raw', 'application/octet-stream'])
      expect([mime_type, (await init({ file_size: 900, mime_type })).status]).toEqual([mime_type, 201])
    await resetAll()
    expect((await upload(JPEG)).status).toBe(201)
  })

  test('the number of files in one request, and whether a photo is published', async () => {
    await put({ upload: { max_files_per_batch: 1, auto_publish: true } })
    const file = new Uint8Array(await JPEG)
    const { body } = await sendForm(
      server,
      '/v1/upload/multiple',
      editor.token,
      form(['files[]', file, 'a.jpg'], ['files[]', file, 'b.jpg']),
    )
    expect(body.data.summary).toEqual({ total: 2, success: 1, failed: 1 })
    const { file_id } = body.data.uploaded[0]
    const made = await api(server, 'POST', '/v1/photos', {
      token: editor.token,
      body: { title: 'A', file_id },
    })
    expect(made.body.data.status).toBe('published')
    await resetAll()
  })

  test('the length of pages of photos, unless the client names one', async () => {
    const photos = await makePhotos(
      server,
      editor,
      Array(4).fill({ takenAt: new Date('2021-05-04T00:00:00Z') }),
    )
    const [category] = await query(
      server,
      sql`insert into categories (name, slug, path) values ('C', 'c-of-settings', '') returning id`,
    )
    const id = category!.id as number
    await query(server, sql`update categories set path = id::text where id = ${id}`)
    const add = { photo_ids: photos.map((photo) => photo.id) }
    await api(server, 'POST', `/v1/categories/${id}/photos`, { token: admin.token, body: add })
    await put({ display_photos_per_page: 3 })
    for (const path of ['photos', 'photos/search?q=Photo', `categories/${id}/photos`, 'timeline/2021/5']) {
      const { limit, total } = (await api(server, 'GET', `/v1/${path}`)).body.pagination
      expect([path, limit, total >= 4]).toEqual([path, 3, true])
      const longer = `/v1/${path}${path.includes('?') ? '&' : '?'}limit=2`
      expect((await api(server, 'GET', longer)).body.pagination.limit).toBe(2)
    }
    await resetAll()
  })

  test('sizes and qualities of new renditions, and whether thumbnails are made', async () => {
    using _ = decoding(imaging)
    await put({ image: { max_width: 40, max_height: 30, quality_jpg: 10 }, display_thumbnail_size: 20 })
    const process = async () => {
      const { file_id } = (await upload(JPEG)).body.data
      const [row] = await eventually(async () => {
        const rows = await query(
          server,
          sql`select renditions from photo_files where status = 'completed' and 'upload_' || id = ${file_id}`,
        )
        return rows.length > 0 && rows
      }, 'the file is processed')
      const body = { title: 'A', file_id, status: 'published' }
      const photo = await api(server, 'POST', '/v1/photos', { token: editor.token, body })
      return {
        renditions: row!.renditions as { name: string; width: number; height: number; size: number }[],
        formats: photo.body.data.formats,
      }
    }
    const { renditions } = await process()
    const sides = renditions.map(({ name, width, height }) => [name, Math.max(width, height)])
    const { thumb_small, thumb_medium, thumb_large, display, webp } = Object.fromEntries(sides)
    expect([thumb_small, thumb_medium, thumb_large]).toEqual([10, 20, 40])
    expect(Math.max(display, webp)).toBeLessThanOrEqual(40)

    await put({ image_quality_jpg: 95, upload_generate_thumbnails: false })
    const without = await process()
    expect(without.renditions.map(({ name }) => name)).toEqual(['display', 'webp'])
    const sizeOf = (all: typeof renditions) => all.find(({ name }) => name === 'display')!.size
    expect(sizeOf(without.renditions)).toBeGreaterThan(sizeOf(renditions))
    expect(without.formats.thumb_medium).toBe(without.formats.display)
    expect((await fetch(without.formats.thumb_small)).status).toBe(200)
    await resetAll()
  })

  test('whether the place in the file is published', async () => {
    const id = await makePhoto(server, editor, {})
    const place = JSON.stringify({ latitude: 31.23456, longitude: 121.45678, city: 'Shanghai' })
    await query(
      server,
      sql`update photo_files set place = ${place}::jsonb where id = (select file_id from photos where id = ${id})`,
    )
    const shown = async () => (await api(server, 'GET', `/v1/photos/${id}`)).body.data.location
    expect((await shown()).latitude).toBeNull()
    await put({ upload_publish_location: true })
    expect(await shown()).toMatchObject({ latitude: 31.23, longitude: 121.46, city: 'Shanghai' })
    await resetAll()
    expect((await shown()).latitude).toBeNull()
  })
})

test('every setting is in the OpenAPI document, with its range', async () => {
  const { schemas } = (await api(server, 'GET', '/api/docs/json')).body.components
  const flat = schemas.SettingsChange.properties
  expect(flat.upload_max_file_size).toMatchObject({ type: 'integer', minimum: 1024, maximum: 1073741824 })
  for (const category of SITE_CATEGORIES as SiteCategory[]) {
    for (const name of Object.keys(DEFAULTS[category]))
      expect(flat[category === 'general' ? name : `${category}_${name}`]).toBeDefined()
  }
})
