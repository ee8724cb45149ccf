/** The user's webhooks. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { eventName } from '../../lib/event-names.ts'
import { href } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Ago, Badge, Card, Empty, Loaded, PageHead } from '../../ui/parts.tsx'
import { Editor, Secret } from './editor.tsx'
import { t } from './texts.ts'

export default function Webhooks() {
  const view = useView({
    load: async (signal) =>
      (await dataOf(api().portfolio.webhooks.get({ query: { limit: 100 }, signal }))).data,
    on: { 'webhook.disabled': reload },
  })
  const creating = useSignal(false)
  const secret = useSignal('')
  const saved = (given?: string) => {
    creating.value = false
    secret.value = given ?? ''
    void view.reload()
  }
  const create = () => {
    creating.value = true
  }
  return (
    <>
      <PageHead title={t.title}>
        <Button kind="primary" icon="plus" onClick={create}>
          {t.create}
        </Button>
      </PageHead>
      <p class="muted">{t.about}</p>
      <Loaded view={view}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <Empty text={t.none} />
          ) : (
            <div class="stack">
              {webhooks.map((webhook) => (
                <Card
                  key={webhook.id}
                  title={<span class="break">{webhook.url}</span>}
                  actions={
                    <>
                      <State webhook={webhook} />
                      <ButtonLink small to={href(`/webhooks/${webhook.id}`)}>
                        {t.open}
                      </ButtonLink>
                    </>
                  }
                >
                  {webhook.description && <p>{webhook.description}</p>}
                  <p class="row small">
                    {webhook.events.map((type) => (
                      <Badge key={type}>{eventName(type)}</Badge>
                    ))}
                  </p>
                  <p class="small muted">
                    {t.lastDelivered}:{' '}
                    {webhook.last_delivered_at ? <Ago at={webhook.last_delivered_at} /> : t.never}
                  </p>
                </Card>
              ))}
            </div>
          )
        }
      </Loaded>
      {creating.value && (
        <Editor
          onClose={() => {
            creating.value = false
          }}
          onSaved={saved}
        />
      )}
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

export function State({
  webhook: { is_active, disabled_reason, failures },
}: {
  webhook: { is_active: boolean; disabled_reason: '' | 'GONE' | 'FAILING'; failures: number }
}) {
  if (disabled_reason) return <Badge tone="bad">{t[disabled_reason]}</Badge>
  if (!is_active) return <Badge>{t.off}</Badge>
  return failures > 0 ? <Badge tone="warn">{t.failing}</Badge> : <Badge tone="good">{t.on}</Badge>
}
