/** One webhook with its deliveries. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { EVENT_TYPES, eventName } from '../../lib/event-names.ts'
import { useFilter } from '../../lib/filter.ts'
import { count, dateTime } from '../../lib/format.ts'
import { href, navigate } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { RELOAD, reload, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Card, Facts, Loaded, PageHead } from '../../ui/parts.tsx'
import type { PageProps } from '../index.ts'
import { Deliveries, type Status, useLooks } from './deliveries.tsx'
import { Editor, Secret } from './editor.tsx'
import { State } from './index.tsx'
import { t } from './texts.ts'

const webhook = (id: string) => api().portfolio.webhooks({ id })

async function load(id: string, query: { status?: Status; page: number }, signal: AbortSignal) {
  const [{ data }, deliveries] = await Promise.all([
    dataOf(webhook(id).get({ signal })),
    dataOf(webhook(id).deliveries.get({ query: { ...query, limit: 20 }, signal })),
  ])
  return { webhook: data, deliveries: deliveries.data, pages: deliveries.pagination }
}
type Shown = Awaited<ReturnType<typeof load>>

/** A delivery is stored together with its event. */
const onEvents = Object.fromEntries(
  EVENT_TYPES.map((type) => [
    type,
    (_: unknown, shown: Shown) => (shown.webhook.events.includes(type) ? RELOAD : shown),
  ]),
)

export default function WebhookPage({ params }: PageProps) {
  const one = () => webhook(params.id!)
  const { filter, page, key } = useFilter(['status'])
  const view = useView({
    key,
    load: (signal) => load(params.id!, { ...filter, page } as Parameters<typeof load>[1], signal),
    on: { ...onEvents, 'webhook.disabled': reload },
  })
  useLooks(view.data?.deliveries, view.reload)
  const editing = useSignal(false)
  const secret = useSignal('')

  const test = async () => {
    const { data } = await dataOf(one().test.post())
    if (data.delivered) showToast('good', t.testGood(data.response_status ?? 200))
    else showToast('bad', t.testBad(String(data.response_status ?? data.error)))
    await view.reload()
  }
  const again = async (id: string) => {
    await dataOf(one().deliveries({ delivery_id: id }).redeliver.post())
    showToast('good', t.sentAgain)
    await view.reload()
  }
  const rotate = async () => {
    if (!(await confirm(t.rotateTitle, { text: t.rotateText, yes: t.rotate, danger: false }))) return
    secret.value = (await dataOf(one()['rotate-secret'].post())).data.secret
  }
  const remove = async () => {
    if (!(await confirm(t.deleteTitle, { text: t.deleteText, yes: t.delete }))) return
    await dataOf(one().delete())
    navigate(href('/webhooks'), { from: `/webhooks/${params.id}` })
  }
  return (
    <>
      <PageHead title={view.data?.webhook.url ?? t.title} back={{ to: href('/webhooks'), text: t.back }}>
        {view.data && <State webhook={view.data.webhook} />}
      </PageHead>
      <Loaded view={view}>
        {({ webhook, deliveries, pages }) => (
          <>
            <Card>
              <Facts
                facts={[
                  [t.description, webhook.description || '–'],
                  [t.events, webhook.events.map(eventName).join(', ')],
                  [
                    t.lastDelivered,
                    webhook.last_delivered_at ? dateTime(webhook.last_delivered_at) : t.never,
                  ],
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
            <Deliveries rows={deliveries} pages={pages} onAgain={again} />
          </>
        )}
      </Loaded>
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
