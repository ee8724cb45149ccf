import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { NumberField, Select, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { Details, Files } from './details.tsx'
import { type Scope, type Subject, useDraft } from './draft.ts'
import { type Entry, leaveOut, remove } from './entries.ts'
import { Repeat } from './repeat.tsx'

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

function Fields({ subject, zone, onClose }: Props) {
  const draft = useDraft(subject, zone)
  const { entry, scope, start, end, status } = draft

  const save = async (values: Values) => {
    await draft.save(values)
    onClose()
  }
  const drop = async () => {
    const isOne = scope.value === 'one'
    const text = isOne ? t.deleteOne : entry!.rrule ? t.deleteAll : ''
    if (!(await confirm(t.deleteTitle(entry!.title), { text, yes: t.delete }))) return
    if (isOne) await leaveOut(entry!)
    else await remove(entry!.id)
    onClose()
  }
  return (
    <Form
      submit={t.save}
      onSubmit={save}
      isChanged={draft.hasOtherFiles}
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
          {draft.isRecurring && <ScopeChoice scope={scope.value} onChange={draft.setScope} />}
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
              onInput={(event) => draft.setStart(event.currentTarget.value)}
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
          {scope.value === 'all' && (
            <Repeat simple={draft.simple} day={draft.startDay} error={errors.rrule} />
          )}
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
                colour={draft.colour}
                errors={errors}
              />
              <Files files={draft.files} />
            </div>
          </details>
          {entry?.source_type === 'agent' && <p class="small muted">{t.agent}</p>}
        </>
      )}
    </Form>
  )
}
