import type { Entry } from '../../../core/agenda/lists.ts'
import type { Attachment, ItemMetadata } from '../../../core/agenda/metadata.ts'
import type { Item } from '../../../core/agenda/rows.ts'
import type { ScheduleEntry, ScheduleItem } from './models.ts'

type Files = Map<number, Attachment>

export const presentItem = (item: Item, files: Files): ScheduleItem => ({
  id: item.id,
  title: item.title,
  description: item.description,
  start_at: item.startAt.toISOString(),
  end_at: item.endAt?.toISOString() ?? null,
  timezone: item.timezone,
  metadata: presentMetadata(item.metadata, files),
  status: item.status,
  source_type: item.sourceType,
  rrule: item.rrule,
  exceptions: item.exceptions,
  reminder_minutes: item.reminderMinutes,
  created_at: item.createdAt.toISOString(),
  updated_at: item.updatedAt.toISOString(),
})

export const presentEntry = ({ item, startAt, endAt }: Entry, files: Files): ScheduleEntry => ({
  ...presentItem(item, files),
  start_at: startAt.toISOString(),
  end_at: endAt?.toISOString() ?? null,
  recurrence_start: item.rrule === null ? null : item.startAt.toISOString(),
})

const presentMetadata = (
  { version, color, location, notes, attachments }: ItemMetadata,
  files: Files,
): ScheduleItem['metadata'] => ({
  ...(color !== undefined && { color }),
  ...(location !== undefined && { location }),
  ...(notes !== undefined && { notes }),
  ...(attachments && {
    attachments: attachments.map(({ material_id }) => presentAttachment(material_id, files)),
  }),
  ...(version !== undefined && { version }),
})

function presentAttachment(id: number, files: Files) {
  const file = files.get(id)
  return {
    material_id: id,
    title: file?.title ?? null,
    type: file?.type ?? null,
    file_format: file?.fileFormat ?? null,
    file_size: file?.fileSize ?? null,
  }
}
