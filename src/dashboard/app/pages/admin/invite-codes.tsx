import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { currentPage } from '../../lib/filter.ts'
import { count, dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { NumberField, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Badge, Card, Loaded, type Tone } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'

const t = texts({
  en: {
    title: 'Invite codes',
    create: 'New invite code',
    code: 'Code',
    status: 'Status',
    used: 'Used',
    expires: 'Valid until',
    uses: 'Most uses',
    noLimit: 'Empty: no limit',
    never: 'No end',
    none: 'No invite codes yet.',
    actions: 'Actions',
    disable: 'Disable',
    enable: 'Enable',
    active: 'Active',
    disabled: 'Disabled',
    expired: 'Expired',
    exhausted: 'Used up',
  },
  zh: {
    title: '邀请码',
    create: '新建邀请码',
    code: '邀请码',
    status: '状态',
    used: '已使用',
    expires: '有效期至',
    uses: '最多使用次数',
    noLimit: '留空则不限',
    never: '不限',
    none: '还没有邀请码。',
    actions: '操作',
    disable: '停用',
    enable: '启用',
    active: '可用',
    disabled: '已停用',
    expired: '已过期',
    exhausted: '已用完',
  },
})

const TONES: Record<'active' | 'disabled' | 'expired' | 'exhausted', Tone> = {
  active: 'good',
  disabled: 'bad',
  expired: 'warn',
  exhausted: 'info',
}

export function InviteCodes() {
  const page = currentPage()
  const creating = useSignal(false)
  const view = useView({
    key: page,
    load: (signal) => dataOf(api().runtime['invite-codes'].get({ query: { page, page_size: 25 }, signal })),
  })
  const change = async (code: string, status: 'active' | 'disabled') => {
    await dataOf(api().runtime['invite-codes']({ code }).patch({ status }))
    await view.reload()
  }
  const close = () => {
    creating.value = false
    void view.reload()
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
      <Loaded view={view}>
        {(list) => (
          <>
            <Table
              caption={t.title}
              none={t.none}
              rows={list.items}
              keyOf={({ code }) => code}
              columns={[
                { title: t.code, cell: ({ code }) => <code>{code}</code> },
                {
                  title: t.status,
                  cell: ({ status }) => <Badge tone={TONES[status]}>{t[status]}</Badge>,
                },
                {
                  title: t.used,
                  number: true,
                  cell: ({ used_count, max_uses }) =>
                    `${count(used_count)}${max_uses === null ? '' : ` / ${count(max_uses)}`}`,
                },
                {
                  title: t.expires,
                  cell: ({ expires_at }) => (expires_at ? dateTime(expires_at) : t.never),
                },
                {
                  title: t.actions,
                  cell: ({ code, status }) => (
                    <Button small onClick={() => change(code, status === 'disabled' ? 'active' : 'disabled')}>
                      {status === 'disabled' ? t.enable : t.disable}
                    </Button>
                  ),
                },
              ]}
            />
            <Pager of={list} />
          </>
        )}
      </Loaded>
      {creating.value && <Create onClose={close} />}
    </Card>
  )
}

const Create = ({ onClose }: { onClose: () => void }) => (
  <Dialog title={t.create} onClose={onClose}>
    <Form
      submit={t.create}
      onSubmit={async ({ max_uses, expires_at }) => {
        await dataOf(
          api().runtime['invite-codes'].post({
            ...(max_uses && { max_uses: Number(max_uses) }),
            ...(expires_at && { expires_at: new Date(expires_at).toISOString() }),
          }),
        )
        onClose()
      }}
    >
      {(errors) => (
        <>
          <NumberField label={t.uses} hint={t.noLimit} name="max_uses" min={1} error={errors.max_uses} />
          <TextField
            label={t.expires}
            hint={t.noLimit}
            name="expires_at"
            type="datetime-local"
            error={errors.expires_at}
          />
        </>
      )}
    </Form>
  </Dialog>
)
