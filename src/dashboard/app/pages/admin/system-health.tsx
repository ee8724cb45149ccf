/** The parts of the server, the check of the ledger, and the version. */
import type { SystemUpdateData } from '../../../../client/index.ts'
import { count, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { send } from '../../lib/request.ts'
import type { api } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Ago, Badge, Card, Facts, Loaded } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'

const t = texts({
  en: {
    parts: 'Parts',
    part: 'Part',
    state: 'State',
    latency: 'Round trip',
    database: 'Database',
    bus: 'Bus',
    storage: 'Storage',
    mail: 'Mail',
    embedded: 'embedded',
    disk: 'disk',
    files: 'files',
    healthy: 'Works',
    broken: 'Does not answer',
    wrong: 'Look at it',
    ms: (value: number) => `${value} ms`,
    probing: 'The parts are being asked.',
    about: 'Ledger and version',
    ledger: 'Ledger',
    right: 'Adds up',
    differences: (n: string) => (n === '1' ? '1 difference' : `${n} differences`),
    balance: 'Trial balance',
    checked: 'Checked',
    never: 'Not yet; within an hour',
    version: 'Version',
    environment: 'Environment',
  },
  zh: {
    parts: '组件',
    part: '组件',
    state: '状态',
    latency: '往返时间',
    database: '数据库',
    bus: '总线',
    storage: '存储',
    mail: '邮件',
    embedded: '内置',
    disk: '磁盘',
    files: '文件',
    healthy: '正常',
    broken: '无响应',
    wrong: '需要检查',
    ms: (value: number) => `${value} 毫秒`,
    probing: '正在检查各组件。',
    about: '账目与版本',
    ledger: '账目',
    right: '平衡',
    differences: (n: string) => `${n} 处差异`,
    balance: '试算差额',
    checked: '检查时间',
    never: '尚未检查，一小时内进行',
    version: '版本',
    environment: '环境',
  },
})

type Infra = NonNullable<
  Awaited<ReturnType<ReturnType<typeof api>['runtime']['infra']['health']['get']>>['data']
>
interface Version {
  version: string
  environment: string
}

/** An unhealthy server answers 503, with the same body. */
const read = async <T,>(path: string, signal: AbortSignal): Promise<T> =>
  (await send(path, { signal })).json()

type Part = SystemUpdateData['parts'][number]

const NAMES: readonly Part['name'][] = ['database', 'bus', 'storage', 'mail']
/** The names of the same parts in the answer of `/infra/health`. */
const SERVICES = { database: 'database', bus: 'redis', storage: 'storage', mail: 'mail' } as const

function partOf(name: Part['name'], services: Infra['services']): Part {
  const { status, latency_ms } = services[SERVICES[name]]
  return { name, healthy: status === 'healthy', latency_ms }
}

/** @param parts undefined before the first figures */
export function Health({ parts }: { parts: readonly Part[] | undefined }) {
  const view = useView({
    load: async (signal) => {
      const [infra, version] = await Promise.all([
        read<Infra>('/api/v1/infra/health', signal),
        read<Version>('/health', signal),
      ])
      return { ...infra, ...version }
    },
    on: { 'ledger.unbalanced': reload },
  })
  const services = view.data?.services
  // Until the live figures come, those of the request.
  const shown = parts?.length ? parts : services && NAMES.map((name) => partOf(name, services))
  const kindOf = (name: Part['name']) => {
    const kind = services?.[SERVICES[name]].kind
    return kind && KIND_NAMES[kind]()
  }
  return (
    <div class="system-health">
      <Card title={t.parts}>
        {shown ? (
          <Table
            caption={t.parts}
            rows={shown}
            keyOf={({ name }) => name}
            columns={[
              {
                title: t.part,
                cell: ({ name }) => (
                  <>
                    {t[name]} <span class="small muted">{kindOf(name)}</span>
                  </>
                ),
              },
              {
                title: t.state,
                cell: ({ healthy }) => (
                  <Badge tone={healthy ? 'good' : 'bad'}>{healthy ? t.healthy : t.broken}</Badge>
                ),
              },
              {
                title: t.latency,
                number: true,
                cell: ({ healthy, latency_ms }) => (healthy ? t.ms(latency_ms) : '–'),
              },
            ]}
          />
        ) : (
          <p class="muted">{t.probing}</p>
        )}
      </Card>
      <Card title={t.about}>
        <Loaded view={view} lines={5}>
          {({ ledger, version, environment }) => (
            <Facts
              facts={[
                [t.ledger, <LedgerState key="state" ledger={ledger} />],
                [t.balance, money(ledger.trial_balance)],
                [t.checked, ledger.checked_at ? <Ago at={ledger.checked_at} /> : t.never],
                [t.version, version],
                [t.environment, environment],
              ]}
            />
          )}
        </Loaded>
      </Card>
    </div>
  )
}

function LedgerState({ ledger: { status, differences } }: { ledger: Infra['ledger'] }) {
  const isGood = status === 'healthy'
  const problem = differences > 0 ? t.differences(count(differences)) : t.wrong
  return <Badge tone={isGood ? 'good' : 'bad'}>{isGood ? t.right : problem}</Badge>
}

const KIND_NAMES: Record<Infra['services'][keyof Infra['services']]['kind'], () => string> = {
  embedded: () => t.embedded,
  disk: () => t.disk,
  files: () => t.files,
  postgresql: () => 'PostgreSQL',
  redis: () => 'Redis',
  s3: () => 'S3',
  smtp: () => 'SMTP',
}
