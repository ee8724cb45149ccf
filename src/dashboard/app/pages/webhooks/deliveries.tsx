/** What was sent to a webhook. */
import { useEffect } from 'preact/hooks'
import { eventName } from '../../lib/event-names.ts'
import { useFilter } from '../../lib/filter.ts'
import { count, dateTime } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Select } from '../../ui/field.tsx'
import { Pager, type Paging } from '../../ui/pager.tsx'
import { Badge, Card, type Tone } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import { t } from './texts.ts'

export type Status = 'pending' | 'delivered' | 'failed'
const TONES: Record<Status, Tone> = { pending: 'info', delivered: 'good', failed: 'bad' }

export interface Delivery {
  id: string
  event: string
  timestamp: string
  status: Status
  attempts: number
  response_status: number | null
  error: string
  duration_ms: number | null
}

export function Deliveries({
  rows,
  pages,
  onAgain,
}: {
  rows: readonly Delivery[]
  pages: Paging
  onAgain: (id: string) => Promise<void>
}) {
  const { filter, change } = useFilter(['status'])
  return (
    <Card title={t.deliveries}>
      <Select
        label={t.status}
        value={filter.status ?? ''}
        onChange={({ currentTarget }) => change({ status: currentTarget.value })}
        options={[
          ['', t.all],
          ['pending', t.pending],
          ['delivered', t.delivered],
          ['failed', t.failed],
        ]}
      />
      <Table
        caption={t.deliveries}
        none={filter.status ? t.noneFit : t.noDeliveries}
        rows={rows}
        keyOf={({ id }) => id}
        columns={[
          { title: t.time, cell: ({ timestamp }) => <span class="nowrap">{dateTime(timestamp)}</span> },
          { title: t.event, cell: ({ event }) => eventName(event) },
          {
            title: t.status,
            cell: ({ status }) => <Badge tone={TONES[status]}>{t[status]}</Badge>,
          },
          { title: t.attempts, number: true, cell: ({ attempts }) => count(attempts) },
          { title: t.answer, cell: ({ response_status, error }) => response_status ?? (error || '–') },
          {
            title: t.duration,
            number: true,
            cell: ({ duration_ms }) => (duration_ms === null ? '–' : `${count(duration_ms)} ms`),
          },
          {
            title: t.actions,
            cell: ({ id, status }) =>
              status !== 'pending' && (
                <Button small onClick={() => onAgain(id)}>
                  {t.again}
                </Button>
              ),
          },
        ]}
      />
      <Pager of={pages} />
    </Card>
  )
}

const FIRST_LOOK_MS = 1000
const LAST_LOOK_MS = 60_000

/** No event tells that a delivery has ended. While one waits, the page looks again: soon at first, then less and less often. */
export function useLooks(deliveries: readonly Delivery[] | undefined, look: () => Promise<void>): void {
  const waiting = deliveries?.filter(({ status }) => status === 'pending') ?? []
  const which = waiting.map(({ id, attempts }) => `${id} ${attempts}`).join()
  useEffect(() => {
    if (which === '') return undefined
    let timer: ReturnType<typeof setTimeout>
    const lookIn = (delay: number) => {
      timer = setTimeout(() => {
        void look()
        lookIn(Math.min(2 * delay, LAST_LOOK_MS))
      }, delay)
    }
    lookIn(FIRST_LOOK_MS)
    return () => clearTimeout(timer)
  }, [which])
}
