/** What the user has, what changed it, and redeeming a code. */
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { count, dateTime, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { request } from '../../lib/request.ts'
import { save } from '../../lib/save.ts'
import { api, me } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { reload, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { NumberField, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Card, Figure, Loaded, PageHead } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import { readStatement, type StatementLine } from './statement.ts'

const t = texts({
  en: {
    title: 'Balance',
    available: 'Available',
    held: 'Held for tasks that run',
    spent: 'Spent so far',
    redeem: 'Redeem a code',
    code: 'Code',
    redeemed: (amount: string) => `${amount} added to your balance.`,
    statement: 'Statement',
    from: 'From (UTC)',
    to: 'To (UTC)',
    download: 'Download as CSV',
    time: 'Time',
    kind: 'Kind',
    what: 'For',
    change: 'Change',
    newBalance: 'Balance',
    nothing: 'Nothing has changed your balance in these days.',
    newest: (n: string, all: string) => `The newest ${n} of ${all} lines. The download has all.`,
    warning: 'Warn me below',
    warningHint: 'Empty: no warning.',
    save: 'Save',
    saved: 'Saved.',
  },
  zh: {
    title: '余额',
    available: '可用',
    held: '运行中任务冻结',
    spent: '累计消费',
    redeem: '兑换充值码',
    code: '充值码',
    redeemed: (amount: string) => `已充值 ${amount}。`,
    statement: '账单',
    from: '从（UTC）',
    to: '到（UTC）',
    download: '下载 CSV',
    time: '时间',
    kind: '类型',
    what: '内容',
    change: '变动',
    newBalance: '余额',
    nothing: '这段时间余额没有变动。',
    newest: (n: string, all: string) => `共 ${all} 行，显示最近 ${n} 行，下载的文件包含全部。`,
    warning: '低于此金额时提醒',
    warningHint: '留空则不提醒。',
    save: '保存',
    saved: '已保存。',
  },
})

export default function Balance() {
  return (
    <>
      <PageHead title={t.title} />
      <Amounts />
      <div class="grid-cards">
        <Redeem />
        <Warning />
      </div>
      <Statement />
    </>
  )
}

function Amounts() {
  const stats = useView({
    load: async (signal) => (await dataOf(api().factory.users.stats.get({ signal }))).data,
    on: { 'balance.changed': reload },
  })
  const shown = (amount: number | undefined) => (amount === undefined ? '…' : money(amount))
  return (
    <Card>
      <div class="figures">
        <Figure value={shown(me.value?.available_balance)} label={t.available} />
        <Figure value={shown(me.value && me.value.balance - me.value.available_balance)} label={t.held} />
        <Figure value={shown(stats.data?.total_cost)} label={t.spent} />
      </div>
    </Card>
  )
}

const Redeem = () => (
  <Card title={t.redeem}>
    <Form
      submit={t.redeem}
      onSubmit={async ({ code = '' }, form) => {
        const { data } = await dataOf(api().factory.recharge.redeem.post({ code: code.trim() }))
        form.reset()
        showToast('good', t.redeemed(money(data.amount)))
      }}
    >
      {(errors) => (
        <TextField
          label={t.code}
          name="code"
          placeholder="OWL-ABCD-1234-EFGH"
          autoComplete="off"
          spellcheck={false}
          required
          error={errors.code}
        />
      )}
    </Form>
  </Card>
)

const Warning = () => (
  <Card title={t.warning}>
    <Form
      submit={t.save}
      onSubmit={async ({ low_balance_threshold: text = '' }) => {
        const threshold = text === '' ? null : Number(text)
        await dataOf(api().factory.users.me.put({ low_balance_threshold: threshold }))
        showToast('good', t.saved)
      }}
    >
      {(errors) => (
        <NumberField
          label={`${t.warning} (¥)`}
          hint={t.warningHint}
          name="low_balance_threshold"
          min={0}
          step={0.01}
          defaultValue={me.value?.low_balance_threshold}
          error={errors.low_balance_threshold}
        />
      )}
    </Form>
  </Card>
)

const DAY_MS = 86_400_000
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)
/** Lines that the page shows; the download has all. */
const MAX_LINES = 500

function Statement() {
  const { filter, key, change } = useFilter(['from', 'to'])
  const { from = dayOf(Date.now() - 30 * DAY_MS), to = dayOf(Date.now()) } = filter
  const fetchText = async (signal?: AbortSignal) => {
    const days = new URLSearchParams({ start_date: from, end_date: to })
    const answer = await request(`/api/recharge/statement?${days}`, signal ? { signal } : {})
    return answer.text()
  }
  const lines = useView({
    key,
    load: async (signal) => readStatement(await fetchText(signal)).reverse(),
    on: { 'balance.changed': reload },
  })
  const download = async () =>
    save(new Blob([await fetchText()], { type: 'text/csv' }), `statement-${from}-${to}.csv`)
  return (
    <Card
      title={t.statement}
      actions={
        <Button icon="download" onClick={download}>
          {t.download}
        </Button>
      }
    >
      <div class="fields">
        <TextField
          label={t.from}
          type="date"
          value={from}
          onChange={({ currentTarget }) => change({ from: currentTarget.value })}
        />
        <TextField
          label={t.to}
          type="date"
          value={to}
          onChange={({ currentTarget }) => change({ to: currentTarget.value })}
        />
      </div>
      <Loaded view={lines}>
        {(rows) => (
          <>
            {rows.length > MAX_LINES && (
              <p class="small muted">{t.newest(count(MAX_LINES), count(rows.length))}</p>
            )}
            <Lines rows={rows.slice(0, MAX_LINES)} />
          </>
        )}
      </Loaded>
    </Card>
  )
}

const Lines = ({ rows }: { rows: StatementLine[] }) => (
  <Table
    caption={t.statement}
    none={t.nothing}
    rows={rows}
    keyOf={({ key }) => key}
    columns={[
      { title: t.time, cell: ({ at }) => <span class="nowrap">{dateTime(at)}</span> },
      { title: t.kind, cell: ({ kind }) => kind },
      { title: t.what, cell: ({ title }) => title },
      { title: t.change, number: true, cell: ({ change }) => signed(change) },
      { title: t.newBalance, number: true, cell: ({ balance }) => money(balance) },
    ]}
  />
)

/** A hold and its end change what is available, and not the balance. */
const signed = (amount: number) =>
  amount === 0 ? '–' : `${amount > 0 ? '+' : '−'}${money(Math.abs(amount))}`
