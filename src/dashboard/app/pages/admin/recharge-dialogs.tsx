/** The dialogs of recharge codes: making some, and who has used one. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { count, dateTime, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { NumberField, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Copyable, Loaded } from '../../ui/parts.tsx'
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
    made: (n: string) =>
      n === '1' ? 'The code is made. Copy it now:' : `${n} codes are made. Copy them now, one on each line:`,
    redeemed: 'Who has used it',
    user: 'User',
    time: 'Time',
    notUsed: 'Nobody has used it yet.',
    newest: (n: string, all: string) => `The newest ${n} of ${all}.`,
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
    made: (n: string) => (n === '1' ? '充值码已生成，请复制：' : `已生成 ${n} 个充值码，请复制，每行一个：`),
    redeemed: '使用记录',
    user: '用户',
    time: '时间',
    notUsed: '尚未使用。',
    newest: (n: string, all: string) => `共 ${all} 条，显示最近 ${n} 条。`,
  },
})

export function CreateCodes({ onClose }: { onClose: () => void }) {
  const made = useSignal<string[] | undefined>(undefined)
  if (made.value) {
    return (
      <Dialog key="made" title={t.title} onClose={onClose}>
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
            <NumberField
              label={t.amountOfEach}
              name="amount"
              min={0.01}
              step={0.01}
              required
              error={errors.amount}
            />
            <div class="fields">
              <NumberField
                label={t.batch}
                name="batch_size"
                min={1}
                max={10_000}
                defaultValue={1}
                required
                error={errors.batch_size}
              />
              <NumberField
                label={t.uses}
                name="max_uses"
                min={1}
                defaultValue={1}
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

const MOST_USES = 100

/** Who has used a code. */
export function CodeUses({ id, onClose }: { id: string; onClose: () => void }) {
  const view = useView({
    load: async (signal) =>
      (
        await dataOf(
          api()
            .factory.recharge.codes({ id })
            .uses.get({ query: { page_size: MOST_USES }, signal }),
        )
      ).data,
  })
  return (
    <Dialog title={t.redeemed} onClose={onClose}>
      <Loaded view={view}>
        {({ items, total }) => (
          <>
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
            {total > MOST_USES && <p class="small muted">{t.newest(count(MOST_USES), count(total))}</p>}
          </>
        )}
      </Loaded>
    </Dialog>
  )
}
