/** The log of all servers: as it is written, and what is stored of it. */
import { texts } from '../../lib/language.ts'
import { href, route } from '../../lib/router.ts'
import { PageHead, TabLinks } from '../../ui/parts.tsx'
import { LiveLog } from './log-live.tsx'
import { StoredLog } from './log-stored.tsx'

const t = texts({
  en: { title: 'System log', live: 'Live', stored: 'Stored' },
  zh: { title: '系统日志', live: '实时', stored: '已保存' },
})

export default function SystemLog() {
  const isStored = route.value.query.get('tab') === 'stored'
  return (
    <>
      <PageHead title={t.title} />
      <TabLinks
        label={t.title}
        current={isStored ? 'stored' : 'live'}
        tabs={[
          ['live', t.live, href('/admin/log')],
          ['stored', t.stored, href('/admin/log', { tab: 'stored' })],
        ]}
      />
      {isStored ? <StoredLog /> : <LiveLog />}
    </>
  )
}
