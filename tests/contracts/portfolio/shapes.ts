/** The shapes of the portfolio contract's answers, with every documented field. */
import type { Shape } from '../../support/shapes.ts'

/** The envelope around `data`: docs/contracts/portfolio.md, "Conventions". */
export const enveloped = <T extends Shape>(data: T) =>
  ({
    success: 'true',
    code: 'integer',
    message: 'string',
    data,
    meta: { timestamp: 'instant', request_id: 'string' },
  }) as const

export const PAGINATION = {
  page: 'integer',
  limit: 'integer',
  total: 'integer',
  total_pages: 'integer',
  has_next: 'boolean',
  has_prev: 'boolean',
} satisfies Shape

export const USER = {
  id: 'integer',
  username: 'string',
  email: 'string',
  role: 'string',
  display_name: 'string',
  avatar_url: 'string|null',
} satisfies Shape
export const SESSION = {
  access_token: 'jwt',
  refresh_token: 'string',
  token_type: 'string',
  expires_in: 'integer',
} satisfies Shape

const RENDITIONS = {
  thumb_small: 'string',
  thumb_medium: 'string',
  thumb_large: 'string',
  webp: 'string',
} satisfies Shape
const NAMED = { id: 'integer', name: 'string', slug: 'string', color: 'string' } satisfies Shape
const SHARED = {
  id: 'integer',
  title: 'string',
  description: 'string',
  slug: 'string',
  status: 'string',
  visibility: 'string',
  taken_at: 'instant',
  created_at: 'instant',
  updated_at: 'instant',
  view_count: 'integer',
  like_count: 'integer',
  exif: {
    camera: 'string',
    lens: 'string',
    iso: 'integer',
    aperture: 'string',
    shutter_speed: 'string',
    focal_length: 'string',
  },
  location: { name: 'string', latitude: 'number', longitude: 'number', country: 'string', city: 'string' },
} satisfies Shape
export const LISTED = {
  ...SHARED,
  formats: { ...RENDITIONS, display: 'string' },
  categories: [NAMED],
  tags: [NAMED],
} satisfies Shape
export const DETAIL = {
  ...SHARED,
  sort_order: 'integer',
  download_count: 'integer',
  file_info: { original_filename: 'string', file_size: 'integer', mime_type: 'string' },
  formats: { ...RENDITIONS, original: 'string', jpg: 'string' },
  categories: [{ ...NAMED, description: 'string', is_primary: 'boolean' }],
  tags: [{ ...NAMED, confidence: 'number', source: 'string' }],
  metadata: 'object',
} satisfies Shape
export const BATCH = {
  action: 'string',
  succeeded: ['integer'],
  failed: [{ id: 'integer', error: 'string', code: 'string' }],
  summary: { total: 'integer', success: 'integer', failed: 'integer' },
} satisfies Shape

export const FILE = {
  file_id: 'string',
  original_filename: 'string',
  file_size: 'integer',
  status: 'string',
} as const
export const STATUS = {
  file_id: 'string',
  status: 'string',
  progress: 'integer',
  current_step: 'string',
  steps: [{ name: 'string', status: 'string' }],
  estimated_time_remaining: 'integer',
} satisfies Shape

export const CATEGORY = {
  ...NAMED,
  description: 'string',
  parent_id: 'integer|null',
  level: 'integer',
  path: 'string',
  cover_photo: 'object|null',
  icon: 'string',
  sort_order: 'integer',
  is_active: 'boolean',
  is_featured: 'boolean',
  photo_count: 'integer',
  direct_photo_count: 'integer',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
export const CATEGORY_DETAIL = {
  ...CATEGORY,
  seo_title: 'string',
  seo_description: 'string',
  ancestors: [{ id: 'integer', name: 'string', slug: 'string' }],
  children: [{ id: 'integer', name: 'string', slug: 'string', photo_count: 'integer' }],
} satisfies Shape
export const COVER = { id: 'integer', title: 'string', thumb_url: 'string' } satisfies Shape
export const NODE = { id: 'integer', name: 'string', slug: 'string', photo_count: 'integer' } satisfies Shape

export const TAG = {
  ...NAMED,
  description: 'string',
  icon: 'string',
  tag_group: 'string',
  usage_count: 'integer',
  trend_score: 'number',
  is_active: 'boolean',
  is_featured: 'boolean',
  created_at: 'instant',
  last_used_at: 'instant|null',
} satisfies Shape

export const EVENT = {
  id: 'integer',
  title: 'string',
  description: 'string',
  date: 'string',
  type: 'string',
} as const
export const MONTH = {
  month: 'integer',
  month_name: 'string',
  photo_count: 'integer',
  photos: [{ id: 'integer', title: 'string', thumb_url: 'string', taken_at: 'instant' }],
  events: [EVENT],
} satisfies Shape

/** A number of a day. */
export const DAY = { date: 'string', count: 'integer' } as const
/** Of `GET /v1/dashboard/stats`. */
export const DASHBOARD = {
  summary: {
    total_photos: 'integer',
    total_categories: 'integer',
    total_tags: 'integer',
    total_views: 'integer',
    storage_used: 'integer',
    storage_limit: 'integer',
  },
  recent: { new_photos: 'integer', new_views: 'integer', new_likes: 'integer', period: 'string' },
  trends: { uploads: [DAY], views: [DAY] },
  popular: {
    categories: [{ name: 'string', count: 'integer', percentage: 'number' }],
    tags: [{ name: 'string', count: 'integer' }],
    photos: [{ id: 'integer', title: 'string', view_count: 'integer', like_count: 'integer' }],
  },
  system_status: { database: 'string', redis: 'string', storage: 'string', queue: 'string' },
} satisfies Shape
