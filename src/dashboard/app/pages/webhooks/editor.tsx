/** The dialogs that create a webhook, change it, and show its secret once. */
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { dataOf, type EventType } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { EVENT_TYPES, eventName } from '../../lib/event-names.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Checkbox, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { Copyable } from '../../ui/parts.tsx'
import { t } from './texts.ts'

export interface Webhook {
  id: number
  url: string
  description: string
  events: string[]
  is_active: boolean
}

/** Events of the site, which only administrators may choose: docs/contracts/portfolio.md, "Webhooks". */
const OF_SITE = /^(photo\.(created|updated|deleted)|category\.|user\.login|system\.|gpu\.|ledger\.)/

interface Props {
  /** Undefined for a new one. */
  webhook?: Webhook | undefined
  onClose: () => void
  /** @param secret of a new webhook */
  onSaved: (secret?: string) => void
}

export function Editor({ webhook, onClose, onSaved }: Props) {
  const first = useMemo(() => webhook?.events ?? ['task.completed', 'task.failed'], [])
  const chosen = useSignal<ReadonlySet<string>>(new Set(first))
  // Those that it has stay, so that the user can take them out: they are refused after the user's role has become lower.
  const types = EVENT_TYPES.filter(
    (type) => isAdmin.value || !OF_SITE.test(type) || webhook?.events.includes(type),
  )
  const toggle = (type: EventType) => {
    const next = new Set(chosen.value)
    if (!next.delete(type)) next.add(type)
    chosen.value = next
  }
  const save = async ({ url = '', description = '', is_active }: Values) => {
    const events = [...chosen.value] as EventType[]
    const body = { url, description, events, is_active: is_active !== undefined }
    if (webhook) {
      await dataOf(
        api()
          .portfolio.webhooks({ id: webhook.id })
          .put(changed(body, { ...webhook, events: first })),
      )
      onSaved()
    } else {
      const { data } = await dataOf(api().portfolio.webhooks.post(body))
      onSaved(data.secret)
    }
  }
  return (
    <Dialog title={webhook ? t.edit : t.create} onClose={onClose}>
      <Form submit={t.save} onSubmit={save}>
        {(errors) => (
          <>
            <TextField
              label={t.url}
              name="url"
              type="url"
              hint={t.urlHint}
              required
              defaultValue={webhook?.url ?? ''}
              error={errors.url}
            />
            <TextField
              label={t.description}
              name="description"
              hint={t.optional}
              maxLength={500}
              defaultValue={webhook?.description ?? ''}
              error={errors.description}
            />
            <fieldset class="stack-tight">
              <legend>{t.events}</legend>
              <div class="checks">
                {types.map((type) => (
                  <Checkbox
                    key={type}
                    name="events"
                    label={eventName(type)}
                    checked={chosen.value.has(type)}
                    onChange={() => toggle(type)}
                  />
                ))}
              </div>
              {errors.events && <span class="error">{errors.events}</span>}
            </fieldset>
            <Checkbox label={t.active} name="is_active" defaultChecked={webhook?.is_active ?? true} />
          </>
        )}
      </Form>
    </Dialog>
  )
}

export const Secret = ({ secret, onClose }: { secret: string; onClose: () => void }) => (
  <Dialog title={t.secret} onClose={onClose}>
    <p>{t.secretText}</p>
    <Copyable text={secret} />
  </Dialog>
)
