/** Where the user is signed in. */
import { dataOf } from '../../../../client/index.ts'
import { date } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Ago, Badge, Card, Loaded } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'

const t = texts({
  en: {
    title: 'Where you are signed in',
    device: 'Device',
    address: 'Address',
    seen: 'Last used',
    since: 'Since',
    current: 'This one',
    unknown: 'Unknown program',
    end: 'Sign out',
    endTitle: 'Sign this device out?',
    endText: 'Whoever uses it has to sign in again.',
    endOthers: 'Sign all others out',
    endOthersTitle: 'Sign all other devices out?',
    actions: 'Actions',
  },
  zh: {
    title: '登录设备',
    device: '设备',
    address: '地址',
    seen: '最近使用',
    since: '登录时间',
    current: '当前设备',
    unknown: '未知程序',
    end: '退出',
    endTitle: '让此设备退出登录？',
    endText: '使用者需要重新登录。',
    endOthers: '退出其他所有设备',
    endOthersTitle: '让其他所有设备退出登录？',
    actions: '操作',
  },
})

export function Sessions() {
  const view = useView({
    load: async (signal) => {
      const { data: profile } = await dataOf(api().portfolio.auth.profile.get({ signal }))
      const { data } = await dataOf(api().portfolio.users({ id: profile.id }).sessions.get({ signal }))
      return { userId: profile.id, sessions: data }
    },
    on: { 'user.login': reload, 'session.revoked': reload },
  })
  const ofUser = () => api().portfolio.users({ id: view.data!.userId }).sessions
  const end = async (id: string) => {
    if (!(await confirm(t.endTitle, { text: t.endText, yes: t.end }))) return
    await dataOf(ofUser()({ session_id: id }).delete())
    await view.reload()
  }
  const endOthers = async () => {
    if (!(await confirm(t.endOthersTitle, { text: t.endText, yes: t.endOthers }))) return
    await dataOf(ofUser().delete({}, { query: { except_current: true } }))
    await view.reload()
  }
  const hasOthers = view.data?.sessions.some(({ is_current }) => !is_current)
  return (
    <Card
      title={t.title}
      actions={
        hasOthers && (
          <Button kind="danger" small onClick={endOthers}>
            {t.endOthers}
          </Button>
        )
      }
    >
      <Loaded view={view}>
        {({ sessions }) => (
          <Table
            caption={t.title}
            rows={sessions}
            keyOf={({ id }) => id}
            columns={[
              {
                title: t.device,
                cell: ({ device, user_agent }) => (
                  <span title={user_agent}>
                    {[device.browser, device.os].filter(Boolean).join(', ') || t.unknown}
                  </span>
                ),
              },
              { title: t.address, cell: ({ ip }) => ip },
              { title: t.seen, cell: ({ last_seen_at }) => <Ago at={last_seen_at} /> },
              { title: t.since, cell: ({ created_at }) => date(created_at) },
              {
                title: t.actions,
                cell: ({ id, is_current }) =>
                  is_current ? (
                    <Badge tone="good">{t.current}</Badge>
                  ) : (
                    <Button small kind="danger" onClick={() => end(id)}>
                      {t.end}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}
