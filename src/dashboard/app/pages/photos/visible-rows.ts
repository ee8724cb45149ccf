/** Which rows of the grid are rendered. */
import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** Rendered above and below the visible part, in pixels. */
const OVERSCAN = 500

export interface Rows {
  first: number
  /** The first one that is visible. */
  seen: number
  /** The one after the last. */
  end: number
}

/**
 * @param step from the top of a row to that of the next one, in pixels
 * @returns `draw` renders the component again in the next frame, once however often it is called before
 */
export function useVisibleRows(
  box: RefObject<HTMLElement | null>,
  step: number,
  count: number,
): { rows: Rows; draw: () => void } {
  const rows = useSignal<Rows>({ first: 0, seen: 0, end: 0 })
  const frame = useSignal(0)
  void frame.value
  const measure = () => {
    if (!box.current) return
    const top = -box.current.getBoundingClientRect().top
    const at = (y: number) => Math.min(count, Math.max(0, y / step))
    const [first, seen] = [Math.floor(at(top - OVERSCAN)), Math.floor(at(top))]
    const end = Math.ceil(at(top + innerHeight + OVERSCAN))
    const now = rows.peek()
    if (now.first !== first || now.seen !== seen || now.end !== end) rows.value = { first, seen, end }
  }
  const latest = useRef(measure)
  latest.current = measure
  const requested = useRef<number | undefined>(undefined)
  const draw = () => {
    requested.current ??= requestAnimationFrame(() => {
      requested.current = undefined
      frame.value++
    })
  }
  // A browser tells of a scroll once a frame at most.
  const move = () => latest.current()

  useLayoutEffect(measure, [step, count])
  useLayoutEffect(() => {
    addEventListener('scroll', move, { passive: true })
    addEventListener('resize', move)
    return () => {
      removeEventListener('scroll', move)
      removeEventListener('resize', move)
      if (requested.current !== undefined) cancelAnimationFrame(requested.current)
    }
  }, [])
  return { rows: rows.value, draw }
}
