/** Sends the requests of the learning contract's document with curl, as printed. Only host, token and ids differ. */
import { afterAll, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '../../support/api.ts'
import { curl } from '../../support/curl.ts'
import { mp4 } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
const directory = temporaryDirectory('documents')
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

type Answered = Pick<Answer, 'status' | 'body'>

async function run(args: string[]): Promise<Answered> {
  const { status, body } = await curl(args)
  return { status, body }
}

/** Sends a request that is printed as a request line, header fields, an empty line and a body. */
function send(printed: string, token = ''): Promise<Answered> {
  const [head = '', ...body] = printed.split('\n\n')
  const [request = '', ...fields] = head.split('\n')
  const [method, path] = request.split(' ')
  return run([
    ...['-X', method!, `${server.url}${path}`],
    ...fields.flatMap((field) => ['-H', field.replace('<token>', token).replace(' (可选)', '')]),
    ...(body.length > 0 ? ['--data-binary', body.join('\n\n')] : []),
  ])
}

const USER = {
  id: expect.any(Number),
  email: 'learner@example.com',
  name: '用户名',
  avatar_url: null,
  is_active: true,
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
}
const INSTANT = USER.created_at

describe.skipIf(!Bun.which('curl'))('by curl', () => {
  test('health', async () => {
    expect(await send('GET /health')).toMatchObject({ status: 200, body: { status: 'healthy' } })
    const database = await send('GET /api/v1/health/db')
    expect(database).toEqual({ status: 200, body: { status: 'healthy', database: 'connected' } })
  })

  test('from registration to the deletion of an upload', async () => {
    const registered = await send(`POST /api/v1/auth/register
Content-Type: application/json

{
  "email": "learner@example.com",
  "name": "用户名",
  "password": "your-password"
}`)
    expect(registered).toEqual({ status: 201, body: USER })

    const signedIn = await send(`POST /api/v1/auth/login
Content-Type: application/json

{
  "email": "learner@example.com",
  "password": "your-password"
}`)
    expect(signedIn.status).toBe(200)
    expect(signedIn.body).toMatchObject({ token_type: 'bearer', expires_in: 1800, user: USER })

    const refreshed = await send(`POST /api/v1/auth/refresh
Content-Type: application/json

${JSON.stringify({ refresh_token: signedIn.body.refresh_token }, null, 2)}`)
    expect(refreshed.status).toBe(200)
    const token: string = refreshed.body.access_token
    const as = (printed: string) => send(printed, token)
    expect(await as('GET /api/v1/auth/me\nAuthorization: Bearer <token>')).toEqual({
      status: 200,
      body: USER,
    })

    // The document prints the body that browsers send; `-F` of curl makes the same body.
    const video = join(directory, 'video.mp4')
    writeFileSync(video, mp4())
    const uploaded = await run([
      ...['-X', 'POST', `${server.url}/api/v1/upload`, '-H', `Authorization: Bearer ${token}`],
      ...['-F', `file=@${video};type=video/mp4`, '-F', 'title=课件标题', '-F', 'description=课件描述'],
    ])
    expect(uploaded.status).toBe(201)
    const MATERIAL = {
      id: uploaded.body.id,
      title: '课件标题',
      description: '课件描述',
      type: 'video',
      file_path: expect.stringMatching(/^materials\/\d+\/\d{8}_\d{6}_video\.mp4$/),
      file_size: 2048,
      file_format: 'mp4',
      thumbnail_path: null,
      uploader_id: registered.body.id,
      view_count: 0,
      like_count: 0,
      status: 'active',
      created_at: INSTANT,
      updated_at: INSTANT,
    }
    expect(uploaded.body).toMatchObject(MATERIAL)
    const id: number = uploaded.body.id
    const bearer = 'Authorization: Bearer <token>'

    const status = await as(`GET /api/v1/upload/status/${id}\n${bearer}`)
    expect(status.body).toMatchObject({
      material_id: id,
      status: 'active',
      progress: 100,
      message: 'Upload complete and ready',
      has_thumbnail: false,
    })
    const thumbnail = await as(`GET /api/v1/upload/thumbnail-status/${id}\n${bearer}`)
    expect(thumbnail.body).toMatchObject({ material_id: id, has_thumbnail: false })

    const list = await send(
      'GET /api/v1/materials?page=1&page_size=20&sort_by=created_at&sort_order=desc&material_type=video',
    )
    expect(list.body).toMatchObject({ total: 1, page: 1, page_size: 20, total_pages: 1 })
    const { thumbnail_path: _, updated_at: __, ...shown } = MATERIAL
    const SHOWN = { ...shown, uploader_name: '用户名', uploader_avatar: null, is_liked: false }
    expect(list.body.items).toEqual([expect.objectContaining(SHOWN)])

    const detail = await as(`GET /api/v1/materials/${id}\nAuthorization: Bearer <token> (可选)`)
    expect(detail.body).toMatchObject({ ...SHOWN, view_count: 1, related_materials: [] })
    const liked = await as(`POST /api/v1/materials/${id}/like\n${bearer}`)
    expect(liked).toEqual({ status: 200, body: { is_liked: true, like_count: 1 } })
    expect(await as(`DELETE /api/v1/materials/${id}\n${bearer}`)).toEqual({ status: 204, body: undefined })
    expect(await as(`DELETE /api/v1/upload/${id}\n${bearer}`)).toEqual({ status: 204, body: undefined })
    const out = await as(`POST /api/v1/auth/logout\n${bearer}`)
    expect(out.body).toEqual({
      message: 'Successfully logged out',
      detail: 'Please discard your tokens on the client side',
    })
    expect((await as(`GET /api/v1/auth/me\n${bearer}`)).body.error.code).toBe('INVALID_TOKEN')
  })

  test('administration', async () => {
    const { body } = await send(`POST /api/v1/auth/login
Content-Type: application/json

{
  "email": "admin@example.com",
  "password": "admin123"
}`)
    const as = (printed: string) => send(printed, body.access_token)
    const cleaned = await as(`POST /api/v1/admin/cleanup
Content-Type: application/json
Authorization: Bearer <token>

{
  "cleanup_processing": true,
  "cleanup_orphans": true,
  "max_age_minutes": 30
}`)
    expect(cleaned).toEqual({
      status: 200,
      body: {
        success: true,
        cleaned_records: 0,
        cleaned_files: 0,
        duration_seconds: expect.any(Number),
        errors: [],
      },
    })
    const scheduler = await as('GET /api/v1/admin/scheduler/status\nAuthorization: Bearer <token>')
    expect(scheduler.body.running).toBe(true)
    expect(scheduler.body.jobs).toContainEqual({
      id: 'cleanup_job',
      name: 'cleanup_stale_records',
      next_run_time: INSTANT,
    })
    for (const verb of ['pause', 'resume']) {
      const changed = await as(
        `POST /api/v1/admin/scheduler/jobs/cleanup_job/${verb}\nAuthorization: Bearer <token>`,
      )
      expect(changed).toEqual({
        status: 200,
        body: { success: true, message: `Job cleanup_job ${verb}d successfully`, job_id: 'cleanup_job' },
      })
    }
  })
})
