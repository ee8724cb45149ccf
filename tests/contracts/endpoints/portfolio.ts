import { form } from '../../support/files.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import type { Shape } from '../../support/shapes.ts'
import {
  CATEGORY,
  DASHBOARD,
  DAY,
  DETAIL,
  EVENT,
  enveloped,
  FILE,
  LISTED,
  MONTH,
  NODE,
  PAGINATION,
  SESSION,
  STATUS,
  TAG,
  USER,
} from '../portfolio/shapes.ts'
import type { Chapters, Filled, Scene } from './endpoint.ts'

const pageOf = (data: Shape, beside: Record<string, Shape> = {}) => ({
  ...enveloped(data),
  ...beside,
  pagination: PAGINATION,
})
/** The photos of this server have no EXIF, and nobody has typed a place, unless the requests say so. */
const EXIF = {
  camera: 'string|null',
  lens: 'string|null',
  iso: 'integer|null',
  aperture: 'string|null',
  shutter_speed: 'string|null',
  focal_length: 'string|null',
} satisfies Shape
const PHOTO = { ...LISTED, exif: EXIF } satisfies Shape
const PHOTO_DETAIL = { ...DETAIL, exif: EXIF } satisfies Shape
const CATEGORY_SHOWN = { ...CATEGORY, icon: 'string', color: 'string' } satisfies Shape
const TAG_SHOWN = { ...TAG, icon: 'string', color: 'string' } satisfies Shape
const ACCOUNT = { ...USER, is_active: 'boolean' } satisfies Shape

const anyone = (): Filled => ({ token: null })
const picture = async () => new Uint8Array(await picture96()) as Uint8Array<ArrayBuffer>
const of =
  (...names: string[]) =>
  ({ kept }: Scene): Filled => ({ ids: names.map((name) => kept[name]) })
const keepId =
  (name: string) =>
  ({ kept }: Scene, { data }: { data: { id: number } }) => {
    kept[name] = data.id
  }

export const portfolio: Chapters = {
  '2 认证与授权': [
    {
      request: 'POST /v1/auth/login',
      status: 200,
      shape: enveloped({ ...SESSION, user: USER }),
      fill: ({ admin }) => ({
        token: null,
        body: { username: admin.user.username, password: admin.password },
      }),
      after: ({ kept }, { data }) => {
        kept.refreshToken = data.refresh_token
      },
    },
    {
      request: 'POST /v1/auth/refresh',
      status: 200,
      shape: enveloped(SESSION),
      fill: ({ kept }) => ({ token: null, body: { refresh_token: kept.refreshToken } }),
      after: ({ kept }, { data }) => {
        kept.accessToken = data.access_token
      },
    },
    { request: 'GET /v1/auth/profile', status: 200, shape: enveloped(USER) },
    {
      request: 'POST /v1/auth/logout',
      status: 200,
      shape: enveloped('object|null'),
      fill: ({ kept }) => ({ token: kept.accessToken }),
    },
  ],
  '4 文件上传': [
    {
      request: 'POST /v1/upload/single',
      status: 201,
      shape: enveloped({
        ...FILE,
        mime_type: 'string',
        upload_url: 'string',
        exif_extracted: 'boolean',
        processing_status: 'string',
      }),
      fill: async () => ({ form: form(['file', await picture(), 'DSC_0001.jpg']) }),
      after: ({ kept }, { data }) => {
        kept.file = data.file_id
      },
    },
    {
      request: 'POST /v1/upload/multiple',
      status: 201,
      shape: enveloped({
        uploaded: [FILE],
        failed: [{ filename: 'string', error: 'string' }],
        summary: { total: 'integer', success: 'integer', failed: 'integer' },
      }),
      fill: async () => ({
        form: form(
          ['files[]', await picture(), 'a.jpg'],
          ['files[]', new Uint8Array([1]), 'invalid_file.txt'],
        ),
      }),
      after: ({ kept }, { data }) => {
        kept.spare = data.uploaded[0].file_id
      },
    },
    {
      request: 'POST /v1/upload/chunked/init',
      status: 201,
      shape: enveloped({
        upload_id: 'string',
        chunk_size: 'integer',
        total_chunks: 'integer',
        upload_urls: ['string'],
      }),
      fill: () => ({
        body: {
          filename: 'large_photo.raw',
          file_size: 52428800,
          mime_type: 'image/raw',
          chunk_size: 1048576,
        },
      }),
    },
    { request: 'GET /v1/upload/status/{file_id}', status: 200, shape: enveloped(STATUS), fill: of('file') },
    {
      request: 'POST /v1/upload/{file_id}/reprocess',
      status: 200,
      shape: enveloped('object'),
      fill: async (scene) => {
        await scene.processed(scene.kept.spare)
        return {
          ids: [scene.kept.spare],
          body: { formats: ['thumb_small', 'thumb_medium', 'webp'], force: true },
        }
      },
    },
    { request: 'DELETE /v1/upload/{file_id}', status: 204, shape: 'nothing', fill: of('spare') },
  ],
  '5 分类管理': [
    {
      request: 'POST /v1/categories',
      status: 201,
      shape: enveloped(CATEGORY_SHOWN),
      fill: () => ({
        body: {
          name: '自然风景',
          slug: 'nature-landscape',
          description: '自然风景摄影作品',
          parent_id: null,
          color: '#27ae60',
          icon: 'tree',
          sort_order: 2,
          is_featured: true,
          seo_title: '自然风景摄影作品集',
          seo_description: '欣赏美丽的自然风景摄影作品',
        },
      }),
      after: keepId('category'),
    },
    {
      request: 'GET /v1/categories?include_stats=true&include_tree=true',
      status: 200,
      shape: enveloped({
        categories: [CATEGORY_SHOWN],
        tree: [{ ...NODE, children: ['object'] }],
        stats: { total_categories: 'integer', max_level: 'integer', featured_count: 'integer' },
      }),
      fill: anyone,
    },
    {
      request: 'GET /v1/categories/{id}',
      status: 200,
      shape: enveloped(CATEGORY_SHOWN),
      fill: of('category'),
    },
    {
      request: 'PUT /v1/categories/{id}',
      status: 200,
      shape: enveloped(CATEGORY_SHOWN),
      fill: (scene) => ({
        ...of('category')(scene),
        body: { name: '自然风光', description: '更新后的描述', color: '#2ecc71' },
      }),
    },
  ],
  '3 照片管理': [
    {
      request: 'POST /v1/photos',
      status: 201,
      shape: enveloped(PHOTO_DETAIL),
      fill: ({ kept }) => ({
        body: {
          title: '城市夜景',
          description: '繁华都市的夜晚景色',
          file_id: kept.file,
          status: 'published',
          visibility: 'public',
          taken_at: '2024-01-15T18:30:00Z',
          location: { name: '上海外滩', latitude: 31.23037, longitude: 121.4737 },
          categories: [kept.category],
          tags: ['夜景', '城市', '建筑'],
          metadata: { weather: 'clear', temperature: '15°C' },
        },
      }),
      after: keepId('photo'),
    },
    {
      request:
        'GET /v1/photos?page=1&limit=20&status=published&category={id}&tag=夜景&search=夜景&sort_by=created_at&sort_order=desc',
      status: 200,
      shape: pageOf([PHOTO]),
      fill: of('category'),
    },
    { request: 'GET /v1/photos/{id}', status: 200, shape: enveloped(PHOTO_DETAIL), fill: of('photo') },
    {
      request: 'PUT /v1/photos/{id}',
      status: 200,
      shape: enveloped(PHOTO_DETAIL),
      fill: ({ kept }) => ({
        ids: [kept.photo],
        body: {
          title: '上海外滩夜景',
          description: '更新后的描述',
          status: 'published',
          categories: [kept.category],
          tags: ['夜景', '城市', '外滩'],
        },
      }),
    },
    {
      request: 'POST /v1/photos/batch',
      status: 200,
      shape: enveloped('object'),
      fill: ({ kept }) => ({
        body: { photo_ids: [kept.photo], action: 'update_status', data: { status: 'published' } },
      }),
    },
    {
      request:
        'GET /v1/photos/search?q=夜景&category={id}&tags=城市,夜景&location=上海&date_from=2024-01-01&date_to=2024-12-31',
      status: 200,
      shape: {
        ...enveloped({
          photos: [{ id: 'integer', title: 'string', score: 'number', highlight: 'object' }],
          facets: {
            categories: [{ name: 'string', count: 'integer' }],
            tags: [{ name: 'string', count: 'integer' }],
            years: [{ year: 'integer', count: 'integer' }],
          },
        }),
        pagination: { page: 'integer', limit: 'integer', total: 'integer' },
      },
      fill: of('category'),
    },
  ],
  '5 分类照片': [
    {
      request: 'PUT /v1/categories/{id}/cover',
      status: 200,
      shape: enveloped({
        ...CATEGORY_SHOWN,
        cover_photo: { id: 'integer', title: 'string', thumb_url: 'string' },
      }),
      fill: ({ kept }) => ({ ids: [kept.category], body: { photo_id: kept.photo } }),
    },
    {
      request: 'GET /v1/categories/{id}/photos?page=1&limit=20&sort_by=created_at&sort_order=desc',
      status: 200,
      shape: pageOf([PHOTO]),
      fill: of('category'),
    },
    {
      request: 'POST /v1/categories/{id}/photos',
      status: 200,
      shape: enveloped('object'),
      fill: ({ kept }) => ({ ids: [kept.category], body: { photo_ids: [kept.photo], is_primary: true } }),
    },
    {
      request: 'DELETE /v1/categories/{id}/photos',
      status: 200,
      shape: enveloped('object'),
      fill: ({ kept }) => ({ ids: [kept.category], body: { photo_ids: [kept.photo] } }),
    },
    { request: 'DELETE /v1/categories/{id}', status: 204, shape: 'nothing', fill: of('category') },
  ],
  '6 标签管理': [
    {
      request: 'GET /v1/tags?group=all&sort_by=usage_count&sort_order=desc&limit=50',
      status: 200,
      shape: {
        ...enveloped([TAG_SHOWN]),
        groups: {
          style: { name: 'string', count: 'integer' },
          subject: { name: 'string', count: 'integer' },
          technique: { name: 'string', count: 'integer' },
          location: { name: 'string', count: 'integer' },
        },
      },
      fill: anyone,
    },
    {
      request: 'GET /v1/tags/suggestions?q=夜&limit=10',
      status: 200,
      shape: enveloped([
        { id: 'integer', name: 'string', slug: 'string', usage_count: 'integer', match_score: 'number' },
      ]),
      fill: anyone,
    },
    {
      request: 'POST /v1/tags',
      status: 201,
      shape: enveloped(TAG_SHOWN),
      fill: () => ({
        body: {
          name: '极光',
          slug: 'aurora',
          description: '极光摄影作品',
          color: '#9b59b6',
          tag_group: 'subject',
          is_featured: true,
        },
      }),
      after: keepId('tag'),
    },
    {
      request: 'PUT /v1/tags/{id}',
      status: 200,
      shape: enveloped(TAG_SHOWN),
      fill: (scene) => ({
        ...of('tag')(scene),
        body: { name: '北极光', description: '更新后的描述', color: '#8e44ad' },
      }),
    },
    { request: 'DELETE /v1/tags/{id}', status: 204, shape: 'nothing', fill: of('tag') },
    {
      request: 'GET /v1/tags/cloud?min_usage=1&max_tags=50',
      status: 200,
      shape: enveloped([
        { id: 'integer', name: 'string', usage_count: 'integer', relative_size: 'integer', color: 'string' },
      ]),
      fill: anyone,
    },
    {
      request: 'GET /v1/tags/trending?period=30d&limit=10',
      status: 200,
      shape: enveloped('array'),
      fill: anyone,
    },
  ],
  '7 时间线': [
    {
      request: 'POST /v1/timeline/events',
      status: 201,
      shape: enveloped(EVENT),
      fill: ({ kept }) => ({
        body: {
          title: '获得摄影比赛奖项',
          description: '在城市摄影大赛中获得金奖',
          date: '2024-01-15',
          type: 'achievement',
          related_photos: [kept.photo],
        },
      }),
      after: keepId('event'),
    },
    {
      request: 'GET /v1/timeline?year=2024&include_photos=true&photos_limit=5',
      status: 200,
      shape: enveloped({
        years: [{ year: 'integer', photo_count: 'integer', months: [MONTH] }],
        stats: {
          total_photos: 'integer',
          year_range: ['integer'],
          most_active_month: { year: 'integer', month: 'integer', count: 'integer' },
          photos_by_year: [{ year: 'integer', count: 'integer' }],
        },
      }),
      fill: anyone,
    },
    {
      request: 'GET /v1/timeline/{year}/{month}?include_photos=true',
      status: 200,
      shape: enveloped(MONTH),
      fill: () => ({ token: null, ids: [2024, 1] }),
    },
    {
      request: 'PUT /v1/timeline/events/{id}',
      status: 200,
      shape: enveloped(EVENT),
      fill: (scene) => ({
        ...of('event')(scene),
        body: { title: '更新后的标题', description: '更新后的描述' },
      }),
    },
    { request: 'DELETE /v1/timeline/events/{id}', status: 204, shape: 'nothing', fill: of('event') },
    { request: 'DELETE /v1/photos/{id}', status: 204, shape: 'nothing', fill: of('photo') },
  ],
  '8 系统设置': [
    {
      request: 'GET /v1/settings?category=all&include_public=true',
      status: 200,
      shape: enveloped({ general: 'object', upload: 'object', image: 'object', display: 'object' }),
    },
    {
      request: 'PUT /v1/settings',
      status: 200,
      shape: enveloped('object'),
      fill: () => ({
        body: {
          site_title: '我的摄影作品集',
          upload_max_file_size: 104857600,
          display_photos_per_page: 24,
        },
      }),
    },
    {
      request: 'POST /v1/settings/reset',
      status: 200,
      shape: enveloped('object'),
      fill: () => ({ body: { categories: ['upload', 'image'], confirm: true } }),
    },
    {
      request: 'POST /v1/settings/cache/clear',
      status: 200,
      shape: enveloped('object'),
      fill: () => ({ body: { types: ['photos', 'categories', 'tags', 'settings'], confirm: true } }),
    },
    {
      request: 'POST /v1/settings/cache/warm',
      status: 200,
      shape: enveloped('object'),
      fill: () => ({ body: { types: ['popular_photos', 'category_tree', 'tag_cloud'] } }),
    },
    {
      request: 'GET /v1/settings/cache/stats',
      status: 200,
      shape: enveloped({
        redis: { connected: 'boolean', used_memory: 'string', total_keys: 'integer', hit_rate: 'number' },
        categories: 'object',
      }),
    },
  ],
  '9 统计分析': [
    { request: 'GET /v1/dashboard/stats?period=30d', status: 200, shape: enveloped(DASHBOARD) },
    {
      request: 'GET /v1/stats/photos?group_by=month&year=2024',
      status: 200,
      shape: enveloped({ periods: [DAY] }),
    },
    {
      request: 'GET /v1/stats/views?period=30d&group_by=day',
      status: 200,
      shape: enveloped({ periods: [DAY] }),
    },
    { request: 'GET /v1/stats/storage', status: 200, shape: enveloped({ storage_used: 'integer' }) },
  ],
  '10 用户管理': [
    {
      request: 'POST /v1/users',
      status: 201,
      shape: enveloped(ACCOUNT),
      fill: () => ({
        body: {
          username: 'editor',
          email: 'editor@example.com',
          password: 'password123',
          role: 'editor',
          display_name: '编辑者',
          is_active: true,
        },
      }),
      after: keepId('account'),
    },
    {
      request: 'GET /v1/users?page=1&limit=20&role=all&status=active&search=editor',
      status: 200,
      shape: pageOf([ACCOUNT]),
    },
    {
      request: 'PUT /v1/users/{id}',
      status: 200,
      shape: enveloped(ACCOUNT),
      fill: (scene) => ({
        ...of('account')(scene),
        body: { display_name: '高级编辑者', role: 'admin', is_active: true },
      }),
    },
    {
      request: 'GET /v1/users/{id}/sessions',
      status: 200,
      shape: enveloped([{ id: 'uuid', created_at: 'instant' }]),
      fill: async (scene) => {
        const { kept } = scene
        await scene.as(scene.admin, 'POST', '/v1/auth/login', { username: 'editor', password: 'password123' })
        return { ids: [kept.account] }
      },
      after: ({ kept }, { data }) => {
        kept.session = data[0].id
      },
    },
    {
      request: 'DELETE /v1/users/{id}/sessions/{session_id}',
      status: 204,
      shape: 'nothing',
      fill: of('account', 'session'),
    },
    { request: 'DELETE /v1/users/{id}', status: 204, shape: 'nothing', fill: of('account') },
  ],
  '13 WebHook': [
    {
      request: 'POST /v1/webhooks',
      status: 201,
      shape: enveloped({ id: 'integer', url: 'string', events: ['string'], is_active: 'boolean' }),
      fill: () => ({
        body: {
          url: 'https://example.com/webhook',
          events: ['photo.created', 'photo.updated', 'photo.deleted'],
          secret: 'webhook_secret_key',
          is_active: true,
        },
      }),
    },
  ],
}
