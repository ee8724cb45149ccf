import { sql } from 'drizzle-orm'
import {
  bigint,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  serial,
  text,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

export const materials = pgTable(
  'materials',
  {
    id: serial('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text('title').notNull(),
    description: text('description').notNull().default(''),
    type: text('type', { enum: ['video', 'pdf'] }).notNull(),
    /** `processing` while its bytes arrive; `hidden` after the first deletion. */
    status: text('status', { enum: ['processing', 'active', 'hidden'] }).notNull(),
    filePath: text('file_path').notNull().unique(),
    fileSize: bigint('file_size', { mode: 'number' }).notNull().default(0),
    fileFormat: text('file_format', { enum: ['mp4', 'webm', 'pdf'] }).notNull(),
    thumbnailPath: text('thumbnail_path'),
    thumbnailStatus: text('thumbnail_status', { enum: ['pending', 'completed', 'failed'] })
      .notNull()
      .default('pending'),
    /** Of a video, in seconds; null while unknown. */
    durationSeconds: doublePrecision('duration_seconds'),
    /** Of a PDF; null while unknown. */
    pages: integer('pages'),
    viewCount: integer('view_count').notNull().default(0),
    likeCount: integer('like_count').notNull().default(0),
    /** When it was deleted as a material, which hides it; the file is kept for 30 days. */
    hiddenAt: instant('hidden_at'),
    /** When it was deleted as an upload, or cleaned up: its objects are deleted. While processing: the upload was abandoned. */
    removedAt: instant('removed_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** While processing: when bytes last arrived. */
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('materials_user_idx').on(t.userId),
    index('materials_thumbnail_idx').on(t.thumbnailPath),
    index('materials_related_idx')
      .on(t.type, t.viewCount.desc(), t.id.desc())
      .where(sql`${t.status} = 'active'`),
    index('materials_processing_idx').on(t.updatedAt).where(sql`${t.status} = 'processing'`),
    index('materials_pending_idx')
      .on(t.userId)
      .where(sql`${t.status} = 'active' and ${t.thumbnailStatus} = 'pending'`),
    index('materials_hidden_idx')
      .on(t.hiddenAt)
      .where(sql`${t.removedAt} is null and ${t.hiddenAt} is not null`),
  ],
)

export const materialLikes = pgTable(
  'material_likes',
  {
    materialId: integer('material_id')
      .notNull()
      .references(() => materials.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.materialId, t.userId] }), index('material_likes_user_idx').on(t.userId)],
)
