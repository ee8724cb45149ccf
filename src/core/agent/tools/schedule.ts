import { Type } from '@sinclair/typebox'
import { createItem, deleteItem, getItem } from '../../agenda/items.ts'
import { listItems } from '../../agenda/lists.ts'
import type { Item } from '../../agenda/rows.ts'
import { defineTool } from './tool.ts'

const MAX_ENTRIES = 50

const itemForModel = (item: Item, startAt = item.startAt, endAt = item.endAt) => ({
  id: item.id,
  title: item.title,
  start_at: startAt.toISOString(),
  end_at: endAt?.toISOString() ?? null,
  timezone: item.timezone,
  status: item.status,
  rrule: item.rrule,
  reminder_minutes: item.reminderMinutes,
})
const Timezone = Type.String({ maxLength: 64, description: 'IANA name' })
const Time = Type.String({ maxLength: 40, description: 'RFC 3339, or without an offset in the time zone' })
const ItemId = Type.String({ maxLength: 64, description: 'Id of the item' })

export const scheduleTools = [
  defineTool({
    name: 'list_schedule',
    description: "Lists what is on the user's schedule in a range of days, both included.",
    effect: 'read',
    input: Type.Object({
      from: Type.String({ maxLength: 40, description: 'Day as YYYY-MM-DD, or a time' }),
      to: Type.String({ maxLength: 40, description: 'Day as YYYY-MM-DD, or a time' }),
      timezone: Type.Optional(Timezone),
    }),
    async run(ctx, who, { from, to, timezone }) {
      const { entries, more } = await listItems(ctx, who.userId, {
        startAt: from,
        endAt: to,
        timezone,
        page: 1,
        limit: MAX_ENTRIES,
      })
      return { items: entries.map(({ item, startAt, endAt }) => itemForModel(item, startAt, endAt)), more }
    },
  }),
  defineTool({
    name: 'add_schedule_item',
    description: "Adds an appointment to the user's schedule.",
    effect: 'change',
    input: Type.Object({
      title: Type.String({ minLength: 1, maxLength: 255 }),
      description: Type.Optional(Type.String({ maxLength: 2000 })),
      start_at: Time,
      end_at: Type.Optional(Time),
      timezone: Type.Optional(Timezone),
      rrule: Type.Optional(Type.String({ maxLength: 500, description: 'Recurrence as in RFC 5545' })),
      reminder_minutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 40_320 })),
    }),
    async run(ctx, who, { start_at, end_at, reminder_minutes, ...input }) {
      const times = { startAt: start_at, endAt: end_at, reminderMinutes: reminder_minutes }
      return itemForModel(await createItem(ctx, who.userId, { ...input, ...times }, 'agent'))
    },
  }),
  defineTool({
    name: 'delete_schedule_item',
    description: "Deletes an item of the user's schedule, with all its occurrences.",
    effect: 'destroy',
    input: Type.Object({ item_id: ItemId }),
    async run(ctx, who, { item_id }) {
      await deleteItem(ctx, who.userId, item_id)
      return { deleted: item_id }
    },
    async question(ctx, who, { item_id }, language) {
      const { title } = await getItem(ctx, who.userId, item_id)
      return language === 'zh' ? `要删除日程“${title}”吗？` : `Delete “${title}” from your schedule?`
    },
  }),
]
