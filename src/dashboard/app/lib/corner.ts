import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'

/** A component in the corner of every page. What needs it puts it here, so that the first load does not include its code. */
export const corner = signal<ComponentType | undefined>(undefined)
