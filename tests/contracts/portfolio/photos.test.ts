import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(server.stop)

describe('GET /v1/photos', () => {
  test('lists', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const photos = await makePhotos(server, owner, [{ title: '城市夜景' }, { title: 'b', status: 'draft' }])
    const answer = await api(server, 'GET', '/v1/photos')
    expect(answer.status).toBe(200)
    expect(answer.body.data).toHaveLength(1)
    await api(server, 'GET', `/v1/photos/${photos[0]!.id}`)
    for (const sort of ['created_at', 'taken_at', 'title'])
      for (const order of ['asc', 'desc'])
        expect(
          (
            await api(
              server,
              'GET',
              `/v1/photos?sort_by=${sort}&sort_order=${order}&category=1&tag=x&search=x%00&year=2024&month=3&status=draft`,
            )
          ).status,
        ).toBe(200)
    expect((await api(server, 'GET', `/v1/photos`, { token: owner.token })).body.data.length).toBe(2)
  })
})
