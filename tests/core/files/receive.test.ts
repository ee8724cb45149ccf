/** Receiving a file, with a kind of upload of the test's own: no domain is needed. */
import { afterAll, describe, expect, test } from 'bun:test'
import { AppError } from '../../../src/core/errors.ts'
import { detectFormat, SNIFF_BYTES } from '../../../src/core/files/formats.ts'
import { uploadEndedHint } from '../../../src/core/files/hints.ts'
import { receiveFile, type UploadKind, type UploadSource } from '../../../src/core/files/receive.ts'
import { unique } from '../../support/factories.ts'
import { failureOf } from '../../support/failure.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

const HEAD = '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489'
/** Longer than the bytes that decide the format, so that an upload begins before it ends. */
const PNG = new Uint8Array(Buffer.concat([Buffer.from(HEAD, 'hex'), Buffer.alloc(SNIFF_BYTES)]))
const MAX_BYTES = 2 * SNIFF_BYTES
interface Details {
  caption: string
}
interface Picture {
  id: string
  key: string
}

/** Pictures of at most `MAX_BYTES`, and what happened to them. */
function pictures() {
  const steps: unknown[][] = []
  const kind: UploadKind<{ extension: 'png'; maxBytes: number }, Picture, Details> = {
    accepted: {
      byType: { 'image/png': { extension: 'png', maxBytes: MAX_BYTES } },
      unsupported: () => new AppError('UNSUPPORTED_FILE_TYPE'),
    },
    hashes: false,
    async begin(_, userId, { format, name, details }) {
      steps.push(['begin', userId, format.extension, name, details.caption])
      const id = unique('picture')
      return { id, key: `pictures/${id}.png` }
    },
    nameOf: ({ id }) => `picture:${id}`,
    keyOf: ({ key }) => key,
    publish: (_, __, { bytes, total }) => void steps.push(['publish', bytes, total]),
    touch: () => {},
    async finish(_, row, { size, sha256, details }) {
      steps.push(['finish', size, sha256, details.caption])
      return row
    },
    async abandon(ctx, { key }, reason) {
      steps.push(['abandon', reason, await ctx.storage.head(key)])
    },
  }
  return { kind, steps }
}

/** Bytes from somewhere, with the caption before them. */
const source = (
  chunks: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  after?: () => Promise<void>,
): UploadSource<Details> => ({
  total: 1000,
  async read(take) {
    await take({
      name: 'owl.png',
      details: { caption: 'Owl' },
      body: (async function* () {
        yield* chunks()
      })(),
    })
    await after?.()
    return { caption: 'An owl' }
  },
})
const receive = (kind: ReturnType<typeof pictures>['kind'], from: ReturnType<typeof source>, userId = 1) =>
  receiveFile(ctx, userId, kind, from)

test('a file is stored under the key of its record, which is finished with size and details', async () => {
  const { kind, steps } = pictures()
  const row = await receive(
    kind,
    source(() => [PNG.subarray(0, 8), PNG.subarray(8)]),
  )
  const stored = await ctx.storage.open(row.key, (await ctx.storage.head(row.key))!)
  expect(new Uint8Array(await new Response(stored!.content).arrayBuffer())).toEqual(PNG)
  expect(steps).toEqual([
    ['begin', 1, 'png', 'owl.png', 'Owl'],
    ['publish', PNG.byteLength, 1000],
    ['finish', PNG.byteLength, null, 'An owl'],
  ])
})

test('the digest of the file is that of its bytes in order, when the kind or the source asks for it', async () => {
  const sha256 = new Bun.CryptoHasher('sha256').update(PNG).digest('hex')
  const whole = source(() => [PNG.subarray(0, 8), PNG.subarray(8)])
  for (const hashes of [true, false]) {
    const { kind, steps } = pictures()
    await receive({ ...kind, hashes }, hashes ? whole : { ...whole, sha256 })
    expect(steps.at(-1)).toEqual(['finish', PNG.byteLength, sha256, 'An owl'])
  }
})

describe('a file that is refused before its record exists', () => {
  test.each([
    ['an empty one', [], 'VALIDATION_FAILED'],
    ['one of another format', [Buffer.from('GIF89a')], 'UNSUPPORTED_FILE_TYPE'],
  ])('%s leaves nothing to abandon', async (_, chunks, code) => {
    const { kind, steps } = pictures()
    const error = await failureOf(
      receive(
        kind,
        source(() => chunks),
      ),
    )
    expect(error).toMatchObject({ code })
    expect(steps).toEqual([])
  })
})

describe('an upload that fails is abandoned once, after its write has settled', () => {
  const failing = async (from: ReturnType<typeof source>, finish?: () => Promise<never>) => {
    const { kind, steps } = pictures()
    const error = await failureOf<AppError>(receive(finish ? { ...kind, finish } : kind, from))
    return { error, abandoned: steps.filter(([step]) => step === 'abandon') }
  }

  test('because it is too large', async () => {
    const { error, abandoned } = await failing(source(() => [PNG, new Uint8Array(SNIFF_BYTES)]))
    expect(error).toMatchObject({ code: 'FILE_TOO_LARGE', params: { limitMb: 0.00782 } })
    expect(abandoned).toEqual([['abandon', 'FILE_TOO_LARGE', undefined]])
  })

  test('because the client breaks off', async () => {
    const breaking = async function* () {
      yield PNG
      throw new AppError('CLIENT_CLOSED')
    }
    const { error, abandoned } = await failing(source(breaking))
    expect(error.code).toBe('CLIENT_CLOSED')
    expect(abandoned).toEqual([['abandon', 'CLIENT_CLOSED', undefined]])
  })

  test('because the storage fails, which the client is told in general words', async () => {
    const broken = async function* () {
      yield PNG
      throw new Error('disk 7 is on fire')
    }
    const { error, abandoned } = await failing(source(broken))
    expect(error.code).toBe('UPLOAD_FAILED')
    expect(abandoned).toEqual([['abandon', 'UPLOAD_FAILED', undefined]])
  })

  test('because its digest is not the one that was sent', async () => {
    const other = new Bun.CryptoHasher('sha256').digest('hex')
    const { error, abandoned } = await failing({ ...source(() => [PNG]), sha256: other })
    expect(error.code).toBe('DIGEST_MISMATCH')
    expect(abandoned).toEqual([
      ['abandon', 'DIGEST_MISMATCH', expect.objectContaining({ size: PNG.byteLength })],
    ])
  })

  test('because a field after the file is wrong', async () => {
    const wrong = async () => {
      throw new AppError('VALIDATION_FAILED')
    }
    const { error, abandoned } = await failing(source(() => [PNG], wrong))
    expect(error.code).toBe('VALIDATION_FAILED')
    expect(abandoned).toEqual([
      ['abandon', 'VALIDATION_FAILED', expect.objectContaining({ size: PNG.byteLength })],
    ])
  })

  test('because it cannot be finished', async () => {
    const { error, abandoned } = await failing(
      source(() => [PNG]),
      async () => {
        throw new Error('the database is away')
      },
    )
    expect(error.message).toBe('the database is away')
    expect(abandoned).toEqual([
      ['abandon', 'UPLOAD_FAILED', expect.objectContaining({ size: PNG.byteLength })],
    ])
  })
})

test('somebody ends an upload while it arrives: the write stops with the given code', async () => {
  const { kind, steps } = pictures()
  const never = Promise.withResolvers<void>()
  const stalling = async function* () {
    yield PNG
    await never.promise
  }
  const ended: typeof kind = {
    ...kind,
    publish: (_, row) =>
      ctx.bus.publish(uploadEndedHint, { upload: kind.nameOf(row), code: 'ALREADY_DELETED' }),
  }
  const error = await failureOf(receive(ended, source(stalling)))
  expect(error).toMatchObject({ code: 'ALREADY_DELETED' })
  expect(steps.at(-1)).toEqual(['abandon', 'ALREADY_DELETED', undefined])
})

test('one user may send so many files at once; other users are not affected, and an end makes room', async () => {
  const { kind } = pictures()
  const gate = Promise.withResolvers<void>()
  const stalling = async function* () {
    yield PNG
    await gate.promise
  }
  const slow = Array.from({ length: ctx.config.uploadsPerUser }, () => receive(kind, source(stalling), 7))
  const error = await failureOf<AppError>(
    receive(
      kind,
      source(() => [PNG]),
      7,
    ),
  )
  expect(error.code).toBe('TOO_MANY_UPLOADS')
  expect(
    await receive(
      kind,
      source(() => [PNG]),
      8,
    ),
  ).toBeDefined()
  gate.resolve()
  await Promise.all(slow)
  expect(
    await receive(
      kind,
      source(() => [PNG]),
      7,
    ),
  ).toBeDefined()
})

test('a format that content alone does not show is recognized by the domain', async () => {
  const text = { extension: 'txt', maxBytes: 10 }
  const accepted = {
    byType: {},
    recognize: (head: Uint8Array) => (head[0] === 35 ? text : undefined),
    unsupported: () => new AppError('UNSUPPORTED_FILE_TYPE'),
  }
  expect(await detectFormat(accepted, Buffer.from('# title'))).toBe(text)
  await expect(detectFormat(accepted, Buffer.from('title'))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FILE_TYPE',
  })
})
