/** Parts of the keys under which limits are counted. */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { foldCase } from '../../util/fold.ts'

/** A hash of a name, so that Redis never holds the name itself. Names that fold alike have the same hash. */
export const keyOf = (name: string): string =>
  createHash('sha256').update(foldCase(name.trim())).digest('base64url').slice(0, 22)

/** An IPv4 address, or the /64 network of an IPv6 address, because a client usually owns all addresses of a /64. */
export function networkOf(ip: string): string {
  if (isIP(ip) !== 6) return ip
  const [head = '', tail = ''] = ip.split('::')
  const groups = head.split(':').filter(Boolean)
  const missing = 8 - groups.length - tail.split(':').filter(Boolean).length
  if (ip.includes('::')) groups.push(...Array(Math.max(missing, 0)).fill('0'), ...tail.split(':'))
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
