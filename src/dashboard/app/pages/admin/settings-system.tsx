/** Limits of tasks, their prices, and maintenance. */
import { type Signal, useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { checkMaintenance } from '../../lib/maintenance.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Checkbox, NumberField } from '../../ui/field.tsx'
import { Form, NOT_SENT, type Values } from '../../ui/form.tsx'
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

interface Price {
  type: string
  price: string
}

export function SystemSettings() {
  const view = useView({
    load: async (signal) => (await dataOf(api().factory.admin.config.get({ signal }))).data,
  })
  return (
    <Card title={t.system}>
      <Loaded view={view}>{(config) => <SystemForm config={config} onSaved={view.reload} />}</Loaded>
    </Card>
  )
}

interface Config {
  max_concurrent_tasks_per_user: number
  default_task_timeout: number
  maintenance_mode: boolean
  task_prices: Record<string, number>
}

function SystemForm({ config, onSaved }: { config: Config; onSaved: () => Promise<void> }) {
  const prices = useSignal<Price[]>(
    Object.entries(config.task_prices).map(([type, price]) => ({ type, price: String(price) })),
  )
  const maintenance = useSignal(config.maintenance_mode)
  const save = async ({ max_concurrent_tasks_per_user, default_task_timeout }: Values) => {
    const begins = maintenance.value && !config.maintenance_mode
    if (begins && !(await confirm(t.maintenanceTitle, { text: t.maintenanceText, yes: t.begin })))
      return NOT_SENT
    const named = Object.fromEntries(
      prices.value.filter(({ type }) => type !== '').map(({ type, price }) => [type, Number(price)]),
    )
    // Null ends a price.
    const ended = Object.fromEntries(Object.keys(config.task_prices).map((type) => [type, null]))
    await dataOf(
      api().factory.admin.config.put({
        max_concurrent_tasks_per_user: Number(max_concurrent_tasks_per_user),
        default_task_timeout: Number(default_task_timeout),
        maintenance_mode: maintenance.value,
        task_prices: { ...ended, ...named },
      }),
    )
    showToast('good', t.saved)
    await Promise.all([onSaved(), checkMaintenance({ now: true })])
  }
  return (
    <Form submit={t.save} onSubmit={save}>
      {(errors) => (
        <>
          <div class="fields">
            <NumberField
              label={t.tasksPerUser}
              name="max_concurrent_tasks_per_user"
              min={1}
              required
              defaultValue={config.max_concurrent_tasks_per_user}
              error={errors.max_concurrent_tasks_per_user}
            />
            <NumberField
              label={t.timeout}
              name="default_task_timeout"
              min={1}
              required
              defaultValue={config.default_task_timeout}
              error={errors.default_task_timeout}
            />
          </div>
          <Prices prices={prices} />
          <Checkbox
            label={t.maintenance}
            checked={maintenance.value}
            onChange={() => {
              maintenance.value = !maintenance.value
            }}
          />
        </>
      )}
    </Form>
  )
}

function Prices({ prices }: { prices: Signal<Price[]> }) {
  const change = (index: number, next: Partial<Price>) => {
    prices.value = prices.value.map((one, at) => (at === index ? { ...one, ...next } : one))
  }
  return (
    <fieldset class="stack-tight">
      <legend>{t.prices}</legend>
      {prices.value.map(({ type, price }, index) => (
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
            onClick={() => {
              prices.value = prices.value.filter((_, at) => at !== index)
            }}
          />
        </div>
      ))}
      <div>
        <Button
          small
          icon="plus"
          onClick={() => {
            prices.value = [...prices.value, { type: '', price: '1' }]
          }}
        >
          {t.add}
        </Button>
      </div>
    </fieldset>
  )
}
