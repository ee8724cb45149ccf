/**
 * The S3 of the tests: one key, everything signed, and strict where services are strict (signatures and body hashes,
 * smallest parts, part order, Content-MD5 or a checksum on a deletion). It goes wrong when it is told
 * to. `bun main.ts <directory> <key id> <secret> <page size>` prints its port and ends with its standard input.
 */
import { type FaultOrder, forget, order, S3Fault, takeFault } from './faults.ts'
import { checkSignature } from './signature.ts'
import { type Bucket, Store, type StoredObject } from './store.ts'
import { tag, values, xml } from './xml.ts'

const [directory, keyId, secret, page] = process.argv.slice(2) as [string, string, string, string]
const store = new Store(directory)
const MAX_KEYS = Number(page)
const MAX_DELETIONS = 1000

interface Call {
  request: Request
  query: URLSearchParams
  bucketName: string
  key: string
  /** What the signature says of the body. */
  sha256: string | undefined
}

const kept = ['content-type', 'content-disposition', 'cache-control']
const pick = ({ headers }: Request) =>
  Object.fromEntries(kept.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)!]] : [])))

const operations: Record<string, (call: Call) => Promise<Response>> = {
  async CreateBucket({ bucketName }) {
    if (store.buckets.has(bucketName)) throw new S3Fault('BucketAlreadyOwnedByYou', 409)
    store.buckets.set(bucketName, { objects: new Map(), uploads: new Map(), shown: [] })
    return new Response()
  },
  async HeadBucket({ bucketName }) {
    store.bucket(bucketName)
    return new Response()
  },
  async ListObjectsV2({ query, bucketName }) {
    const { objects } = store.bucket(bucketName)
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, Math.min(MAX_KEYS, Number(query.get('max-keys') ?? MAX_KEYS)))
    const more = keys.length > page.length
    const contents = page.map((key) => {
      const { size, etag, at } = objects.get(key)!
      const fields = [
        tag('Key', key),
        tag('Size', size),
        tag('ETag', etag),
        tag('LastModified', at.toISOString()),
      ]
      return `<Contents>${fields.join('')}</Contents>`
    })
    const next = tag('NextContinuationToken', more ? page.at(-1) : undefined)
    return xml('ListBucketResult', tag('IsTruncated', more) + next + contents.join(''))
  },
  async ListMultipartUploads({ query, bucketName }) {
    const { uploads } = store.bucket(bucketName)
    const position = (key: string, id: string) => `${key}\0${id}`
    const after = position(query.get('key-marker') ?? '', query.get('upload-id-marker') ?? '')
    const rest = [...uploads.values()]
      .filter(({ key, id }) => key.startsWith(query.get('prefix') ?? '') && position(key, id) > after)
      .sort((a, b) => (position(a.key, a.id) < position(b.key, b.id) ? -1 : 1))
    const page = rest.slice(0, Math.min(MAX_KEYS, Number(query.get('max-uploads') ?? MAX_KEYS)))
    const more = rest.length > page.length
    const content = page.map(({ key, id, at }) => {
      return `<Upload>${tag('Key', key)}${tag('UploadId', id)}${tag('Initiated', at.toISOString())}</Upload>`
    })
    const next = more
      ? tag('NextKeyMarker', page.at(-1)!.key) + tag('NextUploadIdMarker', page.at(-1)!.id)
      : ''
    return xml('ListMultipartUploadsResult', tag('IsTruncated', more) + next + content.join(''))
  },
  async DeleteObjects({ request, bucketName }) {
    const { objects } = store.bucket(bucketName)
    const { headers } = request
    const checked =
      headers.has('content-md5') || [...headers.keys()].some((name) => name.startsWith('x-amz-checksum-'))
    if (!checked) throw new S3Fault('InvalidRequest', 400)
    const keys = values(await request.text(), 'Key')
    if (keys.length === 0 || keys.length > MAX_DELETIONS) throw new S3Fault('MalformedXML', 400)
    for (const key of keys) objects.delete(key)
    return xml('DeleteResult', '')
  },
  async PutObject({ request, bucketName, key, sha256 }) {
    const { objects } = store.bucket(bucketName)
    const content = await store.receive(request, sha256)
    const etag = `"${content.md5}"`
    objects.set(key, { ...content, etag, headers: pick(request) })
    return new Response(null, { headers: { etag } })
  },
  async CopyObject({ request, bucketName, key }) {
    const [from = '', ...rest] = decodeURIComponent(request.headers.get('x-amz-copy-source')!).split('/')
    const { etag, at } = await store.copy(
      find(store.bucket(from), rest.join('/')),
      store.bucket(bucketName),
      key,
    )
    return xml('CopyObjectResult', tag('ETag', etag) + tag('LastModified', at.toISOString()))
  },
  async PutBucketPolicy({ request, bucketName }) {
    const { Statement } = (await request.json()) as { Statement: { Resource: string[] }[] }
    // `arn:aws:s3:::bucket/materials/*`, to be read by everybody: all that is understood here.
    store.bucket(bucketName).shown = Statement.flatMap(({ Resource }) => Resource).map(
      (resource) => /^arn:aws:s3:::[^/]+\/(.+)\*$/.exec(resource)![1]!,
    )
    return new Response(null, { status: 204 })
  },
  async HeadObject({ bucketName, key }) {
    const { size, ...object } = find(store.bucket(bucketName), key)
    // The runtime counts a body that is not there.
    return new Response(null, { headers: { ...headersOf(object), 'content-length': String(size) } })
  },
  async GetObject({ request, bucketName, key }) {
    const object = find(store.bucket(bucketName), key)
    const file = Bun.file(object.path)
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? []
    if (first === undefined) return new Response(file.stream(), { headers: lengthOf(object, object.size) })
    const start = Number(first)
    const end = Math.min(last ? Number(last) : Number.POSITIVE_INFINITY, object.size - 1)
    if (start >= object.size) throw new S3Fault('InvalidRange', 416)
    const headers = {
      ...lengthOf(object, end + 1 - start),
      'content-range': `bytes ${start}-${end}/${object.size}`,
    }
    return new Response(file.slice(start, end + 1).stream(), { status: 206, headers })
  },
  async CreateMultipartUpload({ request, bucketName, key }) {
    const id = crypto.randomUUID()
    const { uploads } = store.bucket(bucketName)
    uploads.set(id, { id, key, at: new Date(), headers: pick(request), parts: new Map() })
    return xml('InitiateMultipartUploadResult', tag('UploadId', id))
  },
  async UploadPart({ request, query, bucketName, key, sha256 }) {
    const bucket = store.bucket(bucketName)
    const find = () => store.upload(bucket, query.get('uploadId')!, key)
    find()
    const content = await store.receive(request, sha256)
    find().parts.set(Number(query.get('partNumber')), content)
    return new Response(null, { headers: { etag: `"${content.md5}"` } })
  },
  async ListParts({ query, bucketName, key }) {
    const { parts } = store.upload(store.bucket(bucketName), query.get('uploadId')!, key)
    const content = [...parts].map(([number, { at, size }]) => {
      return `<Part>${tag('PartNumber', number)}${tag('LastModified', at.toISOString())}${tag('Size', size)}</Part>`
    })
    return xml('ListPartsResult', tag('IsTruncated', false) + content.join(''))
  },
  async CompleteMultipartUpload({ request, query, bucketName, key }) {
    const bucket = store.bucket(bucketName)
    const upload = store.upload(bucket, query.get('uploadId')!, key)
    const text = await request.text()
    const etags = values(text, 'ETag')
    const named = values(text, 'PartNumber').map((number, i) => ({ number: Number(number), etag: etags[i]! }))
    const object = await store.complete(upload, named)
    bucket.uploads.delete(upload.id)
    bucket.objects.set(key, object)
    return xml('CompleteMultipartUploadResult', tag('ETag', object.etag))
  },
  async AbortMultipartUpload({ query, bucketName, key }) {
    const bucket = store.bucket(bucketName)
    const upload = store.upload(bucket, query.get('uploadId')!, key)
    bucket.uploads.delete(upload.id)
    await store.discard(upload)
    return new Response(null, { status: 204 })
  },
}

function find(bucket: Bucket, key: string): StoredObject {
  const object = bucket.objects.get(key)
  if (!object) throw new S3Fault('NoSuchKey', 404)
  return object
}

const headersOf = ({ etag, at, headers }: Pick<StoredObject, 'etag' | 'at' | 'headers'>) => ({
  ...headers,
  etag,
  'last-modified': at.toUTCString(),
})
const lengthOf = (object: StoredObject, length: number) => ({
  ...headersOf(object),
  'content-length': String(length),
})

function operationOf({ method, headers }: Request, key: string, query: URLSearchParams): string | undefined {
  const of = (table: Record<string, string>) => table[method]
  if (key === '') {
    if (query.has('uploads')) return of({ GET: 'ListMultipartUploads' })
    if (query.has('delete')) return of({ POST: 'DeleteObjects' })
    if (query.has('policy')) return of({ PUT: 'PutBucketPolicy' })
    return of({ GET: 'ListObjectsV2', PUT: 'CreateBucket', HEAD: 'HeadBucket' })
  }
  if (query.has('uploads')) return of({ POST: 'CreateMultipartUpload' })
  if (query.has('uploadId')) {
    const table = { POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload', GET: 'ListParts' }
    return of({ ...table, PUT: 'UploadPart' })
  }
  const put = headers.has('x-amz-copy-source') ? 'CopyObject' : 'PutObject'
  return of({ GET: 'GetObject', PUT: put, HEAD: 'HeadObject' })
}

async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (url.pathname === '/-/fault') {
    if (request.method === 'DELETE') forget()
    else order((await request.json()) as FaultOrder)
    return new Response()
  }
  const [, bucketName = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
  const key = rest.join('/')
  const operation = operationOf(request, key, url.searchParams)
  if (!operation) throw new S3Fault('MethodNotAllowed', 405)
  const fault = takeFault(operation)
  if (fault?.how === 'hang') await new Promise(() => {})
  if (fault?.how === 'refuse') throw new S3Fault(fault.code, fault.status)
  const anonymous = !request.headers.has('authorization')
  const shown = anonymous && operation === 'GetObject' && store.shows(bucketName, key)
  const sha256 = shown ? undefined : checkSignature(request, keyId, secret)
  const response = await operations[operation]!({ request, query: url.searchParams, bucketName, key, sha256 })
  if (fault?.how === 'lose') throw new S3Fault(fault.code, fault.status)
  return response
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    try {
      return await answer(request)
    } catch (error) {
      const { code, status } = error instanceof S3Fault ? error : new S3Fault('InternalError', 500)
      if (!(error instanceof S3Fault) && !request.signal.aborted) console.error(error)
      return xml('Error', tag('Code', code) + tag('Message', code), status)
    }
  },
})
console.log(server.port)
for await (const _ of Bun.stdin.stream()) {
  // Its end is ours.
}
process.exit(0)
