import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { eq, sql } from 'drizzle-orm'
import { Material, MaterialDetail } from '../../../src/contracts/learning/materials/models.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { Page } from '../../../src/http/models.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { form, pdf, upload, webm } from '../../support/files.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

describe.each(storages.each)('on %s', (_, { server }) => {
  const { ctx } = server

  async function add(owner: TestUser, file = pdf()): Promise<{ id: number; file_path: string }> {
    const answer = await upload(server, owner.token, form(['title', unique('t')], ['file', file, 'a.pdf']))
    return (await answer.json()) as { id: number; file_path: string }
  }

  describe('GET /api/v1/materials', () => {
    test('pages, filters and sorts; only active ones, each with every documented field', async () => {
      const owner = await makeUser(server)
      const ids: number[] = []
      for (const file of [pdf(), webm(), pdf()]) ids.push((await add(owner, file)).id)
      const list = (query: string, token?: string) =>
        api(server, 'GET', `/api/v1/materials?${query}`, { token })
      const first = await list('page=1&page_size=2')
      expect(first.status).toBe(200)
      expect(Value.Check(Page(Material), first.body)).toBe(true)
      expect(first.body.items.map((item: { id: number }) => item.id)).toEqual([ids[2], ids[1]])
      expect(first.body).toMatchObject({
        page: 1,
        page_size: 2,
        total_pages: Math.ceil(first.body.total / 2),
      })
      expect(first.body.items[0]).toMatchObject({ uploader_name: owner.user.displayName, is_liked: false })
      const videos = await list('material_type=video&sort_order=asc')
      expect(videos.body.items.every((item: { type: string }) => item.type === 'video')).toBe(true)
      await api(server, 'DELETE', `/api/v1/materials/${ids[2]}`, { token: owner.token })
      expect((await list('')).body.items.map((item: { id: number }) => item.id)).not.toContain(ids[2])
    })

    test('a page is sorted by the counts that it shows, however old the order of all is', async () => {
      const owner = await makeUser(server)
      for (let i = 0; i < 3; i++) await add(owner)
      for (const by of ['view_count', 'like_count']) {
        for (const order of ['asc', 'desc']) {
          const list = async () => {
            const path = `/api/v1/materials?sort_by=${by}&sort_order=${order}`
            return (await api(server, 'GET', path)).body.items as (Record<string, number> & { id: number })[]
          }
          const before = await list()
          const { id } = before[order === 'asc' ? 0 : before.length - 1]!
          await ctx.db
            .update(materials)
            .set({ viewCount: 2_000_000, likeCount: 2_000_000 })
            .where(eq(materials.id, id))
          const counts = (await list()).map((item) => item[by]!)
          expect(counts).toEqual(counts.toSorted((a, b) => (order === 'asc' ? a - b : b - a)))
          await ctx.db.update(materials).set({ viewCount: 0, likeCount: 0 }).where(eq(materials.id, id))
        }
      }
    })

    test('sorts by likes and views', async () => {
      const owner = await makeUser(server)
      const { id } = await add(owner)
      await ctx.db
        .update(materials)
        .set({ viewCount: 1_000_000, likeCount: 1_000_000 })
        .where(eq(materials.id, id))
      for (const by of ['view_count', 'like_count']) {
        // The ranking by counts may be two seconds old.
        for (let i = 0; ; i++) {
          const { body } = await api(server, 'GET', `/api/v1/materials?sort_by=${by}&page_size=1`)
          if (body.items[0].id === id) break
          expect(i).toBeLessThan(60)
          await Bun.sleep(50)
        }
      }
    })

    test.each([
      ['material_type=audio', 400, 'INVALID_TYPE'],
      ['page=0', 400, 'VALIDATION_ERROR'],
      ['page_size=101', 400, 'VALIDATION_ERROR'],
      ['sort_by=title', 400, 'VALIDATION_ERROR'],
    ])('%s is %d %s', async (query, status, code) => {
      const answer = await api(server, 'GET', `/api/v1/materials?${query}`)
      expect([answer.status, answer.body.error.code]).toEqual([status, code])
    })
  })

  describe('GET /api/v1/materials/{id}', () => {
    test('counts every read, also many at once, and shows what is related', async () => {
      const owner = await makeUser(server)
      const { id } = await add(owner)
      const other = await add(owner)
      const reads = await Promise.all(
        Array.from({ length: 10 }, () => api(server, 'GET', `/api/v1/materials/${id}`)),
      )
      expect(Value.Check(MaterialDetail, reads[0]!.body)).toBe(true)
      expect(Math.max(...reads.map(({ body }) => body.view_count))).toBe(10)
      const related = reads[0]!.body.related_materials.map((one: { id: number }) => one.id)
      expect(related).not.toContain(id)
      expect(related.length).toBeLessThanOrEqual(5)
      expect(other.id).toBeGreaterThan(id)
    })

    test.each(['0', '999999999', 'abc', '-1'])('%s is no material', async (id) => {
      const { status } = await api(server, 'GET', `/api/v1/materials/${id}`)
      expect([400, 404]).toContain(status)
    })
  })

  describe('POST /api/v1/materials/{id}/like', () => {
    test('toggles; many at once never miscount', async () => {
      const owner = await makeUser(server)
      const { id } = await add(owner)
      const fans = await Promise.all(Array.from({ length: 5 }, () => makeUser(server)))
      const like = (fan: TestUser) =>
        api(server, 'POST', `/api/v1/materials/${id}/like`, { token: fan.token })
      await Promise.all(fans.map(like))
      expect((await like(fans[0]!)).body).toEqual({ is_liked: false, like_count: 4 })
      // Two requests of the same user at once are a like and its removal.
      await Promise.all([like(fans[0]!), like(fans[0]!)])
      const seen = await api(server, 'GET', `/api/v1/materials/${id}`, { token: fans[1]!.token })
      expect(seen.body).toMatchObject({ like_count: 4, is_liked: true })
      await api(server, 'DELETE', `/api/v1/materials/${id}`, { token: owner.token })
      const hidden = await like(fans[1]!)
      expect([hidden.status, hidden.body.error.code]).toEqual([400, 'INVALID_STATUS'])
    })
  })

  describe('DELETE /api/v1/materials/{id}', () => {
    test('is for the owner and administrators; twice is ALREADY_DELETED', async () => {
      const owner = await makeUser(server)
      const { id } = await add(owner)
      const remove = (token: string) => api(server, 'DELETE', `/api/v1/materials/${id}`, { token })
      expect((await remove((await makeUser(server)).token)).body.error.code).toBe('FORBIDDEN')
      const answer = await remove((await makeUser(server, { role: 'admin' })).token)
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect((await remove(owner.token)).body.error.code).toBe('ALREADY_DELETED')
      expect((await api(server, 'GET', `/api/v1/materials/${id}`)).status).toBe(404)
    })
  })

  describe('GET /files/…', () => {
    test('answers ranges and ETags, and nothing else', async () => {
      const { file_path } = await add(await makeUser(server))
      const url = `${server.url}/files/${file_path}`
      const whole = await fetch(url)
      const etag = whole.headers.get('etag')!
      const part = await fetch(url, { headers: { range: 'bytes=0-3' } })
      expect([part.status, await part.text()]).toEqual([206, '%PDF'])
      expect(part.headers.get('content-range')).toStartWith('bytes 0-3/')
      expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
      expect((await fetch(url, { headers: { range: 'bytes=99999999-' } })).status).toBe(416)
      const read = spyOn(server.ctx.storage, 'read')
      const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-3' } })
      expect(read.mock.calls.filter(([key]) => key === file_path)).toEqual([])
      read.mockRestore()
      expect([head.status, head.headers.get('content-range')]).toEqual([200, null])
      expect(Number(head.headers.get('content-length'))).toBe(pdf().byteLength)
      expect(head.headers.get('etag')).toBe(etag)
      for (const path of [
        'jwt-secret',
        '../jwt-secret',
        '%2e%2e/jwt-secret',
        'materials/',
        'materials/1/none.pdf',
        '%ff',
      ]) {
        expect((await fetch(`${server.url}/files/${path}`)).status).toBe(404)
      }
    })
  })

  describe('administration', () => {
    test('the cleanup removes stale uploads, orphans and long hidden files, and nothing younger', async () => {
      const admin = await makeUser(server, { role: 'admin' })
      const owner = await makeUser(server)
      const [kept, hidden, stale] = [await add(owner), await add(owner), await add(owner)]
      const old = sql`now() - interval '40 days'`
      await ctx.db
        .update(materials)
        .set({ status: 'hidden', hiddenAt: old })
        .where(eq(materials.id, hidden.id))
      await ctx.db
        .update(materials)
        .set({ status: 'processing', updatedAt: old })
        .where(eq(materials.id, stale.id))
      await ctx.storage.write(`materials/${owner.user.id}/orphan.pdf`, new Response('x').body!)
      const ask = (body: object, token: string) =>
        api(server, 'POST', '/api/v1/admin/cleanup', { token, body })
      expect((await ask({}, owner.token)).status).toBe(403)
      expect((await ask({ max_age_minutes: 0 }, admin.token)).status).toBe(422)
      const answer = await ask(
        { cleanup_processing: true, cleanup_orphans: true, max_age_minutes: 30 },
        admin.token,
      )
      expect(answer.body).toMatchObject({ success: true, cleaned_records: 2, errors: [] })
      expect(answer.body.cleaned_files).toBeGreaterThanOrEqual(1)
      // The orphan is younger than `max_age_minutes`.
      expect(await ctx.storage.head(`materials/${owner.user.id}/orphan.pdf`)).toBeDefined()
      expect(await ctx.storage.head(hidden.file_path)).toBeUndefined()
      expect(await ctx.storage.head(stale.file_path)).toBeUndefined()
      expect(await ctx.storage.head(kept.file_path)).toBeDefined()
    })

    test('a cleanup whose body is no JSON object is refused, not done in full', async () => {
      const { token } = await makeUser(server, { role: 'admin' })
      const ask = (raw: string, type: string) =>
        api(server, 'POST', '/api/v1/admin/cleanup', { token, raw, headers: { 'content-type': type } })
      const form = 'application/x-www-form-urlencoded'
      expect((await ask('{"cleanup_orphans":false}', form)).status).toBe(422)
      expect((await ask('null', 'application/json')).status).toBe(422)
      expect((await ask('', form)).status).toBe(200)
    })

    test('the scheduler shows its jobs, and pauses and resumes them', async () => {
      const { token } = await makeUser(server, { role: 'admin' })
      const status = () => api(server, 'GET', '/api/v1/admin/scheduler/status', { token })
      const jobs = (await status()).body.jobs as { id: string; name: string; next_run_time: string | null }[]
      expect(jobs.find((job) => job.id === 'cleanup_job')).toMatchObject({
        name: 'cleanup_stale_records',
        next_run_time: expect.stringMatching(/Z$/),
      })
      const change = (id: string, verb: string) =>
        api(server, 'POST', `/api/v1/admin/scheduler/jobs/${id}/${verb}`, { token })
      expect((await change('cleanup_job', 'pause')).body).toEqual({
        success: true,
        message: 'Job cleanup_job paused successfully',
        job_id: 'cleanup_job',
      })
      expect(
        (await status()).body.jobs.find((job: { id: string }) => job.id === 'cleanup_job').next_run_time,
      ).toBeNull()
      expect((await change('cleanup_job', 'resume')).status).toBe(200)
      const unknown = await change('nothing', 'pause')
      expect([unknown.status, unknown.body.error.code]).toEqual([404, 'JOB_NOT_FOUND'])
    })
  })
})
