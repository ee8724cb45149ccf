/** Uploads of files of every kind, and the thumbnails that the server makes of them. */
import { expect } from 'bun:test'
import { api } from './api.ts'
import type { TestUser } from './factories.ts'
import { form, upload } from './files.ts'
import type { TestServer } from './server.ts'
import type { TestSocket } from './sockets.ts'

export interface Upload {
  name: string
  file: Uint8Array
  outcome: string
}

/** The upload is taken, and the event says whether a thumbnail or a placeholder was made. */
export async function expectThumbnail(
  server: TestServer,
  owner: TestUser,
  live: TestSocket,
  { name, file, outcome }: Upload,
): Promise<void> {
  const answer = await upload(
    server,
    owner.token,
    form(['title', name], ['file', new Uint8Array(file), name]),
  )
  expect([name, answer.status]).toEqual([name, 201])
  const { id } = (await answer.json()) as { id: number }
  const event = await live.until(
    (frames) => frames.find(({ type, data }) => /^thumbnail\./.test(type) && data.material_id === id),
    `the thumbnail of ${name}`,
    100_000,
  )
  expect([name, event.type]).toEqual([name, outcome])
  if (outcome === 'thumbnail.failed') expect(event.data.reason).toBe('UNREADABLE')
  const { body } = await api(server, 'GET', `/api/v1/materials/${id}`)
  expect(body.thumbnail_path).toBe(event.data.thumbnail_path)
  const picture = await fetch(body.thumbnail_url)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  expect([...(await picture.bytes()).subarray(0, 2)]).toEqual([0xff, 0xd8])
  const state = await api(server, 'GET', `/api/v1/upload/thumbnail-status/${id}`, { token: owner.token })
  const made = outcome === 'thumbnail.completed'
  expect(state.body).toMatchObject({
    thumbnail_status: made ? 'completed' : 'failed',
    has_thumbnail: made,
  })
}
