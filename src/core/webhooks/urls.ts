import { isIP } from 'node:net'
import { isWebPort } from '../../util/egress.ts'
import { isPublicAddress } from '../../util/public-address.ts'
import type { Context } from '../context.ts'
import { AppError, invalid } from '../errors.ts'

/**
 * Checks what a URL says by itself. Where its name leads to is checked at each attempt, because that may change at any time.
 * @returns the URL as it is stored
 * @throws AppError VALIDATION_FAILED, WEBHOOK_ADDRESS_NOT_PUBLIC
 */
export function checkedTarget({ config }: Pick<Context, 'config'>, value: string): string {
  const url = URL.parse(value.trim())
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '' || url.username || url.password)
    throw invalid('url', 'web_url')
  if (!isWebPort(url)) throw invalid('url', 'port', { port: url.port })
  url.hash = ''
  if (!config.allowPrivateEgress && !mayBePublic(url.hostname))
    throw new AppError('WEBHOOK_ADDRESS_NOT_PUBLIC', { params: { field: 'url' } })
  return url.href
}

/** `URL` has brought decimal, octal and hexadecimal forms of IPv4 addresses into the usual one. */
function mayBePublic(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return isPublicAddress(host)
  // RFC 6761: the name always means the machine itself.
  return !/(^|\.)localhost\.?$/i.test(host)
}
