/** The GPU servers, as they are now. */
import { useComputed } from '@preact/signals'
import { texts } from '../../lib/language.ts'
import { isAdmin } from '../../lib/session.ts'
import { reload, useTopic, useView } from '../../lib/view.ts'
import { Card, Empty, Loaded, PageHead } from '../../ui/parts.tsx'
import { Cluster } from './cluster.tsx'
import { follow } from './history.ts'
import { listServers, type Server } from './model.ts'
import { ServerCard } from './server-card.tsx'
import { NewServer } from './server-menu.tsx'
import { Queue, useGpuTasks } from './tasks.tsx'

const t = texts({
  en: {
    title: 'GPU cluster',
    none: 'There are no GPU servers yet.',
    noneForAdmin: 'There are no GPU servers yet. Create one, and start the node program on its machine.',
  },
  zh: {
    title: 'GPU 集群',
    none: '还没有 GPU 服务器。',
    noneForAdmin: '还没有 GPU 服务器。新建一台，并在其机器上启动节点程序。',
  },
})

/** One task may begin as another one ends, so that their number stays. */
const idsOfRunning = (servers: Server[]): string =>
  servers
    .flatMap(({ id }) => follow(id).state.value?.running_tasks ?? [])
    .map(({ task_id }) => task_id)
    .sort()
    .join()

export default function GpuCluster() {
  const cluster = useTopic('gpu:cluster')
  const view = useView<Server[]>({
    // Events of servers reach administrators alone.
    key: cluster && `${cluster.total_servers} ${cluster.online_servers}`,
    load: listServers,
    on: { 'gpu.online': reload, 'gpu.offline': reload },
  })
  const runningIds = useComputed(() => idsOfRunning(view.data ?? [])).value
  const running = useGpuTasks('running', runningIds)
  const changed = () => void view.reload()
  return (
    <>
      <PageHead title={t.title}>{isAdmin.value && <NewServer onChange={changed} />}</PageHead>
      <Card>
        <Cluster />
      </Card>
      <Loaded view={view} lines={8}>
        {(servers) =>
          servers.length === 0 ? (
            <Empty text={isAdmin.value ? t.noneForAdmin : t.none} />
          ) : (
            <div class="servers">
              {servers.map((server) => (
                <ServerCard
                  key={server.id}
                  server={server}
                  known={running.data?.items ?? []}
                  onChange={changed}
                />
              ))}
            </div>
          )
        }
      </Loaded>
      <Queue changes={`${cluster?.queue_length} ${runningIds}`} />
    </>
  )
}
