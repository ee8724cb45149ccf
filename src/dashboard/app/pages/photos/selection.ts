/** The photos that the user has chosen for a change. */
import { signal } from '@preact/signals'
import { isAdmin } from '../../lib/session.ts'
import type { Photo, PhotoList } from './photo-list.ts'

export class Selection {
  readonly ids = signal<ReadonlySet<number>>(new Set())
  /** Clicks choose photos in place of opening them. */
  readonly isOpen = signal(false)
  private last: number | undefined

  constructor(private readonly list: PhotoList) {}

  has = (id: number | undefined): boolean => id !== undefined && this.ids.value.has(id)

  /** `file_id` is null for who may not change the photo. */
  mayChange = (photo: Photo): boolean => isAdmin.value || photo.file_id !== null

  /** With Shift, all from the last chosen one on. */
  toggle = (event: Event, index: number, photo: Photo): void => {
    // A label of the checkbox inside a link would open the photo.
    if ((event.currentTarget as HTMLElement).tagName === 'A') event.preventDefault()
    const next = new Set(this.ids.peek())
    const adds = !next.has(photo.id)
    const from = (event as MouseEvent).shiftKey ? (this.last ?? index) : index
    for (let at = Math.min(from, index); at <= Math.max(from, index); at++) {
      const other = this.list.at(at)
      if (!other || !this.mayChange(other)) continue
      if (adds) next.add(other.id)
      else next.delete(other.id)
    }
    this.last = index
    this.ids.value = next
    this.isOpen.value = next.size > 0
  }

  clear = (): void => {
    this.ids.value = new Set()
    this.isOpen.value = false
    this.last = undefined
  }

  /** Photos that have been changed or deleted are not chosen any more. The last of them ends the selection. */
  remove(ids: readonly number[]): void {
    const next = this.ids.peek().difference(new Set(ids))
    if (next.size === this.ids.peek().size) return
    this.ids.value = next
    if (next.size === 0) this.clear()
  }
}
