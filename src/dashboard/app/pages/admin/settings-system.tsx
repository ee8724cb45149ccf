/** Limits of tasks, their prices, and maintenance. */
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { useEdits } from '../../lib/edits.ts'
import { texts } from '../../lib/language.ts'
import { checkMaintenance } from '../../lib/maintenance.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Checkbox, TextField } from '../../ui/field.tsx'
import { Form, NOT_SENT } from '../../ui/form.tsx'
import { Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    system: 'Tasks and prices',
    tasksPerUser: 'Tasks of a user at a time',
    timeout: 'Time limit of a task (seconds)',
    maintenance: 'Maintenance: only administrators may change anything',
    maintenanceTitle: 'Begin maintenance?',
    maintenanceText: 'Until it ends, everybody else can read, but change nothing.',
    begin: 'Begin',
    prices: 'Price of a minute (¥), by task type',
    type: 'Task type',
    price: 'Price',
    add: 'Add a type',
    remove: 'Remove',
    save: 'Save',
    saved: 'Saved.',
  },
  zh: {
    system: '任务与价格',
    tasksPerUser: '每个用户同时任务数',
    timeout: '任务时限（秒）',
    maintenance: '维护模式：仅管理员可修改',
    maintenanceTitle: '开始维护？',
    maintenanceText: '维护结束前，其他人只能查看，不能修改。',
    begin: '开始',
    prices: '每分钟价格（¥），按任务类型',
    type: '任务类型',
    price: '价格',
    add: '添加类型',
    remove: '移除',
    save: '保存',
    saved: '已保存。',
  },
})

export function SystemSettings() {
  const view = useView({
    load: async (signal) => (await dataOf(api().factory.admin.config.get({ signal }))).data,
  })
  return (
    <Card title={t.system}>
      <Loaded view={view}>
        {(config) => <SystemForm config={config} onSaved={(saved) => view.update(() => saved)} />}
      </Loaded>
    </Card>
  )
}

interface Config {
  max_concurrent_tasks_per_user: number
  default_task_timeout: number
  maintenance_mode: boolean
  task_prices: Record<string, number>
}

interface Price {
  type: string
  price: string
}
interface Prices {
  rows: readonly Price[]
  /** Those that the rows have begun with. */
  before: Config['task_prices']
}

/** What the user has changed: the server keeps the price of a type that is not named, and null ends one. */
function changedPrices({ rows, before }: Prices) {
  const named = rows.filter(({ type }) => type !== '')
  const now: Record<string, number | null> = {
    ...Object.fromEntries(Object.keys(before).map((type) => [type, null])),
    ...Object.fromEntries(named.map(({ type, price }) => [type, Number(price)])),
  }
  return changed(now, before) as typeof now
}

function SystemForm({ config, onSaved }: { config: Config; onSaved: (config: Config) => void }) {
  const { max_concurrent_tasks_per_user, default_task_timeout, maintenance_mode, task_prices } = config
  const rows = Object.entries(task_prices).map(([type, price]) => ({ type, price: String(price) }))
  const { now, shown, edit, saved } = useEdits({
    tasks: String(max_concurrent_tasks_per_user),
    timeout: String(default_task_timeout),
    maintenance: maintenance_mode,
    prices: { rows, before: task_prices } as Prices,
  })
  const save = async () => {
    const begins = shown.maintenance && !maintenance_mode
    if (begins && !(await confirm(t.maintenanceTitle, { text: t.maintenanceText, yes: t.begin })))
      return NOT_SENT
    const next = {
      max_concurrent_tasks_per_user: Number(shown.tasks),
      default_task_timeout: Number(shown.timeout),
      maintenance_mode: shown.maintenance,
    }
    const body = { ...changed(next, config), task_prices: changedPrices(shown.prices) }
    const { data } = await dataOf(api().factory.admin.config.put(body))
    onSaved(data)
    saved(now)
    showToast('good', t.saved)
    await checkMaintenance({ now: true })
  }
  return (
    <Form submit={t.save} onSubmit={save} isChanged={now.prices !== undefined}>
      {(errors) => (
        <>
          <div class="fields">
            <TextField
              label={t.tasksPerUser}
              name="max_concurrent_tasks_per_user"
              type="number"
              min={1}
              required
              value={shown.tasks}
              onInput={({ currentTarget }) => edit({ tasks: currentTarget.value })}
              error={errors.max_concurrent_tasks_per_user}
            />
            <TextField
              label={t.timeout}
              name="default_task_timeout"
              type="number"
              min={1}
              required
              value={shown.timeout}
              onInput={({ currentTarget }) => edit({ timeout: currentTarget.value })}
              error={errors.default_task_timeout}
            />
          </div>
          <PriceRows
            rows={shown.prices.rows}
            onChange={(rows) => edit({ prices: { ...shown.prices, rows } })}
          />
          <Checkbox
            label={t.maintenance}
            checked={shown.maintenance}
            onChange={() => edit({ maintenance: !shown.maintenance })}
          />
        </>
      )}
    </Form>
  )
}

function PriceRows({
  rows,
  onChange,
}: {
  rows: readonly Price[]
  onChange: (rows: readonly Price[]) => void
}) {
  const change = (index: number, next: Partial<Price>) =>
    onChange(rows.map((one, at) => (at === index ? { ...one, ...next } : one)))
  return (
    <fieldset class="stack-tight">
      <legend>{t.prices}</legend>
      {rows.map(({ type, price }, index) => (
        <div class="row" key={index}>
          <input
            class="input price-type"
            aria-label={t.type}
            pattern="[a-z][a-z0-9_.\-]{0,49}"
            value={type}
            onInput={({ currentTarget }) => change(index, { type: currentTarget.value })}
          />
          <input
            class="input price-amount"
            aria-label={t.price}
            type="number"
            min="0"
            step="0.01"
            required
            value={price}
            onInput={({ currentTarget }) => change(index, { price: currentTarget.value })}
          />
          <IconButton
            icon="trash"
            kind="plain"
            label={t.remove}
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div>
        <Button small icon="plus" onClick={() => onChange([...rows, { type: '', price: '1' }])}>
          {t.add}
        </Button>
      </div>
    </fieldset>
  )
}
