/** Failures that only a storage on another server has. */
import { afterAll, describe, expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { CreateMultipartUploadCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { createS3Storage } from '../../src/storage/s3.ts'
import { StartupError } from '../../src/util/startup-error.ts'
import {
  bytes,
  keysOf,
  log,
  openS3,
  rawClient,
  removeDirectories,
  startS3,
  temporaryDirectory,
} from './kinds.ts'

const MB = 1024 * 1024
const server = await startS3(50)
const config = server.config()
const { storage, unfinished, dataDir, remove } = await openS3(config)
afterAll(async () => {
  await remove()
  await server[Symbol.asyncDispose]()
  removeDirectories()
})

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  )
const nothingLeft = async () => {
  expect(await keysOf(storage)).toEqual([])
  expect(await unfinished()).toEqual([])
}

describe('a server that fails', () => {
  test('for a moment is asked again', async () => {
    for (const operation of [
      'CreateMultipartUpload',
      'UploadPart',
      'CompleteMultipartUpload',
      'HeadObject',
    ]) {
      await server.order({ operation, how: 'refuse' })
    }
    const size = await storage.write('a.mp4', bytes(12 * MB))
    expect((await storage.head('a.mp4'))!.size).toBe(size)
    await storage.delete(['a.mp4'])
  })

  test.each(['PutObject', 'UploadPart', 'CompleteMultipartUpload'])(
    'after it has done %s is asked again, and all is well',
    async (operation) => {
      await server.order({ operation, how: 'lose' })
      const size = operation === 'PutObject' ? 1000 : 12 * MB
      expect(await storage.write('a.mp4', bytes(size))).toBe(size)
      expect(await storage.head('a.mp4')).toMatchObject({ size })
      await storage.delete(['a.mp4'])
      await nothingLeft()
    },
  )

  test.each([
    ['PutObject', 0, 403, 'AccessDenied', 'UNAVAILABLE'],
    ['PutObject', 0, 507, 'XMinioStorageFull', 'NO_SPACE'],
    ['CreateMultipartUpload', 0, 403, 'AccessDenied', 'UNAVAILABLE'],
    ['UploadPart', 0, 403, 'AccessDenied', 'UNAVAILABLE'],
    ['UploadPart', 2, 507, 'XMinioStorageFull', 'NO_SPACE'],
    ['UploadPart', 1, 403, 'QuotaExceeded', 'NO_SPACE'],
    ['CompleteMultipartUpload', 0, 403, 'AccessDenied', 'UNAVAILABLE'],
  ])(
    'in %s, after %d of them, with %d %s: %s, and nothing is left',
    async (operation, skip, status, code, expected) => {
      await server.order({ operation, skip, how: 'refuse', status, code })
      const size = operation === 'PutObject' ? 1000 : 22 * MB
      expect(await failure(storage.write('a.mp4', bytes(size)))).toMatchObject({ code: expected })
      await nothingLeft()
    },
  )

  test('halfway ends the reading of the body at once', async () => {
    await server.order({
      operation: 'UploadPart',
      skip: 1,
      how: 'refuse',
      status: 507,
      code: 'XMinioStorageFull',
    })
    let read = 0
    let told = false
    async function* endless() {
      try {
        for await (const chunk of bytes(1000 * MB)) {
          read += chunk.byteLength
          yield chunk
        }
      } finally {
        told = true
      }
    }
    expect(await failure(storage.write('a.mp4', endless()))).toMatchObject({ code: 'NO_SPACE' })
    expect(read).toBeLessThan(40 * MB)
    await Bun.sleep(0)
    expect(told).toBe(true)
    await nothingLeft()
  })

  test('and can’t even clean up: the first error counts, the cleanup finds the rest', async () => {
    await server.order({ operation: 'UploadPart', how: 'refuse', status: 507, code: 'XMinioStorageFull' })
    await server.order({
      operation: 'AbortMultipartUpload',
      how: 'refuse',
      status: 403,
      code: 'AccessDenied',
    })
    expect(await failure(storage.write('a.mp4', bytes(12 * MB)))).toMatchObject({ code: 'NO_SPACE' })
    expect(await unfinished()).toHaveLength(1)
    expect(await storage.abortUnfinished(new Date(Date.now() + 1000))).toBe(1)
    await nothingLeft()
  })

  test('in the middle of a file: no reader takes the half for the whole', async () => {
    await storage.write('a.mp4', bytes(8 * MB))
    const { port } = new URL(config.endpoint!)
    const cutter = createServer((down) => {
      const up = connect(Number(port), '127.0.0.1')
      let passed = 0
      up.on('data', (data) => {
        passed += data.length
        if (passed < 4 * MB) return down.write(data)
        down.destroy()
        up.destroy()
      })
      down.on('error', () => {}).pipe(up)
    })
    cutter.listen(0, '127.0.0.1')
    const endpoint = `http://127.0.0.1:${(cutter.address() as AddressInfo).port}`
    const cut = await openS3({ ...config, endpoint })
    const { body } = (await cut.storage.read('a.mp4'))!
    expect(await failure(new Response(body).bytes())).toBeInstanceOf(Error)
    expect(await failure(cut.storage.openLocal('a.mp4'))).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await readdir(join(cut.dataDir, 'tmp'))).toEqual([])
    await cut.remove()
    cutter.close()
    await nothingLeft()
  })

  test('to answer is waited for only as long as the caller likes', async () => {
    await storage.write('a.mp4', bytes(1000))
    await server.order({ operation: 'GetObject', how: 'hang' })
    const signal = AbortSignal.timeout(100)
    expect(await failure(storage.openLocal('a.mp4', { signal }))).toMatchObject({ code: 'ABORTED' })
    expect(await readdir(join(dataDir, 'tmp'))).toEqual([])
    await storage.delete(['a.mp4'])
  })

  test.each([
    ['GetObject', () => storage.read('a.mp4')],
    ['HeadObject', () => storage.head('a.mp4')],
    ['DeleteObjects', () => storage.delete(['a.mp4'])],
    ['ListObjectsV2', () => keysOf(storage)],
    ['ListMultipartUploads', () => storage.abortUnfinished(new Date())],
    ['HeadBucket', () => storage.ping()],
  ])('in %s', async (operation, call) => {
    await server.order({ operation, how: 'refuse', status: 403, code: 'AccessDenied' })
    expect(await failure(call())).toMatchObject({ name: 'StorageError', code: 'UNAVAILABLE' })
  })
})

test('a deletion goes on with the other objects when the server refuses some of them', async () => {
  // One request deletes at most 1,000 objects.
  const refused = Array.from({ length: 1000 }, (_, i) => `refused/${i}.mp4`)
  await storage.write('last.mp4', bytes(1))
  await server.order({ operation: 'DeleteObjects', how: 'refuse', status: 403, code: 'AccessDenied' })
  expect(await failure(storage.delete([...refused, 'last.mp4']))).toMatchObject({ code: 'UNAVAILABLE' })
  await nothingLeft()
})

test('lists and unfinished uploads are read page by page', async () => {
  const opened = await openS3(server.config())
  for (let i = 0; i < 120; i += 30) {
    const keys = Array.from({ length: 30 }, (_, j) => `many/${i + j}.mp4`)
    await Promise.all(keys.map((key) => opened.leaveUnfinished(key)))
    await Promise.all(keys.map((key) => opened.storage.write(key, bytes(1))))
  }
  expect(await keysOf(opened.storage)).toHaveLength(120)
  expect(await opened.storage.abortUnfinished(new Date(Date.now() + 60_000))).toBe(120)
  expect(await opened.unfinished()).toEqual([])
  await opened.remove()
})

test('an upload that has begun and has no part yet is as old as its beginning', async () => {
  const client = rawClient(config)
  await client.send(new CreateMultipartUploadCommand({ Bucket: config.bucket, Key: 'begun.mp4' }))
  expect(await storage.abortUnfinished(new Date(Date.now() - 60_000))).toBe(0)
  expect(await storage.abortUnfinished(new Date(Date.now() + 1000))).toBe(1)
  await nothingLeft()
})

describe('what clients fetch from the bucket', () => {
  test('has S3_PUBLIC_URL and the escaped key as its URL', async () => {
    expect(storage.publicUrl('materials/1/高数.pdf')).toBeUndefined()
    const open = await createS3Storage(
      { ...config, publicUrl: 'https://cdn.example.com/roost' },
      dataDir,
      log,
    )
    expect(open.publicUrl('materials/1/高数.pdf')).toBe(
      'https://cdn.example.com/roost/materials/1/%E9%AB%98%E6%95%B0.pdf',
    )
    await open.close()
  })

  test.each([
    ['a.pdf', 'application/pdf', 'inline'],
    ['page.html', 'application/octet-stream', 'attachment'],
  ])('%s: its header fields say the type, %s, and %s, and caches ask each time', async (key, type, how) => {
    await storage.write(key, new Response('<script>alert(1)</script>').body!)
    const found = await rawClient(config).send(new HeadObjectCommand({ Bucket: config.bucket, Key: key }))
    expect([found.ContentType, found.ContentDisposition, found.CacheControl]).toEqual([type, how, 'no-cache'])
    await storage.delete([key])
  })
})

describe('at start', () => {
  const start = async (change: Partial<typeof config>) => {
    const error = (await failure(
      createS3Storage({ ...config, ...change }, temporaryDirectory(), log),
    )) as Error
    expect(error).toBeInstanceOf(StartupError)
    expect(error.message).not.toContain(config.secretAccessKey)
    expect(error.message).not.toContain('\n')
    return error.message
  }

  test('two servers may find the bucket missing together', async () => {
    const { bucket } = server.config()
    const both = await Promise.all([1, 2].map(() => createS3Storage({ ...config, bucket }, dataDir, log)))
    await both[0]!.write('a.txt', new Response('x').body!)
    expect(await keysOf(both[1]!)).toEqual(['a.txt'])
  })

  test('a server that is not there', async () => {
    const message = await start({ endpoint: 'http://127.0.0.1:1' })
    expect(message).toStartWith(`The bucket ${config.bucket} at 127.0.0.1:1 can't be used: `)
    expect(message).toContain('S3_ENDPOINT')
  })

  test('a host that has no address', async () => {
    expect(await start({ endpoint: 'http://minio.invalid:9000' })).toContain('S3_ENDPOINT')
  })

  test('a wrong secret', async () => {
    const message = await start({ secretAccessKey: 'another' })
    expect(message).toContain('SignatureDoesNotMatch')
    expect(message).toContain('S3_SECRET_ACCESS_KEY')
  })

  test('an unknown key', async () => {
    expect(await start({ accessKeyId: 'nobody' })).toContain('InvalidAccessKeyId')
  })

  test('another region', async () => {
    expect(await start({ region: 'eu-central-1' })).toContain('S3_REGION')
  })

  test('a bucket that may not be created', async () => {
    await server.order({ operation: 'CreateBucket', how: 'refuse', status: 403, code: 'AccessDenied' })
    expect(await start({ bucket: server.config().bucket })).toContain('AccessDenied')
  })
})
