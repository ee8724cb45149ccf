/**
 * Signed addresses: who has one may fetch one file from this server for some minutes, without a sign-in. They are of this
 * server also when the objects are in a bucket, because clients may not reach the bucket's S3_ENDPOINT.
 */
import { keyToPath } from '../../storage/keys.ts'
import { isSameSecret } from '../../util/secrets.ts'
import type { Context } from '../context.ts'

/** Seconds. Within one window the address of a file stays the same, so that browsers find it in their caches. */
const WINDOW = 5 * 60
/** Windows. An address works for 15 to 20 minutes. */
const LIFETIME = 4

/**
 * The number of the window in which an address is made. It follows the wall clock, because all servers must give the same
 * address.
 */
export const addressWindow = (): number => Math.floor(Date.now() / 1000 / WINDOW)

const signatureOf = (ctx: Context, key: string, expires: number) =>
  ctx.keyedHash('file-address', `${expires} ${key}`)

export function signedUrl(ctx: Context, origin: string, key: string): string {
  const expires = (addressWindow() + LIFETIME) * WINDOW
  return `${origin}/files/${keyToPath(key)}?expires=${expires}&signature=${signatureOf(ctx, key, expires)}`
}

/** Whether the query of a file's address has a signature for this key. */
export function checkSignature(ctx: Context, key: string, url: string): 'valid' | 'expired' | 'none' {
  const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1])
  const expires = query.get('expires') ?? ''
  if (!/^[1-9]\d{0,11}$/.test(expires)) return 'none'
  if (!isSameSecret(signatureOf(ctx, key, Number(expires)), query.get('signature') ?? '')) return 'none'
  return Number(expires) * 1000 > Date.now() ? 'valid' : 'expired'
}
