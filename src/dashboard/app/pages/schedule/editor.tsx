import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { NumberField, Select, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { dayOf, readWall, type Wall, wallOf, wallText, weekdayOf } from './clock.ts'
import { Details, type File, Files } from './details.tsx'
import { change, create, type Entry, remove, takeOut } from './entries.ts'
import { withoutOccurrence } from './moves.ts'
import { Repeat } from './repeat.tsx'
import { ruleOf, simpleOf } from './rule.ts'

const t = texts({
  en: {
    create: 'New appointment',
    edit: 'Edit the appointment',
    title: 'Title',
    start: 'Begins',
    end: 'Ends',
    zone: 'Time zone',
    reminder: 'Reminder, minutes before',
    noReminder: 'Empty: no reminder',
    status: 'State',
    active: 'Planned',
    completed: 'Completed',
    cancelled: 'Cancelled',
    more: 'More fields',
    save: 'Save',
    delete: 'Delete',
    deleteTitle: (title: string) => `Delete “${title}”?`,
    deleteOne: 'Only this one is deleted. The others stay.',
    deleteAll: 'It is deleted with all the times at which it repeats.',
    scope: 'This appointment repeats. Change',
    one: 'only this one',
    all: 'all of them',
    agent: 'The agent has made this appointment.',
  },
  zh: {
    create: '新建日程',
    edit: '编辑日程',
    title: '标题',
    start: '开始',
    end: '结束',
    zone: '时区',
    reminder: '提前几分钟提醒',
    noReminder: '留空表示不提醒',
    status: '状态',
    active: '计划中',
    completed: '已完成',
    cancelled: '已取消',
    more: '更多信息',
    save: '保存',
    delete: '删除',
    deleteTitle: (title: string) => `删除“${title}”？`,
    deleteOne: '只删除这一次，其他不变。',
    deleteAll: '所有重复的日程都会被删除。',
    scope: '这是重复的日程，要修改',
    one: '仅这一次',
    all: '全部',
    agent: '此日程由助手创建。',
  },
})

/** What the dialog begins with: an entry, or a time for a new item. */
export type Subject = Entry | { start: number; end: number }
type Scope = 'one' | 'all'

interface Props {
  subject: Subject
  zone: string
  onClose: () => void
}

export const Editor = (props: Props) => (
  <Dialog title={'id' in props.subject ? t.edit : t.create} wide onClose={props.onClose}>
    <Fields {...props} />
  </Dialog>
)

/** Of a recurring item: what the editor changes. */
const ScopeChoice = ({ scope, onChange }: { scope: Scope; onChange: (next: Scope) => void }) => (
  <fieldset class="row">
    <legend class="hidden-text">{t.scope}</legend>
    <span aria-hidden="true">{t.scope}</span>
    {(['one', 'all'] as const).map((one) => (
      <label key={one} class="check">
        <input type="radio" name="scope" checked={scope === one} onChange={() => onChange(one)} />
        {t[one]}
      </label>
    ))}
  </fieldset>
)

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

function Fields({ subject, zone, onClose }: Props) {
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
  const files = useSignal<File[]>(entry?.metadata.attachments ?? [])
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

  const save = async (values: Values) => {
    const fields = {
      title: values.title!,
      description: values.description || null,
      start_at: start.value,
      end_at: end.value || null,
      timezone: values.timezone!,
      metadata: metadataOf(values, entry, colour.value, files.value),
      reminder_minutes: values.reminder_minutes ? Number(values.reminder_minutes) : null,
    }
    if (!entry) await create({ ...fields, rrule: ruleNow() })
    else if (scope.value === 'all')
      await change(entry.id, { ...fields, status: status.value, rrule: ruleNow() })
    else await takeOut(entry, { ...fields, status: status.value })
    onClose()
  }
  const drop = async () => {
    const isOne = scope.value === 'one'
    const text = isOne ? t.deleteOne : entry!.rrule ? t.deleteAll : ''
    if (!(await confirm(t.deleteTitle(entry!.title), { text, yes: t.delete }))) return
    if (isOne) await change(entry!.id, withoutOccurrence(entry!))
    else await remove(entry!.id)
    onClose()
  }
  return (
    <Form
      submit={t.save}
      onSubmit={save}
      actions={
        entry && (
          <Button kind="danger" icon="trash" onClick={drop}>
            {t.delete}
          </Button>
        )
      }
    >
      {(errors) => (
        <>
          {isRecurring && <ScopeChoice scope={scope.value} onChange={setScope} />}
          <TextField
            label={t.title}
            name="title"
            error={errors.title}
            required
            maxLength={255}
            defaultValue={entry?.title ?? ''}
            autofocus={!entry}
          />
          <div class="fields">
            <TextField
              label={t.start}
              name="start_at"
              error={errors.start_at}
              type="datetime-local"
              required
              value={start.value}
              onInput={(event) => setStart(event.currentTarget.value)}
            />
            <TextField
              label={t.end}
              name="end_at"
              error={errors.end_at}
              type="datetime-local"
              min={start.value}
              value={end.value}
              onInput={(event) => {
                end.value = event.currentTarget.value
              }}
            />
          </div>
          {scope.value === 'all' && <Repeat simple={simple} day={startDay} error={errors.rrule} />}
          <div class="fields">
            <NumberField
              label={t.reminder}
              hint={t.noReminder}
              name="reminder_minutes"
              error={errors.reminder_minutes}
              min={0}
              max={40_320}
              defaultValue={entry?.reminder_minutes}
            />
            <TextField
              label={t.zone}
              name="timezone"
              error={errors.timezone}
              required
              list="schedule-zones"
              defaultValue={entry?.timezone ?? zone}
            />
            {entry && (
              <Select
                label={t.status}
                name="status"
                value={status.value}
                options={(['active', 'completed', 'cancelled'] as const).map((one) => [one, t[one]] as const)}
                onChange={(event) => {
                  status.value = event.currentTarget.value as Entry['status']
                }}
              />
            )}
          </div>
          <datalist id="schedule-zones">
            {Intl.supportedValuesOf('timeZone').map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <details class="more-fields">
            <summary>{t.more}</summary>
            <div class="stack">
              <Details
                description={entry?.description ?? null}
                metadata={entry?.metadata ?? {}}
                colour={colour}
                errors={errors}
              />
              <Files files={files} />
            </div>
          </details>
          {entry?.source_type === 'agent' && <p class="small muted">{t.agent}</p>}
        </>
      )}
    </Form>
  )
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
