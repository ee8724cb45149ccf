import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { count, dateTime, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Select } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Ago, Badge, Card, Loaded, type Tone } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import { CodeUses, CreateCodes } from './recharge-dialogs.tsx'

const t = texts({
  en: {
    title: 'Recharge codes',
    create: 'New codes',
    amount: 'Worth',
    expires: 'Valid until',
    code: 'Code',
    status: 'Status',
    used: 'Used',
    created: 'Made',
    actions: 'Actions',
    disable: 'Disable',
    enable: 'Enable',
    all: 'All',
    active: 'Active',
    used_up: 'Used up',
    expired: 'Expired',
    disabled: 'Disabled',
    never: 'No end',
    none: 'No codes yet.',
    noneFit: 'No code fits.',
    uses: 'Who has used it',
  },
  zh: {
    title: '充值码',
    create: '新建充值码',
    amount: '面额',
    expires: '有效期至',
    code: '充值码',
    status: '状态',
    used: '已使用',
    created: '创建时间',
    actions: '操作',
    disable: '停用',
    enable: '启用',
    all: '全部',
    active: '可用',
    used_up: '已用完',
    expired: '已过期',
    disabled: '已停用',
    never: '不限',
    none: '还没有充值码。',
    noneFit: '没有符合条件的充值码。',
    uses: '使用记录',
  },
})

type Status = 'active' | 'used' | 'expired' | 'disabled'
const LOOKS: Record<Status, { tone: Tone; text: () => string }> = {
  active: { tone: 'good', text: () => t.active },
  used: { tone: 'info', text: () => t.used_up },
  expired: { tone: 'warn', text: () => t.expired },
  disabled: { tone: 'bad', text: () => t.disabled },
}

interface Query {
  page: number
  status?: Status
}

const load = async (query: Query, signal: AbortSignal) =>
  (await dataOf(api().factory.recharge.codes.get({ query: { ...query, page_size: 25 }, signal }))).data
type Answer = Awaited<ReturnType<typeof load>>

export function RechargeCodes() {
  const { filter, page, key, change } = useFilter(['status'])
  const view = useView({
    key,
    load: (signal) => load({ ...filter, page } as Query, signal),
  })
  const creating = useSignal(false)
  const usesOf = useSignal<string | undefined>(undefined)
  const disable = async (id: string, disabled: boolean) => {
    await dataOf(api().factory.recharge.codes({ id }).put({ disabled }))
    await view.reload()
  }
  return (
    <Card
      title={t.title}
      actions={
        <Button
          kind="primary"
          icon="plus"
          onClick={() => {
            creating.value = true
          }}
        >
          {t.create}
        </Button>
      }
    >
      <Select
        label={t.status}
        value={filter.status ?? ''}
        options={[['', t.all], ...Object.entries(LOOKS).map(([name, { text }]) => [name, text()] as const)]}
        onChange={({ currentTarget }) => change({ status: currentTarget.value })}
      />
      <Loaded view={view}>
        {(list) => (
          <>
            <Codes
              codes={list.items}
              none={filter.status ? t.noneFit : t.none}
              onUses={(id) => {
                usesOf.value = id
              }}
              onDisable={disable}
            />
            <Pager of={list} />
          </>
        )}
      </Loaded>
      {creating.value && (
        <CreateCodes
          onClose={() => {
            creating.value = false
            void view.reload()
          }}
        />
      )}
      {usesOf.value && (
        <CodeUses
          id={usesOf.value}
          onClose={() => {
            usesOf.value = undefined
          }}
        />
      )}
    </Card>
  )
}

interface CodesProps {
  codes: Answer['items']
  none: string
  onUses: (id: string) => void
  onDisable: (id: string, disabled: boolean) => Promise<void>
}

const Codes = ({ codes, none, onUses, onDisable }: CodesProps) => (
  <Table
    caption={t.title}
    none={none}
    rows={codes}
    keyOf={({ id }) => id}
    columns={[
      {
        title: t.code,
        cell: ({ code, description }) => (
          <div>
            <code>{code}</code>
            {description && <div class="small muted">{description}</div>}
          </div>
        ),
      },
      { title: t.amount, number: true, cell: ({ amount }) => money(amount) },
      {
        title: t.status,
        cell: ({ status: name }) => <Badge tone={LOOKS[name].tone}>{LOOKS[name].text()}</Badge>,
      },
      {
        title: t.used,
        number: true,
        cell: ({ id, used_count, max_uses }) => (
          <Button small kind="plain" title={t.uses} onClick={() => onUses(id)}>
            {count(used_count)} / {count(max_uses)}
          </Button>
        ),
      },
      {
        title: t.expires,
        cell: ({ expires_at }) => (expires_at ? dateTime(expires_at) : t.never),
      },
      { title: t.created, cell: ({ created_at }) => <Ago at={created_at} /> },
      {
        title: t.actions,
        cell: ({ id, status: name }) => (
          <Button small onClick={() => onDisable(id, name !== 'disabled')}>
            {name === 'disabled' ? t.enable : t.disable}
          </Button>
        ),
      },
    ]}
  />
)
