import { tags } from '../../db/schema/index.ts'

export type Tag = typeof tags.$inferSelect
export const TAG_GROUPS = tags.tagGroup.enumValues
export type TagGroup = Tag['tagGroup']
