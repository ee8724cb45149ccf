/** All photos: a grid of any length, the search, and changes of many at once. */
import { useMemo } from 'preact/hooks'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, route } from '../../lib/router.ts'
import { isEditor } from '../../lib/session.ts'
import { RELOAD, reload, useView } from '../../lib/view.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Empty, ErrorNotice, Loading } from '../../ui/parts.tsx'
import { BatchBar } from './batch-bar.tsx'
import { loadCategories } from './categories.ts'
import { filterOf, keyOf } from './filter.ts'
import { ActiveFilters, FacetLinks, Order } from './filters.tsx'
import { Grid } from './grid.tsx'
import { photoList } from './photo-list.ts'
import { PhotosHead } from './photos-head.tsx'
import { useRenewal } from './renewal.ts'
import { SearchBox } from './search-box.tsx'
import { Selection } from './selection.ts'

const t = texts({
  en: {
    photos: (n: number, text: string) => (n === 1 ? '1 photo' : `${text} photos`),
    empty: 'No photos yet.',
    emptyEditor: 'No photos yet. Drop some here, or press “Upload”.',
    noHits: 'No photo fits.',
    all: 'Show all photos',
    select: 'Select',
    endSelection: 'End selection',
  },
  zh: {
    photos: (_: number, text: string) => `${text} 张照片`,
    empty: '还没有照片。',
    emptyEditor: '还没有照片。拖到这里，或点击“上传”。',
    noHits: '没有符合条件的照片。',
    all: '显示全部照片',
    select: '选择',
    endSelection: '结束选择',
  },
})

export default function Photos() {
  const filter = filterOf(route.value.query)
  const key = keyOf(filter)
  const [list, selection] = useMemo(() => {
    const list = photoList(filter)
    return [list, new Selection(list)] as const
  }, [key])
  const categories = useView({
    load: loadCategories,
    on: { 'category.created': reload, 'category.updated': reload, 'category.deleted': reload },
  })
  const view = useView({
    key,
    load: async (signal) => {
      await list.reload(signal)
      return list
    },
    on: {
      'photo.created': reload,
      'photo.deleted': ({ data: { photo_id } }) => {
        selection.remove([photo_id])
        return RELOAD
      },
      'photo.processed': reload,
      'photo.updated': ({ data: { photo_id, title, status, visibility } }) => {
        list.change(photo_id, { title, status, visibility })
        return RELOAD
      },
    },
  })
  const renew = useRenewal(view)

  const total = list.total.value
  const isFiltered = key !== keyOf({})
  const isSelecting = selection.isOpen.value
  return (
    <>
      <PhotosHead current="library" />
      <div class="photo-tools">
        <SearchBox filter={filter} />
        {!filter.q && <Order filter={filter} />}
      </div>
      <ActiveFilters filter={filter} categories={categories.data} />
      {list.facets.value && <FacetLinks facets={list.facets.value} filter={filter} />}
      {view.error !== undefined && <ErrorNotice error={view.error} onRetry={view.reload} />}
      {total !== undefined && (
        <div class="row">
          <span class="grow muted number" role="status">
            {t.photos(total, count(total))}
          </span>
          {isEditor.value && total > 0 && (
            <Button
              small
              icon="check"
              aria-pressed={isSelecting}
              onClick={() => {
                if (isSelecting) selection.clear()
                else selection.isOpen.value = true
              }}
            >
              {isSelecting ? t.endSelection : t.select}
            </Button>
          )}
        </div>
      )}
      {total === undefined && view.error === undefined && <Loading lines={8} />}
      {total === 0 ? (
        <Empty text={isFiltered ? t.noHits : isEditor.value ? t.emptyEditor : t.empty}>
          {isFiltered && <ButtonLink to={href('/photos')}>{t.all}</ButtonLink>}
        </Empty>
      ) : (
        <Grid key={key} list={list} selection={isEditor.value ? selection : undefined} onImageError={renew} />
      )}
      {isEditor.value && (
        <BatchBar selection={selection} categories={categories.data} onDone={() => view.reload()} />
      )}
    </>
  )
}
