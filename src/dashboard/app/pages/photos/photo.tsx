/** One photo: the picture, what is known about it, and how far the server is with its file. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { navigate, route } from '../../lib/router.ts'
import { api, isAdmin, isEditor } from '../../lib/session.ts'
import { RELOAD, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Card, Loaded, PageHead } from '../../ui/parts.tsx'
import { UploadChooser } from '../../uploads/chooser.tsx'
import type { PageProps } from '../index.ts'
import { Downloads, PhotoFacts } from './facts.tsx'
import { filterOf, listHref, photoHref } from './filter.ts'
import { PhotoForm } from './photo-form.tsx'
import { photoList } from './photo-list.ts'
import { Processing, Reprocess } from './processing.tsx'
import { useRenewal } from './renewal.ts'
import { PhotoState } from './status.tsx'
import { Viewer } from './viewer.tsx'

const t = texts({
  en: {
    loading: 'Photo',
    back: 'All photos',
    edit: 'Edit',
    endEdit: 'Stop editing',
    delete: 'Delete',
    deleteTitle: 'Delete this photo?',
    deleteText: 'The photo and its files are deleted for good.',
    about: 'About this photo',
    downloads: 'Files',
    previous: 'Previous',
    next: 'Next',
  },
  zh: {
    loading: '照片',
    back: '全部照片',
    edit: '编辑',
    endEdit: '结束编辑',
    delete: '删除',
    deleteTitle: '删除这张照片？',
    deleteText: '照片及其文件将被永久删除。',
    about: '照片信息',
    downloads: '文件',
    previous: '上一张',
    next: '下一张',
  },
})

const loadPhoto = async (id: string, signal?: AbortSignal) =>
  (
    await dataOf(
      api()
        .portfolio.photos({ id })
        .get({ ...(signal && { signal }) }),
    )
  ).data
export type PhotoDetail = Awaited<ReturnType<typeof loadPhoto>>

export default function PhotoPage({ params }: PageProps) {
  const id = params.id!
  const { query } = route.value
  const filter = filterOf(query)
  const view = useView({
    key: id,
    load: (signal) => loadPhoto(id, signal),
    on: {
      'photo.updated': ({ data }, photo) => (data.photo_id === photo.id ? RELOAD : photo),
      'photo.processed': ({ data }, photo) => (data.photo_id === photo.id ? RELOAD : photo),
      'photo.deleted': ({ data }, photo) => {
        if (data.photo_id === photo.id) leave()
        return photo
      },
    },
  })
  const isEditing = useSignal(false)
  useEffect(() => {
    isEditing.value = false
  }, [id])
  const leave = () => navigate(listHref(filter), { replace: true, from: `/photos/${id}` })
  const { previous, next } = useNeighbours(Number(id), query)
  const renew = useRenewal(view)
  return (
    <>
      <PageHead title={view.data?.title ?? t.loading} back={{ to: listHref(filter), text: t.back }}>
        {isEditor.value && <UploadChooser button={false} />}
      </PageHead>
      <Loaded view={view} lines={10}>
        {(photo) => {
          const mayChange = isAdmin.value || (isEditor.value && photo.file_id !== null)
          return (
            <>
              <Viewer
                key={photo.id}
                photo={photo}
                previous={previous ? { to: previous, label: t.previous } : undefined}
                next={next ? { to: next, label: t.next } : undefined}
                onImageError={renew}
              />
              <div class="row">
                {photo.file_id !== null && <PhotoState photo={photo} />}
                <span class="grow" />
                {mayChange && (
                  <Button
                    icon={isEditing.value ? 'close' : 'edit'}
                    onClick={() => {
                      isEditing.value = !isEditing.value
                    }}
                  >
                    {isEditing.value ? t.endEdit : t.edit}
                  </Button>
                )}
                {isAdmin.value && (
                  <Button
                    kind="danger"
                    icon="trash"
                    onClick={async () => {
                      if (!(await confirm(t.deleteTitle, { text: t.deleteText, yes: t.delete }))) return
                      await dataOf(api().portfolio.photos({ id }).delete())
                      leave()
                    }}
                  >
                    {t.delete}
                  </Button>
                )}
              </div>
              {photo.file_id !== null && (
                <Processing
                  photo={photo}
                  fileId={photo.file_id as `upload_${string}`}
                  mayChange={mayChange}
                />
              )}
              {isEditing.value ? (
                <PhotoForm
                  key={photo.id}
                  photo={photo}
                  onSaved={(saved) => {
                    view.update(() => saved)
                    isEditing.value = false
                  }}
                />
              ) : (
                <div class="photo-about">
                  <Card title={t.about}>
                    <PhotoFacts photo={photo} />
                  </Card>
                  <Card title={t.downloads}>
                    <Downloads photo={photo} />
                    {photo.file_id !== null && mayChange && <Reprocess fileId={photo.file_id} small />}
                  </Card>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
    </>
  )
}

/** Addresses of the photos before and after this one in the list that it was opened from. */
function useNeighbours(id: number, query: URLSearchParams): { previous?: string; next?: string } {
  const filter = filterOf(query)
  const list = photoList(filter)
  const given = query.get('at')
  useEffect(() => {
    if (given === null) return
    // Without them the photo is shown all the same.
    list.show(Number(given) - 1, Number(given) + 1).catch(() => {})
  }, [list, given])
  if (given === null) return {}
  const at = list.indexOf(id) ?? Number(given)
  const link = (index: number) => {
    const photo = index < 0 ? undefined : list.at(index)
    return photo && photoHref(photo.id, filter, index)
  }
  const [previous, next] = [link(at - 1), link(at + 1)]
  return { ...(previous && { previous }), ...(next && { next }) }
}
