import { form, mp4 } from '../../support/files.ts'
import type { Shape } from '../../support/shapes.ts'
import type { Chapters, Scene } from './endpoint.ts'

const USER = {
  id: 'integer',
  email: 'string',
  name: 'string',
  avatar_url: 'string|null',
  is_active: 'boolean',
  created_at: 'instant',
} satisfies Shape
const MATERIAL = {
  id: 'integer',
  title: 'string',
  description: 'string',
  type: 'string',
  file_path: 'string',
  file_size: 'integer',
  file_format: 'string',
  thumbnail_path: 'string|null',
  uploader_id: 'integer',
  view_count: 'integer',
  like_count: 'integer',
  status: 'string',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
const SHOWN = {
  ...MATERIAL,
  uploader_name: 'string',
  uploader_avatar: 'string|null',
  is_liked: 'boolean',
} satisfies Shape
const TOKENS = { access_token: 'jwt', refresh_token: 'string', token_type: 'string' } satisfies Shape
const JOB = { success: 'true', message: 'string', job_id: 'string' } satisfies Shape

const PERSON = { email: 'learner@example.com', name: '用户名', password: 'your-password' }
const asPupil = ({ kept }: Scene) => ({ token: kept.pupil as string })
const withMaterial = ({ kept }: Scene) => ({ token: kept.pupil as string, ids: [kept.material as number] })
const withJob = () => ({ ids: ['cleanup_job'] })
const keepTokens = ({ kept }: Scene, body: { access_token: string; refresh_token: string }) => {
  kept.pupil = body.access_token
  kept.pupilRefresh = body.refresh_token
}

export const learning: Chapters = {
  基础信息: [
    {
      request: 'GET /health',
      status: 200,
      shape: { status: 'string', version: 'string', environment: 'string' },
      fill: () => ({ token: null }),
    },
    {
      request: 'GET /api/v1/health/db',
      status: 200,
      shape: { status: 'string', database: 'string' },
      fill: () => ({ token: null }),
    },
  ],
  认证模块: [
    {
      request: 'POST /api/v1/auth/register',
      status: 201,
      shape: USER,
      fill: () => ({ token: null, body: PERSON }),
    },
    {
      request: 'POST /api/v1/auth/login',
      status: 200,
      shape: { ...TOKENS, expires_in: 'integer', user: USER },
      fill: () => ({ token: null, body: { email: PERSON.email, password: PERSON.password } }),
      after: keepTokens,
    },
    { request: 'GET /api/v1/auth/me', status: 200, shape: USER, fill: asPupil },
    {
      request: 'POST /api/v1/auth/refresh',
      status: 200,
      shape: TOKENS,
      fill: ({ kept }) => ({ token: null, body: { refresh_token: kept.pupilRefresh } }),
      after: keepTokens,
    },
  ],
  上传模块: [
    {
      request: 'POST /api/v1/upload',
      status: 201,
      shape: MATERIAL,
      fill: (scene) => ({
        ...asPupil(scene),
        form: form(['file', mp4(), 'video.mp4'], ['title', '课件标题'], ['description', '课件描述']),
      }),
      after: ({ kept }, { id }) => {
        kept.material = id
      },
    },
    {
      request: 'GET /api/v1/upload/status/{material_id}',
      status: 200,
      shape: {
        material_id: 'integer',
        status: 'string',
        progress: 'integer',
        message: 'string',
        thumbnail_path: 'string|null',
        has_thumbnail: 'boolean',
      },
      fill: withMaterial,
    },
    {
      request: 'GET /api/v1/upload/thumbnail-status/{material_id}',
      status: 200,
      shape: {
        material_id: 'integer',
        thumbnail_status: 'string',
        thumbnail_path: 'string|null',
        has_thumbnail: 'boolean',
      },
      fill: withMaterial,
    },
  ],
  课件模块: [
    {
      request:
        'GET /api/v1/materials?page=1&page_size=20&sort_by=created_at&sort_order=desc&material_type=video',
      status: 200,
      shape: {
        items: [SHOWN],
        total: 'integer',
        page: 'integer',
        page_size: 'integer',
        total_pages: 'integer',
      },
      fill: () => ({ token: null }),
    },
    {
      request: 'GET /api/v1/materials/{material_id}',
      status: 200,
      shape: {
        ...SHOWN,
        related_materials: [
          {
            id: 'integer',
            title: 'string',
            type: 'string',
            thumbnail_path: 'string|null',
            view_count: 'integer',
            like_count: 'integer',
          },
        ],
      },
      fill: withMaterial,
    },
    {
      request: 'POST /api/v1/materials/{material_id}/like',
      status: 200,
      shape: { is_liked: 'boolean', like_count: 'integer' },
      fill: withMaterial,
    },
    {
      request: 'DELETE /api/v1/materials/{material_id}',
      status: 204,
      shape: 'nothing',
      fill: withMaterial,
    },
  ],
  '上传模块: 删除': [
    { request: 'DELETE /api/v1/upload/{material_id}', status: 204, shape: 'nothing', fill: withMaterial },
  ],
  管理员模块: [
    {
      request: 'POST /api/v1/admin/cleanup',
      status: 200,
      shape: {
        success: 'true',
        cleaned_records: 'integer',
        cleaned_files: 'integer',
        duration_seconds: 'number',
        errors: 'array',
      },
      fill: () => ({ body: { cleanup_processing: true, cleanup_orphans: true, max_age_minutes: 30 } }),
    },
    {
      request: 'GET /api/v1/admin/scheduler/status',
      status: 200,
      shape: { running: 'boolean', jobs: [{ id: 'string', name: 'string', next_run_time: 'instant|null' }] },
    },
    {
      request: 'POST /api/v1/admin/scheduler/jobs/{job_id}/pause',
      status: 200,
      shape: JOB,
      fill: withJob,
    },
    {
      request: 'POST /api/v1/admin/scheduler/jobs/{job_id}/resume',
      status: 200,
      shape: JOB,
      fill: withJob,
    },
  ],
  '认证模块: 登出': [
    {
      request: 'POST /api/v1/auth/logout',
      status: 200,
      shape: { message: 'string', detail: 'string' },
      fill: asPupil,
    },
  ],
}
