/** What the editor of an item holds, and what it sends. */
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { changed } from '../../lib/changed.ts'
import type { Values } from '../../ui/form.tsx'
import { dayOf, readWall, type Wall, wallOf, wallText, weekdayOf } from './clock.ts'
import type { File } from './details.tsx'
import { change, create, type Entry, takeOut } from './entries.ts'
import { ruleOf, simpleOf } from './rule.ts'

/** What the dialog begins with: an entry, or a time for a new item. */
export type Subject = Entry | { start: number; end: number }
/** Of a recurring item: what the editor changes. */
export type Scope = 'one' | 'all'

/** The times that the fields begin with, on the clock of the item's time zone. */
function timesOf(subject: Subject, zone: string, scope: Scope): { start: Wall; end: Wall | undefined } {
  if (!('id' in subject)) return { start: wallOf(subject.start, zone), end: wallOf(subject.end, zone) }
  const { start_at, end_at, recurrence_start } = subject
  const own = Date.parse(start_at)
  const start = scope === 'all' && recurrence_start ? Date.parse(recurrence_start) : own
  return {
    start: wallOf(start, subject.timezone),
    end: end_at ? wallOf(start + Date.parse(end_at) - own, subject.timezone) : undefined,
  }
}

/** The values that need more than the form: times that move together, the rule, and what has no text field. */
export function useDraft(subject: Subject, zone: string) {
  const entry = 'id' in subject ? subject : undefined
  const isRecurring = Boolean(entry?.rrule)
  const scope = useSignal<Scope>(isRecurring ? 'one' : 'all')
  const times = timesOf(subject, zone, scope.value)
  const start = useSignal(wallText(times.start))
  const end = useSignal(times.end === undefined ? '' : wallText(times.end))
  const before = useMemo(() => simpleOf(entry?.rrule ?? null, entry?.timezone ?? zone), [])
  const simple = useSignal(before)
  const colour = useSignal(entry?.metadata.color)
  const status = useSignal(entry?.status ?? 'active')
  const filesBefore = useMemo<File[]>(() => entry?.metadata.attachments ?? [], [])
  const files = useSignal(filesBefore)
  const startDay = dayOf(readWall(start.value) ?? times.start)

  /** What was typed stays: times are as far from those of the series as they were from those of the occurrence. */
  const setScope = (next: Scope) => {
    const distance = timesOf(subject, zone, next).start - times.start
    for (const field of [start, end]) {
      const typed = readWall(field.value)
      if (typed !== undefined) field.value = wallText(typed + distance)
    }
    scope.value = next
  }

  /** The length stays, and so does what the rule says of the day of the start. */
  const setStart = (text: string) => {
    const [was, is, until] = [readWall(start.value), readWall(text), readWall(end.value)]
    if (was !== undefined && is !== undefined) {
      if (until !== undefined) end.value = wallText(until + is - was)
      const [wasDay, isDay] = [weekdayOf(dayOf(was)), weekdayOf(dayOf(is))]
      const weekdays = simple.value.weekdays.map((one) => (one === wasDay ? isDay : one))
      simple.value = { ...simple.value, weekdays }
    }
    start.value = text
  }

  const ruleNow = (): string | null => {
    const isSame = simple.value === before && startDay === dayOf(times.start)
    return isSame ? (entry?.rrule ?? null) : ruleOf(simple.value, startDay)
  }

  /** @param values of the other fields */
  const save = async (values: Values) => {
    const texts = {
      title: values.title!,
      description: values.description || null,
      metadata: metadataOf(values, entry, colour.value, files.value),
      reminder_minutes: values.reminder_minutes ? Number(values.reminder_minutes) : null,
    }
    const span = { start_at: start.value, end_at: end.value || null, timezone: values.timezone! }
    const now = status.value
    if (!entry) await create({ ...texts, ...span, rrule: ruleNow() })
    else if (scope.value === 'one') await takeOut(entry, { ...texts, ...span, status: now })
    else {
      const when = { ...span, rrule: ruleNow() }
      const whenBefore = {
        start_at: wallText(times.start),
        end_at: times.end === undefined ? null : wallText(times.end),
        timezone: entry.timezone,
        rrule: entry.rrule,
      }
      const isMoved = Object.keys(changed(when, whenBefore)).length > 0
      await change(entry.id, {
        ...changed({ ...texts, status: now }, { ...entry, metadata: metadataBefore(entry) }),
        // The time zone says which moments the times are, so that all of them go together.
        ...(isMoved && when),
      })
    }
  }
  return {
    entry,
    isRecurring,
    scope,
    start,
    end,
    simple,
    colour,
    status,
    files,
    hasOtherFiles: files.value !== filesBefore,
    startDay,
    setScope,
    setStart,
    save,
  }
}

/** As `metadataOf` would make it of an editor in which nothing was changed. */
const metadataBefore = (entry: Entry) => {
  const { location = '', notes = '', color, attachments = [] } = entry.metadata
  return metadataOf({ 'metadata.location': location, 'metadata.notes': notes }, entry, color, attachments)
}

function metadataOf(
  values: Values,
  entry: Entry | undefined,
  colour: string | undefined,
  files: File[],
): Record<string, unknown> {
  const location = values['metadata.location']?.trim()
  const notes = values['metadata.notes']
  return {
    ...(colour && { color: colour }),
    ...(location && { location }),
    ...(notes && { notes }),
    ...(files.length > 0 && { attachments: files.map(({ material_id }) => ({ material_id })) }),
    // It counts the changes.
    version: (entry?.metadata.version ?? 0) + 1,
  }
}
