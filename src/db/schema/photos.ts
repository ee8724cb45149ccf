import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  date,
  doublePrecision,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  real,
  serial,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, snakeJson, tsvector } from './columns.ts'

/** What everybody may know of the camera. */
export interface Exif {
  camera?: string
  lens?: string
  iso?: number
  /** `f/2.8` */
  aperture?: string
  /** `1/125` */
  shutterSpeed?: string
  /** `50mm` */
  focalLength?: string
}

/** Where a photo was taken, as its file says. Only its owner and holders of `photo.*` may know. */
export interface Place {
  latitude?: number
  longitude?: number
  /** Metres. */
  altitude?: number
  name?: string
  city?: string
  country?: string
}

export interface Rendition {
  name: 'thumb_small' | 'thumb_medium' | 'thumb_large' | 'display' | 'webp'
  /** The object is at the hidden key of it. At this key itself there is a copy while everybody may see the photo. */
  key: string
  width: number
  height: number
  size: number
  /** The watermark on it, by its id. Without one, the rendition is for the owner and holders of `photo.*` while the site has one. */
  watermark?: string
}

/** An uploaded picture, and what was made of it. */
export const photoFiles = pgTable(
  'photo_files',
  {
    id: serial('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** `receiving` while its bytes arrive; `failed` when no rendition could be made of it. */
    status: text('status', {
      enum: ['receiving', 'uploaded', 'processing', 'completed', 'failed'],
    }).notNull(),
    /** The step that runs, or in which the file failed. */
    step: text('step', { enum: ['exif_extraction', 'generating_thumbnails', 'optimization'] }),
    /** An error code, when it failed. */
    failure: text('failure'),
    fileName: text('file_name').notNull(),
    /** Of the content. */
    mimeType: text('mime_type').notNull(),
    fileSize: bigint('file_size', { mode: 'number' }).notNull().default(0),
    /** In hexadecimal. */
    sha256: text('sha256'),
    /** The uploaded file itself. It is never at a public key. */
    objectKey: text('object_key').notNull().unique(),
    /** Whether clients find a copy of each rendition at its public key. */
    exposed: boolean('exposed').notNull().default(false),
    /** Grows whenever processing ends. A job of an earlier processing changes nothing. */
    generation: integer('generation').notNull().default(0),
    renditions: snakeJson<Rendition[]>('renditions', 'jsonb').notNull().default([]),
    /** Of the picture as it is shown, in pixels. */
    width: integer('width'),
    height: integer('height'),
    /** A thumbhash in base64. */
    placeholder: text('placeholder'),
    exif: snakeJson<Exif>('exif', 'jsonb').notNull().default({}),
    place: snakeJson<Place>('place', 'jsonb').notNull().default({}),
    takenAt: instant('taken_at'),
    /** Minutes east of UTC; null when the file does not say. */
    takenOffset: smallint('taken_offset'),
    processingStartedAt: instant('processing_started_at'),
    processedAt: instant('processed_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** While receiving: when bytes last arrived. */
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('photo_files_user_idx').on(t.userId, t.id),
    index('photo_files_hash_idx').on(t.userId, t.sha256),
    index('photo_files_unfinished_idx')
      .on(t.updatedAt)
      .where(sql`${t.status} in ('receiving', 'uploaded', 'processing')`),
    index('photo_files_pending_idx')
      .on(t.userId)
      .where(sql`${t.status} in ('receiving', 'uploaded', 'processing')`),
  ],
)

export const photos = pgTable(
  'photos',
  {
    id: serial('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    fileId: integer('file_id')
      .notNull()
      .unique()
      .references(() => photoFiles.id),
    title: text('title').notNull(),
    description: text('description').notNull().default(''),
    slug: text('slug').notNull().unique(),
    status: text('status', { enum: ['published', 'draft', 'archived'] }).notNull(),
    visibility: text('visibility', { enum: ['public', 'private'] }).notNull(),
    /** Everybody could see the photo at some time, so others may have linked to its slug. */
    wasPublic: boolean('was_public').notNull().default(false),
    sortOrder: integer('sort_order').notNull().default(0),
    /** The owner's, or else the file's. */
    takenAt: instant('taken_at'),
    /** The place that the owner typed. */
    locationName: text('location_name'),
    latitude: doublePrecision('latitude'),
    longitude: doublePrecision('longitude'),
    country: text('country'),
    city: text('city'),
    /** The owner's own fields, in the owner's order. */
    metadata: json('metadata').$type<Record<string, unknown>>().notNull().default({}),
    viewCount: integer('view_count').notNull().default(0),
    likeCount: integer('like_count').notNull().default(0),
    downloadCount: integer('download_count').notNull().default(0),
    /** Grows with every change that a user makes, for If-Match. Processing of the file is none. */
    version: integer('version').notNull().default(1),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('photos_user_idx').on(t.userId),
    // The most viewed photos. The database reads it backwards.
    index('photos_viewed_idx').on(t.viewCount, t.id).where(sql`${t.viewCount} > 0`),
  ],
)

export const categories = pgTable(
  'categories',
  {
    id: serial('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull().unique(),
    description: text('description').notNull().default(''),
    parentId: integer('parent_id').references((): AnyPgColumn => categories.id),
    /** The ids from the root to the category itself: `1/2`. */
    path: text('path').notNull(),
    /** 0 at the root. */
    level: integer('level').notNull().default(0),
    coverPhotoId: integer('cover_photo_id').references(() => photos.id, { onDelete: 'set null' }),
    color: text('color'),
    icon: text('icon'),
    sortOrder: integer('sort_order').notNull().default(0),
    isActive: boolean('is_active').notNull().default(true),
    isFeatured: boolean('is_featured').notNull().default(false),
    seoTitle: text('seo_title'),
    seoDescription: text('seo_description'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('categories_parent_idx').on(t.parentId),
    index('categories_path_idx').on(t.path.op('text_pattern_ops')),
    index('categories_cover_idx').on(t.coverPhotoId),
  ],
)

export const photoCategories = pgTable(
  'photo_categories',
  {
    photoId: integer('photo_id')
      .notNull()
      .references(() => photos.id, { onDelete: 'cascade' }),
    categoryId: integer('category_id')
      .notNull()
      .references(() => categories.id, { onDelete: 'cascade' }),
    /** At most one category of a photo is. */
    isPrimary: boolean('is_primary').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.photoId, t.categoryId] }),
    index('photo_categories_category_idx').on(t.categoryId),
    uniqueIndex('photo_categories_primary_idx').on(t.photoId).where(sql`${t.isPrimary}`),
  ],
)

export const tags = pgTable(
  'tags',
  {
    id: serial('id').primaryKey(),
    name: text('name').notNull(),
    /** The name in the form in which it is unique. */
    nameKey: text('name_key').notNull().unique(),
    slug: text('slug').notNull().unique(),
    description: text('description').notNull().default(''),
    color: text('color'),
    icon: text('icon'),
    /** The name in Latin letters without spaces, for suggestions and for the order of names. */
    pinyin: text('pinyin').notNull(),
    /** The first letters of its syllables or words. */
    initials: text('initials').notNull(),
    tagGroup: text('tag_group', { enum: ['style', 'subject', 'technique', 'location'] })
      .notNull()
      .default('subject'),
    isActive: boolean('is_active').notNull().default(true),
    isFeatured: boolean('is_featured').notNull().default(false),
    /** False for a tag that was only named on photos: then only viewers of such a photo may know of it. */
    isListed: boolean('is_listed').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [index('tags_group_idx').on(t.tagGroup)],
)

export const photoTags = pgTable(
  'photo_tags',
  {
    photoId: integer('photo_id')
      .notNull()
      .references(() => photos.id, { onDelete: 'cascade' }),
    tagId: integer('tag_id')
      .notNull()
      .references(() => tags.id, { onDelete: 'cascade' }),
    /** 0 to 1. */
    confidence: real('confidence').notNull().default(1),
    source: text('source', { enum: ['manual', 'ai'] })
      .notNull()
      .default('manual'),
    /** The owner's order. */
    position: integer('position').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.photoId, t.tagId] }),
    index('photo_tags_tag_idx').on(t.tagId, t.createdAt.desc()),
    index('photo_tags_created_idx').on(t.createdAt),
  ],
)

/** One narrow row for each photo, from which lists are filtered and everything is counted. The code that writes keeps it. */
export const photoIndex = pgTable(
  'photo_index',
  {
    photoId: integer('photo_id')
      .primaryKey()
      .references(() => photos.id, { onDelete: 'cascade' }),
    ownerId: integer('owner_id').notNull(),
    /** Published and public: everybody may see it. */
    isPublic: boolean('is_public').notNull(),
    status: text('status', { enum: ['published', 'draft', 'archived'] }).notNull(),
    title: text('title').notNull(),
    createdAt: instant('created_at').notNull(),
    takenAt: instant('taken_at'),
    /** Of `takenAt`, in UTC. */
    year: smallint('year'),
    month: smallint('month'),
    /** Its categories. */
    categoryIds: integer('category_ids').array().notNull(),
    tagIds: integer('tag_ids').array().notNull(),
    /** What the search counts, in one line (`countFacets`). The function is in migration 0013. */
    facets: text('facets')
      .notNull()
      .generatedAlwaysAs(
        sql`photo_facets("photo_id", coalesce("taken_at", "created_at"), "year", "category_ids", "tag_ids")`,
      ),
    camera: text('camera'),
    lens: text('lens'),
    /** The typed place: name, city and country. */
    location: text('location'),
    /** Of the code that made `text` and `terms`. */
    termsVersion: smallint('terms_version').notNull(),
    /** What the search compares a query with: the location in one line, and the rest in another. */
    text: text('text').notNull(),
    /** By which the search finds the photo. Migration 0012 makes their index. */
    terms: tsvector('terms').notNull(),
  },
  (t) => [
    // The orders of lists. A photo without `takenAt` comes last in both directions, so that order needs two.
    index('photo_index_created_idx').on(t.createdAt, t.photoId),
    index('photo_index_taken_idx').on(t.takenAt, t.photoId),
    index('photo_index_taken_desc_idx').on(t.takenAt.desc(), t.photoId.desc()),
    index('photo_index_title_idx').on(sql`lower(${t.title}) collate "C"`, t.photoId),
    // Counts of what a viewer may see, of all and by month, read this index alone.
    index('photo_index_seen_idx').on(t.isPublic, t.ownerId, t.status, t.year, t.month),
    index('photo_index_owner_idx').on(t.ownerId),
    index('photo_index_month_idx').on(t.year, t.month, t.takenAt.desc(), t.photoId.desc()),
    index('photo_index_categories_idx').using('gin', t.categoryIds),
    index('photo_index_tags_idx').using('gin', t.tagIds),
  ],
)

export const timelineEvents = pgTable(
  'timeline_events',
  {
    id: serial('id').primaryKey(),
    /** Who wrote it, while the account exists. */
    userId: integer('user_id').references(() => users.id, { onDelete: 'set null' }),
    title: text('title').notNull(),
    description: text('description').notNull().default(''),
    date: date('date', { mode: 'string' }).notNull(),
    type: text('type').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [index('timeline_events_date_idx').on(t.date)],
)

export const timelineEventPhotos = pgTable(
  'timeline_event_photos',
  {
    eventId: integer('event_id')
      .notNull()
      .references(() => timelineEvents.id, { onDelete: 'cascade' }),
    photoId: integer('photo_id')
      .notNull()
      .references(() => photos.id, { onDelete: 'cascade' }),
    position: smallint('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.photoId] }),
    index('timeline_event_photos_photo_idx').on(t.photoId),
  ],
)
