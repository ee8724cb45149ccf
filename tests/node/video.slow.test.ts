import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  cleanUpAfterEach,
  connectArgs,
  fakeServer,
  later,
  runNode,
  temporaryDirectory,
  tokenEnv,
} from './support.ts'

cleanUpAfterEach()

const ffmpeg = Bun.which('ffmpeg')
const videos = mkdtempSync(join(tmpdir(), 'roost-videos-'))
afterAll(() => rmSync(videos, { recursive: true, force: true }))

/** Three seconds: white, black, a test picture; cuts at 1 and 2. With sound. */
beforeAll(async () => {
  if (!ffmpeg) return
  const picture = (source: string) => ['-f', 'lavfi', '-i', `${source}:d=1:r=25`]
  const inputs = ['color=white:s=320x240', 'color=black:s=320x240', 'testsrc=s=320x240'].flatMap(picture)
  const child = Bun.spawn(
    [ffmpeg, '-v', 'error', '-nostdin', ...inputs, '-f', 'lavfi', '-i', 'sine=d=3:r=48000']
      .concat(['-filter_complex', '[0][1][2]concat=n=3:v=1[v]', '-map', '[v]', '-map', '3:a'])
      .concat(['-pix_fmt', 'yuv420p', join(videos, 'cuts.mp4')]),
  )
  expect(await child.exited).toBe(0)
  // ffmpeg would take a picture for a video of one frame, and follow a playlist: neither format is in our list.
  const still = Bun.spawn([
    ffmpeg,
    '-v',
    'error',
    '-i',
    join(videos, 'cuts.mp4'),
    '-frames:v',
    '1',
    join(videos, 'still.png'),
  ])
  expect(await still.exited).toBe(0)
  writeFileSync(join(videos, 'text.mp4'), 'no video at all')
  // A playlist under a harmless name: ffmpeg would open a file of this machine.
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://${videos}/cuts.mp4\n#EXT-X-ENDLIST\n`
  writeFileSync(join(videos, 'playlist.mp4'), playlist)
})

async function set(config: Record<string, unknown>, env: Record<string, string>) {
  const web = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const file = Bun.file(join(videos, new URL(request.url).pathname))
      return (await file.exists()) ? new Response(file) : new Response('no', { status: 404 })
    },
  })
  later(() => web.stop(true))
  const server = fakeServer({ heartbeatSeconds: 5 })
  const configPath = join(temporaryDirectory(), 'node.json')
  writeFileSync(configPath, JSON.stringify({ max_concurrent_tasks: 8, ...config }))
  runNode(connectArgs(server, temporaryDirectory(), '--config', configPath), { ...tokenEnv, ...env })
  const hello = await server.frame('hello')
  return { server, hello, url: (path: string) => `http://127.0.0.1:${web.port}/${path}` }
}

test.skipIf(!ffmpeg)(
  'video_analysis says what is in a video and where its scenes change',
  async () => {
    const { server, hello, url } = await set({}, { ALLOW_PRIVATE_EGRESS: '1' })
    expect(hello.task_types).toEqual(['test', 'video_analysis'])
    server.assign('v', 'video_analysis', { video_url: url('cuts.mp4'), analysis_type: 'content' })
    const { result } = await server.frame('completed', 'v')
    expect(result).toEqual({
      duration_seconds: 3,
      format: 'mov,mp4,m4a,3gp,3g2,mj2',
      size_bytes: Bun.file(join(videos, 'cuts.mp4')).size,
      streams: [
        { type: 'video', codec: expect.any(String), width: 320, height: 240, fps: 25 },
        { type: 'audio', codec: expect.any(String), channels: 1, sample_rate: 48_000 },
      ],
      scene_changes: [1, 2],
      scene_count: 3,
      analysis_type: 'content',
    })
    const progress = server.of('progress', 'v')
    expect(progress[0]?.current_item).toStartWith('downloading')
    expect(progress.at(-1)).toMatchObject({ progress: 100, current_item: 'analysing, 3 s' })
    expect(progress.map((frame) => frame.progress)).toEqual(
      progress.map((frame) => frame.progress).toSorted((a, b) => a - b),
    )

    const errors = {
      'text.mp4': "the video can't be read",
      'playlist.mp4': "the video can't be read",
      'still.png': "the video can't be read",
      'nothing.mp4': 'the server answered 404',
    }
    for (const path of Object.keys(errors)) server.assign(path, 'video_analysis', { video_url: url(path) })
    server.assign('none', 'video_analysis', {})
    for (const [path, error] of Object.entries(errors))
      expect((await server.frame('failed', path)).error).toContain(error)
    expect((await server.frame('failed', 'none')).error).toContain('config.video_url must be')
  },
  15_000,
)

test.skipIf(!ffmpeg)(
  'a private address and a file that is too large are refused',
  async () => {
    const { server, url } = await set({}, {})
    for (const [index, target] of [
      url('cuts.mp4'),
      'http://169.254.169.254/',
      'file:///etc/passwd',
    ].entries()) {
      server.assign(`t${index}`, 'video_analysis', { video_url: target })
      expect((await server.frame('failed', `t${index}`)).error).toMatch(/is not public|not an http/)
    }
    const small = await set({ max_download_bytes: 5000 }, { ALLOW_PRIVATE_EGRESS: '1' })
    small.server.assign('large', 'video_analysis', { video_url: small.url('cuts.mp4') })
    expect((await small.server.frame('failed', 'large')).error).toContain('larger than 5000 bytes')
  },
  15_000,
)

test('without ffmpeg the node does not offer `video_analysis`; it always offers `test`', async () => {
  const { hello, server } = await set(
    { tasks: { render: { command: [process.execPath] } } },
    { PATH: '/nonexistent' },
  )
  expect(hello.task_types).toEqual(['test', 'render'])
  server.assign('a', 'test', { duration_seconds: 0.2, steps: 4, result: [1] })
  expect(await server.frame('completed', 'a')).toMatchObject({
    result: { steps: 4, duration_seconds: 0.2, result: [1] },
  })
  expect(server.of('progress', 'a').at(-1)).toMatchObject({ progress: 100, current_item: 'step 4/4' })
  expect(server.of('log', 'a')).toHaveLength(1)
  server.assign('b', 'test', { duration_seconds: 0, fail: 'on purpose' })
  expect(await server.frame('failed', 'b')).toMatchObject({ error: 'on purpose' })
  server.assign('c', 'test', { duration_seconds: 1e9 })
  expect((await server.frame('failed', 'c')).error).toContain('config.duration_seconds')
}, 15_000)
