/** One webhook with its deliveries. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { eventName } from '../../lib/event-names.ts'
import { count, dateTime } from '../../lib/format.ts'
import { href, navigate } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { RELOAD, useView, type View } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Select } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Badge, Card, Facts, Loaded, PageHead, type Tone } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import type { PageProps } from '../index.ts'
import { Editor, Secret } from './editor.tsx'
import { State } from './index.tsx'
import { t } from './texts.ts'

export default function WebhookPage({ params }: PageProps) {
  const one = () => api().portfolio.webhooks({ id: params.id! })
  const view = useView({
    load: async (signal) => (await dataOf(one().get({ signal }))).data,
    on: { 'webhook.disabled': () => RELOAD },
  })
  const editing = useSignal(false)
  const secret = useSignal('')
  const deliveries = useDeliveries(params.id!)

  const test = async () => {
    const { data } = await dataOf(one().test.post())
    if (data.delivered) showToast('good', t.testGood(data.response_status ?? 200))
    else showToast('bad', t.testBad(String(data.response_status ?? data.error)))
    await view.reload()
  }
  const rotate = async () => {
    if (!(await confirm(t.rotateTitle, { text: t.rotateText, yes: t.rotate, danger: false }))) return
    secret.value = (await dataOf(one()['rotate-secret'].post())).data.secret
  }
  const remove = async () => {
    if (!(await confirm(t.deleteTitle, { text: t.deleteText, yes: t.delete }))) return
    await dataOf(one().delete())
    navigate(href('/webhooks'))
  }
  return (
    <>
      <PageHead title={view.data?.url ?? t.title} back={{ to: href('/webhooks'), text: t.back }}>
        {view.data && <State webhook={view.data} />}
      </PageHead>
      <Loaded view={view}>
        {(webhook) => (
          <Card>
            <Facts
              facts={[
                [t.description, webhook.description || '–'],
                [t.events, webhook.events.map(eventName).join(', ')],
                [t.lastDelivered, webhook.last_delivered_at ? dateTime(webhook.last_delivered_at) : t.never],
                [t.failures, count(webhook.failures)],
              ]}
            />
            <div class="row">
              <Button
                icon="edit"
                onClick={() => {
                  editing.value = true
                }}
              >
                {t.edit}
              </Button>
              <Button icon="send" onClick={test}>
                {t.test}
              </Button>
              <Button icon="retry" onClick={rotate}>
                {t.rotate}
              </Button>
              <Button icon="trash" kind="danger" onClick={remove}>
                {t.delete}
              </Button>
            </div>
            {editing.value && (
              <Editor
                webhook={webhook}
                onClose={() => {
                  editing.value = false
                }}
                onSaved={() => {
                  editing.value = false
                  void view.reload()
                }}
              />
            )}
          </Card>
        )}
      </Loaded>
      <Deliveries id={params.id!} {...deliveries} />
      {secret.value && (
        <Secret
          secret={secret.value}
          onClose={() => {
            secret.value = ''
          }}
        />
      )}
    </>
  )
}

type Status = 'pending' | 'delivered' | 'failed'
const TONES: Record<Status, Tone> = { pending: 'info', delivered: 'good', failed: 'bad' }

function useDeliveries(id: string) {
  const page = useSignal(1)
  const status = useSignal<Status | ''>('')
  const view = useView({
    key: `${page.value} ${status.value}`,
    load: (signal) =>
      dataOf(
        api()
          .portfolio.webhooks({ id })
          .deliveries.get({
            query: { page: page.value, limit: 20, ...(status.value && { status: status.value }) },
            signal,
          }),
      ),
    // What the user's webhooks send happens on the same channel.
    on: { 'task.completed': () => RELOAD, 'task.failed': () => RELOAD, 'webhook.disabled': () => RELOAD },
  })
  return { page, status, view }
}

type DeliveriesState = ReturnType<typeof useDeliveries>
type Answer = DeliveriesState['view'] extends View<infer T> ? T : never

function Deliveries({ id, page, status, view }: DeliveriesState & { id: string }) {
  const again = async (deliveryId: string) => {
    await dataOf(api().portfolio.webhooks({ id }).deliveries({ delivery_id: deliveryId }).redeliver.post())
    showToast('good', t.sentAgain)
    await view.reload()
  }
  return (
    <Card
      title={t.deliveries}
      actions={<Button icon="retry" small onClick={() => view.reload()} aria-label={t.deliveries} />}
    >
      <Select
        label={t.status}
        value={status.value}
        onChange={({ currentTarget }) => {
          status.value = currentTarget.value as Status | ''
          page.value = 1
        }}
        options={[
          ['', t.all],
          ['pending', t.pending],
          ['delivered', t.delivered],
          ['failed', t.failed],
        ]}
      />
      <Loaded view={view}>
        {({ data, pagination }) => (
          <>
            <DeliveryTable rows={data} onAgain={again} />
            <Pager
              page={pagination.page}
              pages={pagination.total_pages}
              onPage={(next) => {
                page.value = next
              }}
            />
          </>
        )}
      </Loaded>
    </Card>
  )
}

const DeliveryTable = ({
  rows,
  onAgain,
}: {
  rows: Answer['data']
  onAgain: (id: string) => Promise<void>
}) => (
  <Table
    caption={t.deliveries}
    none={t.noDeliveries}
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
)
