/** What clients send about photos, in the form of core. */
import { invalid } from '../../../core/errors.ts'
import type { BatchChange } from '../../../core/photos/batch.ts'
import type { PhotoInput } from '../../../core/photos/input.ts'
import { readTakenAt } from '../../../core/photos/taken-at.ts'
import type { Batch, PhotoChange } from './models.ts'

/** @throws AppError VALIDATION_FAILED */
export const readInput = ({ taken_at, location, sort_order, ...rest }: PhotoChange): PhotoInput => ({
  ...rest,
  sortOrder: sort_order,
  takenAt: typeof taken_at === 'string' ? readTakenAt(taken_at) : taken_at,
  place: location,
})

/** @throws AppError VALIDATION_FAILED when `data` lacks what the action needs */
export function readChange({ action, data }: Batch): BatchChange {
  switch (action) {
    case 'update_status':
      return { action: 'updateStatus', status: needed('status', data?.status) }
    case 'add_tags':
      return { action: 'addTags', tags: needed('tags', data?.tags) }
    case 'remove_tags':
      return { action: 'removeTags', tags: needed('tags', data?.tags) }
    case 'add_categories':
      return { action: 'addCategories', categories: needed('categories', data?.categories) }
    case 'remove_categories':
      return { action: 'removeCategories', categories: needed('categories', data?.categories) }
    case 'delete':
      return { action: 'delete' }
  }
}

function needed<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw invalid(`data.${field}`, 'required')
  return value
}
