/** What can be done with the chosen photos. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { tagNames } from '../../uploads/tag-names.ts'
import { type CategoryList, categoryOptions } from './categories.ts'
import type { Selection } from './selection.ts'

const t = texts({
  en: {
    chosen: (count: number) => (count === 1 ? '1 photo selected' : `${count} photos selected`),
    actions: 'Actions for the selected photos',
    publish: 'Publish',
    draft: 'Make drafts',
    archive: 'Archive',
    tags: 'Tags',
    category: 'Category',
    delete: 'Delete',
    end: 'End selection',
    what: 'What to do',
    add: 'Add',
    remove: 'Remove',
    apply: 'Apply',
    tagsHint: 'With commas between them',
    noCategories: 'There are no categories yet.',
    deleteTitle: (count: number) => (count === 1 ? 'Delete this photo?' : `Delete ${count} photos?`),
    deleteText: 'The photos and their files are deleted for good.',
    changed: (count: number) => (count === 1 ? '1 photo changed' : `${count} photos changed`),
    deleted: (count: number) => (count === 1 ? '1 photo deleted' : `${count} photos deleted`),
    some: (done: number, failed: number, why: string) => `Done with ${done}, not with ${failed}: ${why}`,
  },
  zh: {
    chosen: (count: number) => `已选择 ${count} 张照片`,
    actions: '对所选照片的操作',
    publish: '发布',
    draft: '设为草稿',
    archive: '归档',
    tags: '标签',
    category: '分类',
    delete: '删除',
    end: '结束选择',
    what: '操作',
    add: '添加',
    remove: '移除',
    apply: '应用',
    tagsHint: '用逗号分隔',
    noCategories: '还没有分类。',
    deleteTitle: (count: number) => `删除 ${count} 张照片？`,
    deleteText: '照片及其文件将被永久删除。',
    changed: (count: number) => `已更新 ${count} 张照片`,
    deleted: (count: number) => `已删除 ${count} 张照片`,
    some: (done: number, failed: number, why: string) => `${done} 张成功，${failed} 张失败：${why}`,
  },
})

type Body = Parameters<ReturnType<typeof api>['portfolio']['photos']['batch']['post']>[0]
type Change = Omit<Exclude<Body, FormData | Blob>, 'photo_ids'>

/** Photos of one request. */
const AT_ONCE = 100

export function BatchBar({
  selection,
  categories,
  onDone,
}: {
  selection: Selection
  categories: CategoryList | undefined
  onDone: () => Promise<void>
}) {
  const dialog = useSignal<'tags' | 'category' | undefined>(undefined)
  const count = selection.ids.value.size
  const close = () => {
    dialog.value = undefined
  }

  const change = async (body: Change) => {
    const ids = [...selection.ids.peek()]
    const results = []
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const photo_ids = ids.slice(at, at + AT_ONCE)
      const { data } = await dataOf(api().portfolio.photos.batch.post({ ...body, photo_ids }))
      // At once: when the next request fails, the selection has those that are left.
      selection.remove(data.succeeded)
      results.push(data)
    }
    const succeeded = results.flatMap((result) => result.succeeded)
    const failed = results.flatMap((result) => result.failed)
    const done = body.action === 'delete' ? t.deleted : t.changed
    if (failed.length === 0) showToast('good', done(succeeded.length))
    else showToast('warn', t.some(succeeded.length, failed.length, failed[0]!.error))
    await onDone()
  }
  const setStatus = (status: 'draft' | 'published' | 'archived') => () =>
    change({ action: 'update_status', data: { status } })
  const remove = async () => {
    if (await confirm(t.deleteTitle(count), { text: t.deleteText, yes: t.delete }))
      await change({ action: 'delete' })
  }

  if (count === 0) return null
  return (
    <div class="batch-bar" role="toolbar" aria-label={t.actions}>
      <strong role="status">{t.chosen(count)}</strong>
      <Button small onClick={setStatus('published')}>
        {t.publish}
      </Button>
      <Button small onClick={setStatus('draft')}>
        {t.draft}
      </Button>
      <Button small onClick={setStatus('archived')}>
        {t.archive}
      </Button>
      <Button
        small
        icon="tag"
        onClick={() => {
          dialog.value = 'tags'
        }}
      >
        {t.tags}
      </Button>
      <Button
        small
        icon="folder"
        onClick={() => {
          dialog.value = 'category'
        }}
      >
        {t.category}
      </Button>
      {isAdmin.value && (
        <Button small kind="danger" icon="trash" onClick={remove}>
          {t.delete}
        </Button>
      )}
      <Button small kind="plain" icon="close" aria-label={t.end} title={t.end} onClick={selection.clear} />
      {dialog.value && (
        <Dialog title={dialog.value === 'tags' ? t.tags : t.category} onClose={close}>
          {dialog.value === 'category' && categories?.categories.length === 0 ? (
            <p class="muted">{t.noCategories}</p>
          ) : (
            <Form
              submit={t.apply}
              onSubmit={async ({ what, tags = '', category }) => {
                await change(
                  dialog.value === 'tags'
                    ? { action: what === 'add' ? 'add_tags' : 'remove_tags', data: { tags: tagNames(tags) } }
                    : {
                        action: what === 'add' ? 'add_categories' : 'remove_categories',
                        data: { categories: [Number(category)] },
                      },
                )
                close()
              }}
            >
              {() => (
                <>
                  <Select
                    label={t.what}
                    name="what"
                    options={[
                      ['add', t.add],
                      ['remove', t.remove],
                    ]}
                  />
                  {dialog.value === 'tags' ? (
                    <TextField label={t.tags} name="tags" hint={t.tagsHint} required maxLength={1000} />
                  ) : (
                    <Select
                      label={t.category}
                      name="category"
                      options={categories ? categoryOptions(categories) : []}
                    />
                  )}
                </>
              )}
            </Form>
          )}
        </Dialog>
      )}
    </div>
  )
}
