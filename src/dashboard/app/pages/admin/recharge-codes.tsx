import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { count, dateTime, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Ago, Badge, Card, Copyable, Loaded, type Tone } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'

const t = texts({
  en: {
    title: 'Recharge codes',
    create: 'New codes',
    amount: 'Worth',
    amountOfEach: 'Worth of each code (¥)',
    batch: 'How many codes',
    uses: 'Uses of each',
    expires: 'Valid until',
    description: 'Description',
    optional: 'Optional',
    made: (n: string) => `${n} codes are made. Copy them now, one on each line:`,
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
    redeemed: 'Who has used it',
    user: 'User',
    time: 'Time',
    notUsed: 'Nobody has used it yet.',
  },
  zh: {
    title: '充值码',
    create: '新建充值码',
    amount: '面额',
    amountOfEach: '每个面额（¥）',
    batch: '数量',
    uses: '每个可用次数',
    expires: '有效期至',
    description: '说明',
    optional: '选填',
    made: (n: string) => `已生成 ${n} 个充值码，请复制，每行一个：`,
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
    redeemed: '使用记录',
    user: '用户',
    time: '时间',
    notUsed: '尚未使用。',
  },
})

type Status = 'active' | 'used' | 'expired' | 'disabled'
const LOOKS: Record<Status, { tone: Tone; text: () => string }> = {
  active: { tone: 'good', text: () => t.active },
  used: { tone: 'info', text: () => t.used_up },
  expired: { tone: 'warn', text: () => t.expired },
  disabled: { tone: 'bad', text: () => t.disabled },
}

export function RechargeCodes() {
  const page = useSignal(1)
  const status = useSignal<Status | ''>('')
  const view = useView({
    key: `${page.value} ${status.value}`,
    load: async (signal) =>
      (
        await dataOf(
          api().factory.recharge.codes.get({
            query: { page: page.value, page_size: 25, ...(status.value && { status: status.value }) },
            signal,
          }),
        )
      ).data,
  })
  const creating = useSignal(false)
  const usesOf = useSignal<string | undefined>(undefined)
  const change = async (id: string, disabled: boolean) => {
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
        value={status.value}
        options={[['', t.all], ...Object.entries(LOOKS).map(([name, { text }]) => [name, text()] as const)]}
        onChange={({ currentTarget }) => {
          status.value = currentTarget.value as Status | ''
          page.value = 1
        }}
      />
      <Loaded view={view}>
        {({ items, total_pages }) => (
          <>
            <Table
              caption={t.title}
              none={t.none}
              rows={items}
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
                    <Button
                      small
                      kind="plain"
                      onClick={() => {
                        usesOf.value = id
                      }}
                    >
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
                    <Button small onClick={() => change(id, name !== 'disabled')}>
                      {name === 'disabled' ? t.enable : t.disable}
                    </Button>
                  ),
                },
              ]}
            />
            <Pager
              page={page.value}
              pages={total_pages}
              onPage={(next) => {
                page.value = next
              }}
            />
          </>
        )}
      </Loaded>
      {creating.value && (
        <Create
          onClose={() => {
            creating.value = false
            void view.reload()
          }}
        />
      )}
      {usesOf.value && (
        <Uses
          id={usesOf.value}
          onClose={() => {
            usesOf.value = undefined
          }}
        />
      )}
    </Card>
  )
}

function Create({ onClose }: { onClose: () => void }) {
  const made = useSignal<string[] | undefined>(undefined)
  if (made.value) {
    return (
      <Dialog title={t.title} onClose={onClose}>
        <p>{t.made(count(made.value.length))}</p>
        {made.value.length === 1 ? (
          <Copyable text={made.value[0]!} />
        ) : (
          <textarea
            class="input mono"
            readOnly
            rows={10}
            aria-label={t.title}
            value={made.value.join('\n')}
          />
        )}
      </Dialog>
    )
  }
  return (
    <Dialog title={t.create} onClose={onClose}>
      <Form
        submit={t.create}
        onSubmit={async ({ amount, batch_size, max_uses, expires_at, description }) => {
          const { data } = await dataOf(
            api().factory.recharge.codes.post({
              amount: Number(amount),
              batch_size: Number(batch_size),
              max_uses: Number(max_uses),
              ...(expires_at && { expires_at: new Date(expires_at).toISOString() }),
              ...(description && { description }),
            }),
          )
          made.value = data.codes.map(({ code }) => code)
        }}
      >
        {(errors) => (
          <>
            <TextField
              label={t.amountOfEach}
              name="amount"
              type="number"
              min="0.01"
              step="0.01"
              required
              error={errors.amount}
            />
            <div class="fields">
              <TextField
                label={t.batch}
                name="batch_size"
                type="number"
                min="1"
                max="10000"
                defaultValue="1"
                required
                error={errors.batch_size}
              />
              <TextField
                label={t.uses}
                name="max_uses"
                type="number"
                min="1"
                defaultValue="1"
                required
                error={errors.max_uses}
              />
            </div>
            <TextField
              label={t.expires}
              hint={t.optional}
              name="expires_at"
              type="datetime-local"
              error={errors.expires_at}
            />
            <TextField
              label={t.description}
              hint={t.optional}
              name="description"
              maxLength={500}
              error={errors.description}
            />
          </>
        )}
      </Form>
    </Dialog>
  )
}

function Uses({ id, onClose }: { id: string; onClose: () => void }) {
  const view = useView({
    load: async (signal) =>
      (
        await dataOf(
          api()
            .factory.recharge.codes({ id })
            .uses.get({ query: { page_size: 100 }, signal }),
        )
      ).data,
  })
  return (
    <Dialog title={t.redeemed} onClose={onClose}>
      <Loaded view={view}>
        {({ items }) => (
          <Table
            caption={t.redeemed}
            none={t.notUsed}
            rows={items}
            keyOf={({ id }) => id}
            columns={[
              { title: t.user, cell: ({ user }) => user.username },
              { title: t.time, cell: ({ created_at }) => dateTime(created_at) },
              { title: t.amount, number: true, cell: ({ amount }) => money(amount) },
            ]}
          />
        )}
      </Loaded>
    </Dialog>
  )
}
