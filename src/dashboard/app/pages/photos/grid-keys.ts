/** Arrow keys, Home and End lead from photo to photo in the grid. */
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface Cells {
  columns: number
  total: number
  /** From the top of a row to that of the next one, in pixels. */
  step: number
  /** Of a cell, in pixels. */
  size: number
}

/** @returns the handler of the grid's `keydown`. A photo that is not in the page yet gets the focus when it comes. */
export function useGridKeys(box: RefObject<HTMLElement | null>, { columns, total, step, size }: Cells) {
  const toFocus = useRef<number | undefined>(undefined)
  const focus = (options: FocusOptions = {}) => {
    if (toFocus.current === undefined) return
    const cell = box.current?.querySelector<HTMLElement>(`a[data-index="${toFocus.current}"]`)
    if (!cell) return
    cell.focus(options)
    toFocus.current = undefined
  }
  useEffect(() => focus())

  return (event: KeyboardEvent) => {
    const from = Number((event.target as HTMLElement).dataset.index ?? Number.NaN)
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key]
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? total - 1 : from + (by ?? Number.NaN)
    if (Number.isNaN(from) || !(to >= 0 && to < total)) return
    event.preventDefault()
    toFocus.current = to
    bringIntoView(box.current!, Math.floor(to / columns) * step, size)
    focus({ preventScroll: true })
  }
}

/** Scrolls so far that a row lies between the bar at the top and the end of the window. */
function bringIntoView(box: HTMLElement, top: number, height: number): void {
  const [above, below] = [80, 24]
  const at = box.getBoundingClientRect().top + top
  if (at < above) scrollBy({ top: at - above })
  else if (at + height > innerHeight - below) scrollBy({ top: at + height - innerHeight + below })
}
