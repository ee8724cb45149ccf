import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Checkbox, Select, TextArea, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Card } from '../../ui/parts.tsx'
import { tagNames } from '../../uploads/tag-names.ts'
import { categoryOptions, loadCategories } from './categories.ts'
import type { PhotoDetail } from './photo.tsx'
import { STATUS_TEXTS } from './status.tsx'

const t = texts({
  en: {
    title: 'Title',
    description: 'Description',
    status: 'Status',
    visibility: 'Visibility',
    tags: 'Tags',
    tagsHint: 'With commas between them',
    categories: 'Categories',
    save: 'Save',
  },
  zh: {
    title: '标题',
    description: '说明',
    status: '状态',
    visibility: '可见性',
    tags: '标签',
    tagsHint: '用逗号分隔',
    categories: '分类',
    save: '保存',
  },
})

const choices = <T extends keyof typeof STATUS_TEXTS>(names: readonly T[]) =>
  names.map((name) => [name, STATUS_TEXTS[name]] as const)

type Status = PhotoDetail['status']
type Visibility = PhotoDetail['visibility']

export function PhotoForm({ photo, onSaved }: { photo: PhotoDetail; onSaved: (photo: PhotoDetail) => void }) {
  const categories = useView({ load: loadCategories })
  const first = useMemo(() => photo.categories.map(({ id }) => id), [])
  const chosen = useSignal<readonly number[]>(first)
  return (
    <Card>
      <Form
        submit={t.save}
        icon="check"
        onSubmit={async ({ title = '', description = '', status, visibility, tags = '' }) => {
          const now = {
            title,
            description,
            status: status as Status,
            visibility: visibility as Visibility,
            tags: tagNames(tags),
            categories: [...chosen.peek()],
          }
          const before = { ...photo, tags: photo.tags.map(({ name }) => name), categories: first }
          const saved = await dataOf(api().portfolio.photos({ id: photo.id }).put(changed(now, before)))
          onSaved(saved.data)
        }}
      >
        {(errors) => (
          <>
            <TextField
              label={t.title}
              name="title"
              required
              maxLength={200}
              defaultValue={photo.title}
              error={errors.title}
            />
            <TextArea
              label={t.description}
              name="description"
              maxLength={10_000}
              defaultValue={photo.description}
              error={errors.description}
            />
            <div class="fields">
              <Select
                label={t.status}
                name="status"
                defaultValue={photo.status}
                options={choices(['draft', 'published', 'archived'])}
              />
              <Select
                label={t.visibility}
                name="visibility"
                defaultValue={photo.visibility}
                options={choices(['public', 'private'])}
              />
            </div>
            <TextField
              label={t.tags}
              name="tags"
              hint={t.tagsHint}
              defaultValue={photo.tags.map(({ name }) => name).join(', ')}
              error={errors.tags}
            />
            {categories.data && categories.data.categories.length > 0 && (
              <fieldset class="field">
                <legend class="label">{t.categories}</legend>
                <div class="category-choice">
                  {categoryOptions(categories.data).map(([id, name]) => (
                    <Checkbox
                      key={id}
                      label={name}
                      checked={chosen.value.includes(Number(id))}
                      onChange={({ currentTarget }) => {
                        const others = chosen.peek().filter((other) => other !== Number(id))
                        chosen.value = currentTarget.checked ? [...others, Number(id)] : others
                      }}
                    />
                  ))}
                </div>
              </fieldset>
            )}
          </>
        )}
      </Form>
    </Card>
  )
}
