import { AppError, type Issue } from '../../../core/errors.ts'
import {
  definitionsOf,
  SITE_CATEGORIES,
  type SiteCategory,
  type SiteChange,
} from '../../../core/system/site-definitions.ts'
import { snakeCase } from '../../../util/case.ts'
import { FLAT_PLACES, type Place } from './models.ts'

interface Named extends Place {
  /** As the client wrote it. */
  field: string
  value: unknown
}

/**
 * The settings that a body names, flat or nested.
 * @throws AppError VALIDATION_FAILED with every name that is no setting; SETTING_NAMED_TWICE
 */
export function readChange(body: Record<string, unknown>): SiteChange {
  const unknown: string[] = []
  const named = Object.entries(body).flatMap(([field, value]): Named[] => {
    if (isCategory(field)) return nestedIn(field, value as Record<string, unknown>, unknown)
    const place = FLAT_PLACES.get(field)
    if (place) return [{ ...place, field, value }]
    unknown.push(field)
    return []
  })
  if (unknown.length > 0) throw unknownSettings(unknown)
  return changeOf(named)
}

const isCategory = (name: string): name is SiteCategory => (SITE_CATEGORIES as string[]).includes(name)

function nestedIn(category: SiteCategory, values: Record<string, unknown>, unknown: string[]): Named[] {
  const names = new Map(definitionsOf(category).map(([name]) => [snakeCase(name), name]))
  return Object.entries(values).flatMap(([wire, value]): Named[] => {
    const field = `${category}.${wire}`
    const name = names.get(wire)
    if (name !== undefined) return [{ category, name, field, value }]
    unknown.push(field)
    return []
  })
}

function changeOf(named: Named[]): SiteChange {
  const change: { [C in SiteCategory]?: Record<string, unknown> } = {}
  for (const { category, name, field, value } of named) {
    const values = change[category] ?? {}
    change[category] = values
    if (Object.hasOwn(values, name) && JSON.stringify(values[name]) !== JSON.stringify(value))
      throw new AppError('SETTING_NAMED_TWICE', { params: { field } })
    values[name] = value
  }
  return change as SiteChange
}

const unknownSettings = (fields: string[]): AppError =>
  new AppError('VALIDATION_FAILED', {
    part: 'body',
    issues: fields.map((field): Issue => ({ field, rule: 'unknown_setting' })),
  })
