/** The photos of a list as cells of one size. Only those around the visible part are in the page. */
import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../../lib/language.ts'
import { showError } from '../../lib/toasts.ts'
import { Cell } from './cell.tsx'
import { photoHref } from './filter.ts'
import { useGridKeys } from './grid-keys.ts'
import type { PhotoList } from './photo-list.ts'
import type { Selection } from './selection.ts'
import { useVisibleRows } from './visible-rows.ts'

const t = texts({ en: { photos: 'Photos' }, zh: { photos: '照片' } })

const GAP = 6
/** Under the pictures of a search. */
const CAPTION = 48
/** Photos that one frame adds at most. The next frames add the others, so that the page answers meanwhile. */
const NEW_PER_FRAME = 12

interface Layout {
  columns: number
  /** Of a cell, in pixels. */
  size: number
}

function layoutOf(width: number): Layout {
  const wanted = width < 520 ? 110 : 180
  const columns = Math.max(2, Math.floor((width + GAP) / (wanted + GAP)))
  return { columns, size: Math.floor((width - GAP * (columns - 1)) / columns) }
}

interface Props {
  list: PhotoList
  selection: Selection | undefined
  onImageError: () => void
}

export function Grid({ list, selection, onImageError }: Props) {
  const box = useRef<HTMLUListElement>(null)
  const layout = useSignal<Layout>({ columns: 0, size: 0 })
  /** What is rendered now. Preact passes over an element that is the same as before, so scrolling costs the new cells alone. */
  const items = useRef(new Map<number, { at: unknown[]; item: VNode }>())
  const total = list.total.value ?? 0
  const { columns, size } = layout.value
  const step = size + GAP + (list.filter.q ? CAPTION : 0)
  const count = columns === 0 ? 0 : Math.ceil(total / columns)

  const { rows, draw } = useVisibleRows(box, step, count)

  useLayoutEffect(() => {
    const resized = new ResizeObserver(([entry]) => {
      const next = layoutOf(entry!.contentRect.width)
      if (next.columns !== layout.peek().columns || next.size !== layout.peek().size) layout.value = next
    })
    resized.observe(box.current!)
    return () => resized.disconnect()
  }, [])
  useLayoutEffect(() => {
    let scrolled = scrollY
    const onScroll = () => {
      scrolled = scrollY
    }
    addEventListener('scroll', onScroll, { passive: true })
    return () => {
      removeEventListener('scroll', onScroll)
      list.scrollTop = scrolled
    }
  }, [list])
  useLayoutEffect(() => {
    // The page has the height that it had when it was left.
    if (count === 0) return
    if (list.scrollTop > 0) scrollTo({ top: list.scrollTop })
    list.scrollTop = 0
  }, [list, count > 0])

  const startOf = (row: number) => Math.min(total, row * columns)
  const [first, seen, end] = [startOf(rows.first), startOf(rows.seen), startOf(rows.end)]
  useEffect(() => (end > first ? list.showSoon(first, end - 1, showError) : undefined), [list, first, end])
  const onKeyDown = useGridKeys(box, { columns, total, step, size })

  let added = 0
  const item = (index: number) => {
    const known = items.current.get(index)
    let photo = list.at(index)
    if (photo && !known?.at[0] && ++added > NEW_PER_FRAME) photo = undefined
    const isSelected = selection?.has(photo?.id) ?? false
    const isSelecting = selection?.isOpen.value ?? false
    const at = [photo, size, columns, total, isSelected, isSelecting]
    if (known && at.every((value, which) => value === known.at[which])) return known.item
    const select = photo && selection?.mayChange(photo) ? selection.toggle : undefined
    const x = (index % columns) * (size + GAP)
    const y = Math.floor(index / columns) * step
    const made = (
      <li
        key={index}
        class={isSelected ? 'selected' : undefined}
        aria-setsize={total}
        aria-posinset={index + 1}
        style={{ width: `${size}px`, transform: `translate(${x}px, ${y}px)` }}
      >
        {photo ? (
          <Cell
            photo={photo}
            index={index}
            size={size}
            to={photoHref(photo.id, list.filter, index)}
            select={select}
            isSelected={isSelected}
            isSelecting={isSelecting}
            onImageError={onImageError}
          />
        ) : (
          <span class="photo-cell" style={{ height: `${size}px` }} />
        )}
      </li>
    )
    items.current.set(index, { at, item: made })
    return made
  }
  for (const index of items.current.keys()) if (index < first || index >= end) items.current.delete(index)
  // What is visible comes first.
  const below = Array.from({ length: end - seen }, (_, offset) => item(seen + offset))
  const above = Array.from({ length: seen - first }, (_, offset) => item(first + offset))
  useLayoutEffect(() => {
    if (added > NEW_PER_FRAME) draw()
  })

  return (
    <ul
      ref={box}
      class="photo-grid"
      data-selecting={selection?.isOpen.value ?? false}
      aria-label={t.photos}
      style={{ height: `${Math.max(0, count * step - GAP)}px` }}
      onKeyDown={onKeyDown}
    >
      {[...above, ...below]}
    </ul>
  )
}
