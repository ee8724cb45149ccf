/** The fields of an item that are rarely needed. */
import { type Signal, useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { IconButton } from '../../ui/button.tsx'
import { Select, TextArea, TextField } from '../../ui/field.tsx'
import type { Entry } from './entries.ts'

const t = texts({
  en: {
    description: 'Description',
    notes: 'Notes',
    location: 'Place',
    colour: 'Colour',
    noColour: 'Standard',
    files: 'Attached files',
    attach: 'Attach a material',
    newest: (n: string) => `The newest ${n} are listed.`,
    choose: 'Choose…',
    gone: 'No longer available',
    detach: (title: string) => `Remove: ${title}`,
  },
  zh: {
    description: '说明',
    notes: '备注',
    location: '地点',
    colour: '颜色',
    noColour: '默认',
    files: '附件',
    attach: '添加资料为附件',
    newest: (n: string) => `仅列出最新的 ${n} 个。`,
    choose: '请选择…',
    gone: '已不可用',
    detach: (title: string) => `移除：${title}`,
  },
})

export type Metadata = Entry['metadata']
export interface File {
  material_id: number
  title: string | null
}

const COLOURS = ['#2f7d68', '#2f6fb0', '#7a5cc0', '#b0487a', '#b3541e', '#8a7a1f']

export function Details({
  description,
  metadata,
  colour,
  errors,
}: {
  description: string | null
  metadata: Metadata
  colour: Signal<string | undefined>
  errors: Record<string, string>
}) {
  const own = metadata.color
  const colours = own === undefined || COLOURS.includes(own.toLowerCase()) ? COLOURS : [own, ...COLOURS]
  return (
    <>
      <TextField
        label={t.location}
        name="metadata.location"
        error={errors['metadata.location']}
        maxLength={255}
        defaultValue={metadata.location ?? ''}
      />
      <TextArea
        label={t.description}
        name="description"
        error={errors.description}
        maxLength={2000}
        defaultValue={description ?? ''}
      />
      <TextArea
        label={t.notes}
        name="metadata.notes"
        error={errors['metadata.notes']}
        maxLength={2000}
        defaultValue={metadata.notes ?? ''}
      />
      <fieldset class="field">
        <legend class="label">{t.colour}</legend>
        <div class="row">
          {[undefined, ...colours].map((one) => (
            <label key={one ?? ''} class="colour" title={one ?? t.noColour}>
              <input
                type="radio"
                name="colour"
                checked={colour.value?.toLowerCase() === one?.toLowerCase()}
                onChange={() => {
                  colour.value = one
                }}
              />
              <span class="colour-mark" style={one ? { background: one } : {}} />
              <span class="hidden-text">{one ?? t.noColour}</span>
            </label>
          ))}
        </div>
      </fieldset>
    </>
  )
}

/** As many as the server lists at a time. */
const MOST_CHOICES = 100

/** Files that go with an item: materials that everybody can see. */
export function Files({ files }: { files: Signal<File[]> }) {
  const isOpen = useSignal(false)
  const materials = useView({
    key: String(isOpen.value),
    load: async (signal): Promise<{ files: File[]; total: number }> => {
      if (!isOpen.value) return { files: [], total: 0 }
      const query = { page_size: MOST_CHOICES }
      const { items, total } = await dataOf(api().learning.materials.get({ query, signal }))
      return { files: items.map(({ id, title }) => ({ material_id: id, title })), total }
    },
  })
  const { files: newest, total } = materials.data ?? { files: [], total: 0 }
  const choices = newest.filter(
    ({ material_id }) => !files.value.some((file) => file.material_id === material_id),
  )
  const open = () => {
    isOpen.value = true
  }
  return (
    <div class="stack-tight">
      {files.value.length > 0 && (
        <ul class="stack-tight" aria-label={t.files}>
          {files.value.map((file) => (
            <li key={file.material_id} class="row">
              <span class="grow truncate">{file.title ?? t.gone}</span>
              <IconButton
                icon="close"
                kind="plain"
                small
                label={t.detach(file.title ?? t.gone)}
                onClick={() => {
                  files.value = files.value.filter(({ material_id }) => material_id !== file.material_id)
                }}
              />
            </li>
          ))}
        </ul>
      )}
      <Select
        label={t.attach}
        hint={total > MOST_CHOICES && t.newest(count(MOST_CHOICES))}
        value=""
        options={[
          ['', t.choose],
          ...choices.map((one) => [String(one.material_id), one.title ?? ''] as const),
        ]}
        onFocus={open}
        onPointerDown={open}
        onChange={(event) => {
          const file = choices.find(({ material_id }) => String(material_id) === event.currentTarget.value)
          if (file) files.value = [...files.value, file]
        }}
      />
    </div>
  )
}
