/** The first thing that a user sees: what is going on, and what is next. */
import { money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { me } from '../../lib/session.ts'
import { Card, Figure, PageHead } from '../../ui/parts.tsx'
import { Cluster } from '../gpu/cluster.tsx'
import { AgendaCard } from './agenda-card.tsx'
import { Feed } from './feed.tsx'
import { MaterialsCard } from './materials-card.tsx'
import { PhotosCard } from './photos-card.tsx'
import { TasksCard } from './tasks-card.tsx'

const t = texts({
  en: {
    hello: (name: string) => `Hello, ${name}`,
    overview: 'Overview',
    cluster: 'GPU cluster',
    balance: 'Balance',
    available: 'available',
    held: 'held for tasks',
    open: 'Open',
    redeem: 'Redeem a code',
    named: (action: string, what: string) => `${action}: ${what}`,
  },
  zh: {
    hello: (name: string) => `你好，${name}`,
    overview: '总览',
    cluster: 'GPU 集群',
    balance: '余额',
    available: '可用',
    held: '任务冻结',
    open: '打开',
    redeem: '兑换充值码',
    named: (action: string, what: string) => `${action}：${what}`,
  },
})

export default function Home() {
  const user = me.value
  return (
    <>
      <PageHead title={user ? t.hello(user.full_name || user.username) : t.overview} />
      <div class="home">
        <div class="stack">
          <TasksCard />
          <Card title={t.cluster} actions={<Open to="/gpu" what={t.cluster} />}>
            <Cluster />
          </Card>
          <PhotosCard />
          <MaterialsCard />
        </div>
        <div class="stack">
          <Card title={t.balance} actions={<Open to="/balance" what={t.balance} />}>
            <div class="figures">
              <Figure value={user ? money(user.available_balance) : '–'} label={t.available} />
              {user && user.balance > user.available_balance && (
                <Figure value={money(user.balance - user.available_balance)} label={t.held} />
              )}
            </div>
            {user?.balance === 0 && (
              <a class="small" href={href('/balance')}>
                {t.redeem}
              </a>
            )}
          </Card>
          <AgendaCard />
          <Feed />
        </div>
      </div>
    </>
  )
}

const Open = ({ to, what }: { to: string; what: string }) => (
  <a class="small" href={href(to)} aria-label={t.named(t.open, what)}>
    {t.open}
  </a>
)
