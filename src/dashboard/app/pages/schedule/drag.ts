/** Drags an item over the grid, with a mouse, a pen or a finger. */

const STEP_MINUTES = 15
/** A press that moves less is a click. */
const CLICK_PX = 4
/** A finger scrolls, unless it has rested on the item for so long. */
const HOLD_MS = 350
const EDGE_PX = 36
const EDGE_STEP_PX = 14

export interface Moved {
  days: number
  minutes: number
}

interface Options {
  /** The columns of the days, side by side, and as high as 24 hours. */
  body: HTMLElement
  scroller: HTMLElement
  columns: number
  /** How far it has come; undefined: it is not moved any more. */
  onMove: (moved: Moved | undefined) => void
  onDrop: (moved: Moved) => void
}

export function beginDrag(down: PointerEvent, { body, scroller, columns, onMove, onDrop }: Options): void {
  if (down.button !== 0 || !down.isPrimary) return
  const ending = new AbortController()
  const { signal } = ending
  const startY = down.clientY + scroller.scrollTop
  const columnAt = (x: number) => {
    const { left, width } = body.getBoundingClientRect()
    return Math.floor(((x - left) / width) * columns)
  }
  let isActive = false
  let moved: Moved = { days: 0, minutes: 0 }
  const hold = setTimeout(() => {
    if (down.pointerType === 'touch') activate()
  }, HOLD_MS)
  const activate = () => {
    isActive = true
    onMove(moved)
  }
  const end = () => {
    clearTimeout(hold)
    ending.abort()
    if (isActive) onMove(undefined)
  }
  const move = (event: PointerEvent) => {
    if (!isActive) {
      const distance = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY)
      if (distance < CLICK_PX) return
      // The finger scrolls the page.
      if (down.pointerType === 'touch') return end()
      activate()
    }
    scrollAtEdges(scroller, event.clientY)
    const target = Math.min(Math.max(columnAt(event.clientX), 0), columns - 1)
    const minutes = ((event.clientY + scroller.scrollTop - startY) / body.offsetHeight) * 24 * 60
    const next = {
      days: target - columnAt(down.clientX),
      minutes: Math.round(minutes / STEP_MINUTES) * STEP_MINUTES,
    }
    if (next.days === moved.days && next.minutes === moved.minutes) return
    moved = next
    onMove(moved)
  }
  const up = () => {
    const isDrop = isActive
    end()
    if (!isDrop) return
    swallowClick()
    if (moved.days !== 0 || moved.minutes !== 0) onDrop(moved)
  }
  addEventListener('pointermove', move, { signal })
  addEventListener('pointerup', up, { signal })
  addEventListener('pointercancel', end, { signal })
  addEventListener('keydown', (event) => event.key === 'Escape' && end(), { signal })
  // Else the browser would scroll, and take the pointer away. A finger's events go to the element where it began, which may be
  // no part of the page any more when the item has moved to another day.
  const keep = (event: Event) => isActive && event.preventDefault()
  down.target!.addEventListener('touchmove', keep, { signal, passive: false })
}

function scrollAtEdges(scroller: HTMLElement, y: number): void {
  const { top, bottom } = scroller.getBoundingClientRect()
  if (y < top + EDGE_PX) scroller.scrollTop -= EDGE_STEP_PX
  else if (y > bottom - EDGE_PX) scroller.scrollTop += EDGE_STEP_PX
}

/** The click that the browser sends after the pointer is up would open the item. */
function swallowClick(): void {
  const swallow = (event: MouseEvent) => {
    event.preventDefault()
    event.stopPropagation()
  }
  addEventListener('click', swallow, { capture: true, once: true })
  setTimeout(() => removeEventListener('click', swallow, { capture: true }))
}
