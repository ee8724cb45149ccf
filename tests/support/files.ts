import { expect } from 'bun:test'
import { connect } from 'node:net'
import { type Answer, readAnswer } from './api.ts'
import { routeOf, undocumented } from './openapi.ts'

/** Small files for uploads with the right first bytes. The test chooses the bytes after them. */
const head = (bytes: number[], size: number): Uint8Array<ArrayBuffer> => {
  const file = new Uint8Array(Math.max(size, bytes.length))
  file.set(bytes)
  return file
}
const text = (value: string) => [...new TextEncoder().encode(value)]

/** The first box of an mp4. The file has nothing that can be decoded. */
export const mp4 = (size = 2048) =>
  head([0, 0, 0, 24, ...text('ftypisom'), 0, 0, 2, 0, ...text('isomiso2')], size)

export const webm = (size = 2048) =>
  head([0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0x82, 0x84, ...text('webm')], size)

/** A PDF of one empty page, whole and valid. */
export const pdf = (padding = 0): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat([
      Buffer.from(
        [
          '%PDF-1.4',
          '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
          '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj',
          '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj',
          'trailer<</Root 1 0 R>>\n%',
        ].join('\n'),
      ),
      Buffer.alloc(padding, 'x'),
      Buffer.from('\n%%EOF'),
    ]),
  )

/** The parts of an upload, in this order. */
export function form(
  ...parts: [name: string, value: string | Uint8Array<ArrayBuffer>, filename?: string][]
): FormData {
  const data = new FormData()
  for (const [name, value, filename] of parts) {
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, new File([value], filename ?? 'file.bin'))
  }
  return data
}

/** The status of the answer is one that the OpenAPI document has. */
export async function upload(
  server: { url: string },
  token: string | undefined,
  body: FormData | ReadableStream | string,
  headers = {},
): Promise<Response> {
  const response = await fetch(`${server.url}/api/v1/upload`, {
    method: 'POST',
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    body,
  })
  const { operation } = routeOf('POST', '/api/v1/upload')!
  expect(Object.keys(operation.responses)).toContain(String(response.status))
  return response
}

/** The body of an upload, for what `form` can't say. */
export const rawForm = (boundary: string, file: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nraw\r\n`),
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])

/** An upload of `size` bytes that sends its rest when the test calls for it. */
export interface SlowUpload {
  send(bytes: Uint8Array): void
  /** Sends the rest of the request. @returns the answer's status */
  finish(): Promise<number>
  /** The answer, also when it comes early; `code` is that of an error. */
  answer: Promise<{ status: number; code: string | undefined }>
  /** Breaks the upload off, as a client does that disconnects. */
  cut(): void
}

export function slowUpload(
  server: { url: string },
  token: string,
  size: number,
  path = '/api/v1/upload',
): SlowUpload {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const before =
    '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nslow\r\n' +
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
  const after = '\r\n--b--\r\n'
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\n' +
      `Content-Length: ${before.length + size + after.length}\r\n\r\n${before}`,
  )
  const answer: SlowUpload['answer'] = new Promise((resolve, reject) => {
    socket.once('data', (bytes) => {
      socket.destroy()
      const text = bytes.toString('latin1')
      resolve({ status: Number(text.slice(9, 12)), code: /"(?:code|type)":"(\w+)"/.exec(text)?.[1] })
    })
    socket.once('close', () => reject(new Error('closed without an answer')))
  })
  answer.catch(() => {})
  return {
    send: (bytes) => void socket.write(bytes),
    answer,
    async finish() {
      socket.write(after)
      return (await answer).status
    },
    cut: () => void socket.destroy(),
  }
}

/** A multipart request; its answer is one that the OpenAPI document describes. */
export async function sendForm(
  server: { url: string },
  path: string,
  token: string | undefined,
  body: FormData | ReadableStream | string,
  headers = {},
): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    body,
  })
  const answer = await readAnswer(response)
  expect(undocumented(routeOf('POST', path)!, answer)).toEqual([])
  return answer
}

/** The SHA-256 of these bytes as hexadecimal digits. */
export const sha256Of = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher('sha256').update(bytes).digest('hex')

/** The value of a `Content-Digest` or `Repr-Digest` for these bytes: RFC 9530. */
export const digestField = (bytes: Uint8Array): string =>
  `sha-256=:${Buffer.from(sha256Of(bytes), 'hex').toString('base64')}:`

/** A body that is sent without a Content-Length. */
export const unmeasured = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes)
      controller.close()
    },
  })
