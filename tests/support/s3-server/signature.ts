/** Signature version 4 as a server checks it, by the chapters of Amazon's "Authenticating Requests". */
import { createHash, createHmac } from 'node:crypto'
import { S3Fault } from './faults.ts'

const REGION = 'us-east-1'
const MAX_SKEW_MS = 15 * 60_000
const UNSIGNED = 'UNSIGNED-PAYLOAD'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

interface Claim {
  credential: string
  signedHeaders: string
  signature: string
  time: string
  payload: string
}

/**
 * @returns the SHA-256 that the body has to have, unless it is unsigned
 * @throws S3Fault when the request is not signed by the key's owner, now
 */
export function checkSignature(request: Request, keyId: string, secret: string): string | undefined {
  const url = new URL(request.url)
  const claim = claimOf(request)
  const [id, ...scope] = claim.credential.split('/')
  const [day, region, service] = scope
  if (id !== keyId) throw new S3Fault('InvalidAccessKeyId', 403)
  if (region !== REGION || service !== 's3') throw new S3Fault('AuthorizationHeaderMalformed', 400)
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const names = claim.signedHeaders.split(';')
  for (const [name] of request.headers) {
    if (name.startsWith('x-amz-') && !names.includes(name)) throw new S3Fault('AccessDenied', 403)
  }
  const canonical = [
    request.method,
    url.pathname.split('/').map(decodeURIComponent).map(encode).join('/'),
    query.join('&'),
    ...names.map((name) => `${name}:${(request.headers.get(name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders,
    claim.payload,
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', claim.time, scope.join('/'), sha256(canonical)].join('\n')
  const key = [day!, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  if (hmac(key, toSign).toString('hex') !== claim.signature) throw new S3Fault('SignatureDoesNotMatch', 403)
  return claim.payload === UNSIGNED ? undefined : claim.payload
}

function claimOf(request: Request): Claim {
  const field = request.headers.get('authorization')
  if (!field) throw new S3Fault('AccessDenied', 403)
  const part = (name: string) => new RegExp(`${name}=([^, ]+)`).exec(field)?.[1] ?? ''
  const time = request.headers.get('x-amz-date') ?? ''
  if (Math.abs(Date.now() - parse(time)) > MAX_SKEW_MS) throw new S3Fault('RequestTimeTooSkewed', 403)
  const payload = request.headers.get('x-amz-content-sha256') ?? ''
  return {
    credential: part('Credential'),
    signedHeaders: part('SignedHeaders'),
    signature: part('Signature'),
    time,
    payload,
  }
}

/** 20240115T083000Z */
const parse = (time: string) =>
  Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
