import { expect, test } from 'bun:test'
import { readMultipart } from '../../src/http/multipart.ts'
import { mp4, rawForm } from '../support/files.ts'

const BODY = rawForm('b', mp4())
const STALL_MS = 300
const request = (body: ReadableStream) =>
  new Request('http://x/', {
    method: 'POST',
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })

test('a body that does not go on is given up, and so is its file', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(BODY.subarray(0, 1000)) })
  let file: unknown
  const reading = readMultipart(
    request(body),
    'file',
    async (incoming) => {
      try {
        for await (const _ of incoming.body);
      } catch (error) {
        file = error
        throw error
      }
    },
    STALL_MS,
  )
  expect(reading).rejects.toMatchObject({ code: 'UPLOAD_FAILED' })
  await reading.catch(() => {})
  expect(file).toBeInstanceOf(Error)
})

test('what is slow to be stored is not given up', async () => {
  const big = rawForm('b', mp4(1_000_000))
  let taken = 0
  const body = new ReadableStream({
    pull(controller) {
      if (taken >= big.byteLength) return controller.close()
      controller.enqueue(big.subarray(taken, taken + 50_000))
      taken += 50_000
    },
  })
  let size = 0
  const fields = await readMultipart(
    request(body),
    'file',
    async (incoming) => {
      await Bun.sleep(STALL_MS * 3)
      for await (const chunk of incoming.body) size += chunk.byteLength
    },
    STALL_MS,
  )
  expect([size, fields.get('title')]).toEqual([1_000_000, 'raw'])
})
