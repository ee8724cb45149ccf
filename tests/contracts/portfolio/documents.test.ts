/**
 * Sends the requests of chapters 1 to 7 of the portfolio contract's document with curl, as printed. Only host, token, ids and
 * files differ. Every answer is compared with the document's example answer.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { curl } from '../../support/curl.ts'
import { makeUser } from '../../support/factories.ts'
import { exifBlock, jpegWith } from '../../support/photo-fixtures.ts'
import { eventually, temporaryDirectory } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import {
  BEARER,
  expectData,
  expectNothing,
  expectPage,
  JSON_BODY,
  ONE_PAGE,
  sendTo,
} from './documents-scene.ts'
import {
  BATCH,
  CATEGORY,
  COVER,
  DETAIL,
  EVENT,
  FILE,
  LISTED,
  MONTH,
  NODE,
  SESSION,
  STATUS,
  TAG,
  USER,
} from './shapes.ts'

const server = await startServer({ ADMIN_PASSWORD: 'password123' })
const directory = temporaryDirectory('portfolio-documents')
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

const PHOTO = join(directory, 'DSC_0001.jpg')
writeFileSync(
  PHOTO,
  await jpegWith({
    exif: exifBlock({
      make: 'Canon',
      model: 'Canon EOS R5',
      lens: 'RF 24-70mm f/2.8L IS USM',
      iso: 800,
      fNumber: [28, 10],
      exposureTime: [1, 125],
      focalLength: [50, 1],
      dateTimeOriginal: '2024:01:15 18:30:00',
      gps: { latitude: 31.23037, longitude: 121.4737 },
    }),
  }),
)
const TEXT = join(directory, 'invalid_file.txt')
writeFileSync(TEXT, 'no photo')

const send = sendTo(server)

describe.skipIf(!Bun.which('curl'))('by curl', () => {
  test('chapters 1 to 7', async () => {
    // Chapter 2.1
    const signedIn = await send(`POST /v1/auth/login
${JSON_BODY}
{
"username": "admin",
"password": "password123"
}`)
    expectData(signedIn, 200, { ...SESSION, user: USER })
    expect(signedIn.body.data).toMatchObject({
      token_type: 'Bearer',
      expires_in: 86400,
      user: { username: 'admin' },
    })
    const refreshed = await send(`POST /v1/auth/refresh
${JSON_BODY}
{
"refresh_token": "${signedIn.body.data.refresh_token}"
}`)
    expectData(refreshed, 200, { ...SESSION, user: USER })
    const token: string = refreshed.body.data.access_token
    const as = (printed: string) => send(printed, token)
    expectData(await as(`GET /v1/auth/profile\n${BEARER}`), 200, USER)

    // Chapter 4
    const uploaded = await curl([
      ...['-X', 'POST', `${server.url}/v1/upload/single`, '-H', `Authorization: Bearer ${token}`],
      ...['-F', `file=@${PHOTO}`],
    ])
    expectData(uploaded, 201, {
      ...FILE,
      mime_type: 'string',
      upload_url: 'string',
      exif_extracted: 'boolean',
      processing_status: 'string',
    })
    expect(uploaded.body.data).toMatchObject({
      original_filename: 'DSC_0001.jpg',
      file_size: Bun.file(PHOTO).size,
      mime_type: 'image/jpeg',
      status: 'uploaded',
      processing_status: 'pending',
    })
    const fileId: string = uploaded.body.data.file_id
    expect(fileId).toMatch(/^upload_\d+$/)
    const multiple = await curl([
      ...['-X', 'POST', `${server.url}/v1/upload/multiple`, '-H', `Authorization: Bearer ${token}`],
      ...['-F', `files[]=@${PHOTO}`, '-F', `files[]=@${TEXT}`],
    ])
    expectData(multiple, 201, {
      uploaded: [FILE],
      failed: [{ filename: 'string', error: 'string' }],
      summary: { total: 'integer', success: 'integer', failed: 'integer' },
    })
    expect(multiple.body.data.failed[0].filename).toBe('invalid_file.txt')
    expect(multiple.body.data.summary).toEqual({ total: 2, success: 1, failed: 1 })
    const secondFileId: string = multiple.body.data.uploaded[0].file_id
    const chunked = await as(`POST /v1/upload/chunked/init
${BEARER}
${JSON_BODY}
{
"filename": "large_photo.raw",
"file_size": 52428800,
"mime_type": "image/raw",
"chunk_size": 1048576
}`)
    expectData(chunked, 201, {
      upload_id: 'string',
      chunk_size: 'integer',
      total_chunks: 'integer',
      upload_urls: ['string'],
    })
    expect(chunked.body.data).toMatchObject({
      chunk_size: 1048576,
      total_chunks: 50,
    })
    expect(chunked.body.data.upload_id).toMatch(/^chunked_\d+$/)
    expect(chunked.body.data.upload_urls).toHaveLength(50)
    const isProcessed = async (id: string) => {
      const status = await as(`GET /v1/upload/status/${id}\n${BEARER}`)
      expectData(status, 200, STATUS)
      return status.body.data.progress === 100
    }
    await eventually(() => isProcessed(fileId), 'the photo is processed')
    const status = await as(`GET /v1/upload/status/${fileId}\n${BEARER}`)
    expect(status.body.data.steps).toEqual(
      ['uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'].map((name) => ({
        name,
        status: 'completed',
      })),
    )

    // Chapter 5, as far as photos need it
    const created = await as(`POST /v1/categories
${BEARER}
${JSON_BODY}
{
"name": "自然风景",
"slug": "nature-landscape",
"description": "自然风景摄影作品",
"parent_id": null,
"color": "#27ae60",
"icon": "tree",
"sort_order": 2,
"is_featured": true,
"seo_title": "自然风景摄影作品集",
"seo_description": "欣赏美丽的自然风景摄影作品"
}`)
    expectData(created, 201, CATEGORY)
    expect(created.body.data).toMatchObject({
      name: '自然风景',
      slug: 'nature-landscape',
      parent_id: null,
      level: 0,
    })
    const first: number = created.body.data.id
    expect(created.body.data.path).toBe(String(first))
    const second = (
      await as(`POST /v1/categories\n${BEARER}\n${JSON_BODY}\n{"name":"二","parent_id":${first}}`)
    ).body.data.id
    const third = (await as(`POST /v1/categories\n${BEARER}\n${JSON_BODY}\n{"name":"三"}`)).body.data.id

    // Chapter 3
    const made = await as(`POST /v1/photos
${BEARER}
${JSON_BODY}
{
"title": "城市夜景",
"description": "繁华都市的夜晚景色",
"file_id": "${fileId}",
"status": "published",
"visibility": "public",
"taken_at": "2024-01-15T18:30:00Z",
"location": {
"name": "上海外滩",
"latitude": 31.23037,
"longitude": 121.47370
},
"categories": [${first}, ${second}],
"tags": ["夜景", "城市", "建筑"],
"metadata": {
"weather": "clear",
"temperature": "15°C"
}
}`)
    expectData(made, 201, DETAIL)
    const id: number = made.body.data.id
    const photo = await send(`GET /v1/photos/${id}`)
    expectData(photo, 200, DETAIL)
    expect(photo.body.data).toMatchObject({
      title: '城市夜景',
      description: '繁华都市的夜晚景色',
      status: 'published',
      visibility: 'public',
      exif: {
        camera: 'Canon EOS R5',
        lens: 'RF 24-70mm f/2.8L IS USM',
        iso: 800,
        aperture: 'f/2.8',
        shutter_speed: '1/125',
        focal_length: '50mm',
      },
      location: { name: '上海外滩', latitude: 31.23037, longitude: 121.4737 },
      file_info: {
        original_filename: 'DSC_0001.jpg',
        file_size: Bun.file(PHOTO).size,
        mime_type: 'image/jpeg',
      },
      metadata: { weather: 'clear', temperature: '15°C' },
    })
    expect(Date.parse(photo.body.data.taken_at)).toBe(Date.parse('2024-01-15T18:30:00Z'))
    for (const url of Object.values<string>(photo.body.data.formats))
      expect((await fetch(url)).headers.get('content-type'), url).toMatch(/^image\/(jpeg|webp)$/)

    const tag = await as(`POST /v1/tags
${BEARER}
${JSON_BODY}
{
"name": "极光",
"slug": "aurora",
"description": "极光摄影作品",
"color": "#9b59b6",
"tag_group": "subject",
"is_featured": true
}`)
    expectData(tag, 201, TAG)
    const list = await send(
      `GET /v1/photos?page=1&limit=20&status=published&category=${first}&tag=夜景&search=城市&sort_by=created_at&sort_order=desc`,
    )
    expectPage(list, [LISTED], ONE_PAGE)
    expect(list.body.data.map((one: { id: number }) => one.id)).toEqual([id])
    const none = await send(
      `GET /v1/photos?page=1&limit=20&status=published&category=${first}&tag=nature&search=sunset&sort_by=created_at&sort_order=desc`,
    )
    expectPage(none, [LISTED], { ...ONE_PAGE, total: 0, total_pages: 0 })
    expect((await send('GET /v1/photos?year=2024&month=1')).body.pagination.total).toBe(1)

    const found = await send(
      `GET /v1/photos/search?q=夜景&category=${first}&tags=城市,建筑&location=上海&date_from=2024-01-01&date_to=2024-12-31`,
    )
    const COUNTED = [{ name: 'string', count: 'integer' }] as const
    expectPage(
      found,
      {
        photos: [
          {
            id: 'integer',
            title: 'string',
            score: 'number',
            highlight: { title: 'string', description: 'string' },
          },
        ],
        facets: { categories: COUNTED, tags: COUNTED, years: [{ year: 'integer', count: 'integer' }] },
      },
      ONE_PAGE,
    )
    expect(found.body.data.photos[0]).toMatchObject({ id, highlight: { title: '城市<mark>夜景</mark>' } })
    expect(found.body.data.facets.tags).toContainEqual(expect.objectContaining({ name: '夜景', count: 1 }))
    expect(found.body.data.facets.years).toEqual([{ year: 2024, count: 1 }])
    const byCamera = await send('GET /v1/photos/search?q=夜景&camera=Canon%20EOS%20R5&lens=RF%2024-70mm')
    expect(byCamera.body.pagination.total).toBe(1)

    const changed = await as(`PUT /v1/photos/${id}
${BEARER}
${JSON_BODY}
{
"title": "上海外滩夜景",
"description": "更新后的描述",
"status": "published",
"categories": [${first}, ${third}],
"tags": ["夜景", "城市", "外滩"]
}`)
    expectData(changed, 200, DETAIL)
    expect(changed.body.data).toMatchObject({ title: '上海外滩夜景', description: '更新后的描述' })
    const namesOf = (all: { name: string }[]) => all.map(({ name }) => name).sort()
    expect(namesOf(changed.body.data.categories)).toEqual(['三', '自然风景'].sort())
    expect(namesOf(changed.body.data.tags)).toEqual(['夜景', '城市', '外滩'].sort())

    const batch = await as(`POST /v1/photos/batch
${BEARER}
${JSON_BODY}
{
"photo_ids": [${id}, ${id + 1}, ${id + 2}, ${id + 3}, ${id + 4}],
"action": "update_status",
"data": {
"status": "published"
}
}`)
    expectData(batch, 200, BATCH)
    expect(batch.body.data).toMatchObject({
      action: 'update_status',
      summary: { total: 5, success: 1, failed: 4 },
    })
    const data = { tags: ['夜景'], categories: [third] }
    for (const action of ['add_tags', 'remove_tags', 'add_categories', 'remove_categories'])
      expectData(
        await as(
          `POST /v1/photos/batch\n${BEARER}\n${JSON_BODY}\n${JSON.stringify({ photo_ids: [id], action, data })}`,
        ),
        200,
        BATCH,
      )

    // Chapter 5
    const inCategory = await send(
      `GET /v1/categories/${first}/photos?page=1&limit=20&sort_by=created_at&sort_order=desc`,
    )
    expectPage(inCategory, [LISTED], ONE_PAGE)
    expectData(
      await as(`POST /v1/categories/${third}/photos
${BEARER}
${JSON_BODY}
{
"photo_ids": [${id}, ${id + 1}, ${id + 2}],
"is_primary": true
}`),
      200,
      'object',
    )
    const primary = (await send(`GET /v1/photos/${id}`)).body.data.categories
    expect(primary.find((one: { id: number }) => one.id === third).is_primary).toBe(true)
    expectData(
      await as(`PUT /v1/categories/${first}/cover
${BEARER}
${JSON_BODY}
{
"photo_id": ${id}
}`),
      200,
      { ...CATEGORY, cover_photo: COVER },
    )
    const categories = await send('GET /v1/categories?include_stats=true&include_tree=true')
    expectData(categories, 200, {
      categories: [CATEGORY],
      tree: [{ ...NODE, children: [{ ...NODE, children: [NODE] }] }],
      stats: { total_categories: 'integer', max_level: 'integer', featured_count: 'integer' },
    })
    expect(categories.body.data.stats).toEqual({ total_categories: 3, max_level: 1, featured_count: 1 })
    expect(categories.body.data.categories.find((one: { id: number }) => one.id === first)).toMatchObject({
      cover_photo: { id, title: '上海外滩夜景' },
      photo_count: 1,
      direct_photo_count: 1,
    })
    expectData(await send(`GET /v1/categories/${first}`), 200, { ...CATEGORY, cover_photo: COVER })
    expectData(
      await as(`PUT /v1/categories/${first}
${BEARER}
${JSON_BODY}
{
"name": "自然风光",
"description": "更新后的描述",
"color": "#2ecc71"
}`),
      200,
      CATEGORY,
    )
    expectData(
      await as(`DELETE /v1/categories/${third}/photos
${BEARER}
${JSON_BODY}
{
"photo_ids": [${id}, ${id + 1}, ${id + 2}]
}`),
      200,
      'object',
    )
    expectNothing(await as(`DELETE /v1/categories/${third}\n${BEARER}`))

    // Chapter 6
    const tags = await send('GET /v1/tags?group=all&sort_by=usage_count&sort_order=desc&limit=50')
    const GROUP = { name: 'string', count: 'integer' }
    expectData(tags, 200, [TAG], {
      groups: { style: GROUP, subject: GROUP, technique: GROUP, location: GROUP },
    })
    expect(namesOf(tags.body.data)).toEqual(['城市', '外滩', '极光'].sort())
    const suggestions = await send('GET /v1/tags/suggestions?q=城&limit=10')
    const MATCH = {
      id: 'integer',
      name: 'string',
      slug: 'string',
      usage_count: 'integer',
      match_score: 'number',
    }
    expectData(suggestions, 200, [MATCH])
    expect(namesOf(suggestions.body.data)).toEqual(['城市'])
    const tagId: number = tag.body.data.id
    const renamed = await as(`PUT /v1/tags/${tagId}
${BEARER}
${JSON_BODY}
{
"name": "北极光",
"description": "更新后的描述",
"color": "#8e44ad"
}`)
    expectData(renamed, 200, TAG)
    expect(renamed.body.data).toMatchObject({ name: '北极光', slug: 'aurora', color: '#8e44ad' })
    const CLOUD = [
      {
        id: 'integer',
        name: 'string',
        usage_count: 'integer',
        relative_size: 'integer',
        color: 'string',
      },
    ] as const
    const cloud = await send('GET /v1/tags/cloud?min_usage=1&max_tags=50')
    expectData(cloud, 200, CLOUD)
    expect(cloud.body.data[0]).toMatchObject({ usage_count: 1, relative_size: 100 })
    expectData(await send('GET /v1/tags/cloud?min_usage=5&max_tags=50'), 200, CLOUD)
    const trending = await send('GET /v1/tags/trending?period=30d&limit=10')
    expectData(trending, 200, [TAG])
    expect(namesOf(trending.body.data)).toEqual(['城市', '外滩'].sort())
    expectNothing(await as(`DELETE /v1/tags/${tagId}\n${BEARER}`))

    // Chapter 7
    const event = await as(`POST /v1/timeline/events
${BEARER}
${JSON_BODY}
{
"title": "获得摄影比赛奖项",
"description": "在城市摄影大赛中获得金奖",
"date": "2024-01-15",
"type": "achievement",
"related_photos": [${id}]
}`)
    expectData(event, 201, { ...EVENT, related_photos: ['integer'] })
    expect(event.body.data).toMatchObject({ type: 'achievement', date: '2024-01-15', related_photos: [id] })
    const timeline = await send('GET /v1/timeline?year=2024&include_photos=true&photos_limit=5')
    const COUNT = { year: 'integer', count: 'integer' }
    expectData(timeline, 200, {
      years: [{ year: 'integer', photo_count: 'integer', months: [MONTH] }],
      stats: {
        total_photos: 'integer',
        year_range: ['integer'],
        most_active_month: { year: 'integer', month: 'integer', count: 'integer' },
        photos_by_year: [COUNT],
      },
    })
    expect(timeline.body.data.years[0].months[0]).toMatchObject({
      month: 1,
      photo_count: 1,
      photos: [{ id, title: '上海外滩夜景' }],
      events: [{ id: event.body.data.id }],
    })
    expect(timeline.body.data.stats.year_range).toEqual([2024, 2024])
    const month = await send('GET /v1/timeline/2024/1?include_photos=true')
    expectData(month, 200, MONTH)
    expect(month.body.data).toMatchObject({ month: 1, photo_count: 1, photos: [{ id }] })
    expectData(
      await as(`PUT /v1/timeline/events/${event.body.data.id}
${BEARER}
${JSON_BODY}
{
"title": "更新后的标题",
"description": "更新后的描述"
}`),
      200,
      EVENT,
    )
    expectNothing(await as(`DELETE /v1/timeline/events/${event.body.data.id}\n${BEARER}`))

    // The rest of chapters 3 and 4
    await eventually(() => isProcessed(secondFileId), 'the second photo is processed')
    const reprocessed = await as(`POST /v1/upload/${secondFileId}/reprocess
${BEARER}
${JSON_BODY}
{
"formats": ["thumb_small", "thumb_medium", "webp"],
"force": true
}`)
    expectData(reprocessed, 200, STATUS)
    expectNothing(await as(`DELETE /v1/upload/${secondFileId}\n${BEARER}`))
    expectNothing(await as(`DELETE /v1/photos/${id}\n${BEARER}`))

    // Chapter 11
    const missing = await as(`POST /v1/photos\n${BEARER}\n${JSON_BODY}\n{"file_id":"${fileId}"}`)
    expectPortfolioError(missing, { status: 400, code: 'VALIDATION_ERROR', fields: ['title'] })
    expect(missing.body.error.details).toEqual([
      { field: 'title', message: expect.any(String), code: 'REQUIRED' },
    ])
    const { token: editor } = await makeUser(server, { role: 'editor' })
    const denied = await send(`DELETE /v1/photos/${id}\n${BEARER}`, editor)
    expectPortfolioError(denied, { status: 403, code: 'PERMISSION_DENIED' })
    expect(denied.body.error.details).toEqual({ required_permission: 'photo.delete', user_role: 'editor' })
    const unknown = await send('GET /v1/photos/999')
    expectPortfolioError(unknown, { status: 404, code: 'RESOURCE_NOT_FOUND' })
    expect(unknown.body.error.details).toEqual({ resource_type: 'photo', resource_id: 999 })
    const anonymous = await send(`POST /v1/photos\n${JSON_BODY}\n{}`)
    expectPortfolioError(anonymous, { status: 401, code: 'AUTHENTICATION_REQUIRED' })

    expectData(await as(`POST /v1/auth/logout\n${BEARER}`), 200, 'object|null')
    expectPortfolioError(await as(`GET /v1/auth/profile\n${BEARER}`), { status: 401, code: 'INVALID_TOKEN' })
  })
})
