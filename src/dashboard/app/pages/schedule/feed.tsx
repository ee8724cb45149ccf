import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { date } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { Copyable, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'Calendar feed',
    about:
      'With its secret address other calendars (Google, Apple, Outlook, a phone) show your schedule, and keep it up to date. In your calendar program, choose “subscribe by URL” and paste the address.',
    secret: 'Whoever has the address can read your schedule. It is shown only now: copy it.',
    active: (since: string) => `An address is in use, made on ${since}.`,
    create: 'Create an address',
    renew: 'Replace the address',
    renewTitle: 'Replace the address?',
    renewText: 'Calendars that use the present address stop being updated.',
    revoke: 'Revoke',
    revokeTitle: 'Revoke the address?',
  },
  zh: {
    title: '日历订阅',
    about:
      '通过私密地址，其他日历（Google、Apple、Outlook、手机）可以显示你的日程并保持更新。在日历程序中选择“通过 URL 订阅”，粘贴此地址。',
    secret: '任何拥有此地址的人都能查看你的日程。地址只显示这一次，请复制保存。',
    active: (since: string) => `已有一个地址在使用，创建于 ${since}。`,
    create: '创建地址',
    renew: '更换地址',
    renewTitle: '更换地址？',
    renewText: '使用当前地址的日历将不再更新。',
    revoke: '撤销',
    revokeTitle: '撤销此地址？',
  },
})

/** The secret address by which other calendars read the schedule. */
export function FeedDialog({ onClose }: { onClose: () => void }) {
  const feed = () => api().runtime['schedule-items'].feed
  const view = useView({ load: (signal) => dataOf(feed().get({ signal })) })
  const url = useSignal('')
  const open = async (isActive: boolean) => {
    if (isActive && !(await confirm(t.renewTitle, { text: t.renewText, yes: t.renew }))) return
    const made = await dataOf(feed().post())
    url.value = made.url
    view.update(() => ({ active: true, created_at: made.created_at }))
  }
  const revoke = async () => {
    if (!(await confirm(t.revokeTitle, { text: t.renewText, yes: t.revoke }))) return
    await dataOf(feed().delete())
    url.value = ''
    view.update(() => ({ active: false, created_at: null }))
  }
  return (
    <Dialog title={t.title} onClose={onClose}>
      <p>{t.about}</p>
      <Loaded view={view} lines={2}>
        {({ active, created_at }) => (
          <>
            {url.value ? (
              <>
                <Copyable text={url.value} />
                <p class="notice warn">{t.secret}</p>
              </>
            ) : (
              active && <p>{t.active(date(created_at!))}</p>
            )}
            <div class="dialog-actions">
              {active && (
                <Button kind="danger" onClick={revoke}>
                  {t.revoke}
                </Button>
              )}
              <Button kind={active ? 'plain' : 'primary'} onClick={() => open(active)}>
                {active ? t.renew : t.create}
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </Dialog>
  )
}
