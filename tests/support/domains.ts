/** The order of the domains in `src/core`. */
import { dirname, join, normalize } from 'node:path'
import type { Import } from './walls.ts'

/** Lowest first: a domain may import those before it, and none behind it. */
export const DOMAINS = [
  'channel',
  'generations',
  'audit',
  'idempotency',
  'logs',
  'rate-limits',
  'system',
  'money',
  'mail',
  'accounts',
  'recharge',
  'verification',
  'files',
  'materials',
  'courses',
  'photo-index',
  'photo-files',
  'site',
  'tags',
  'categories',
  'photos',
  'timeline',
  'cache',
  'agenda',
  'tasks',
  'reconciliation',
  'nodes',
  'study',
  'agent',
  'user-deletion',
  'statistics',
  'webhooks',
  'backup',
]

/**
 * `file imports X` for every import of a higher domain, types included. Files at the top of core are shared by all
 * domains, or are lists that collect from them.
 */
export function upwardImports(file: string, imports: Import[]): string[] {
  const own = domainOf(file)
  if (own === undefined) return []
  return imports
    .filter(({ from }) => {
      const other = from.startsWith('.') ? domainOf(normalize(join(dirname(file), from))) : undefined
      return other !== undefined && DOMAINS.indexOf(other) > DOMAINS.indexOf(own)
    })
    .map(({ from }) => `${file} imports ${from}`)
}

/** The domain that a file of core belongs to; undefined for other files. */
export function domainOf(file: string): string | undefined {
  const [part, domain, rest] = file.split('/')
  return part === 'core' && rest !== undefined && domain !== 'errors' ? domain : undefined
}
