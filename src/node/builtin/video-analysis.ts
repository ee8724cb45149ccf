/**
 * The built-in task `video_analysis`: fetches `config.video_url`, which must be public, and says what is in the video
 * and where its picture changes. The node gives its settings as JSON in the first argument.
 */
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { egressRequest } from '../../util/egress.ts'
import { detectScenes, probe, type Tools } from './media.ts'
import { reportLog, reportProgress, runTask } from './task-io.ts'

interface Settings extends Tools {
  maxDownloadBytes: number
  allowPrivate: boolean
}

const DOWNLOAD_LIMIT_MS = 3600_000
/** Percent of the progress bar that the download takes. */
const DOWNLOAD_SHARE = 50

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings

await runTask(async ({ video_url, analysis_type = 'content' }) => {
  if (typeof video_url !== 'string') throw new Error('config.video_url must be the URL of a video')
  if (typeof analysis_type !== 'string') throw new Error('config.analysis_type must be a string')
  // The node gives every attempt a temporary directory and removes it.
  const file = join(tmpdir(), 'video')
  const size = await download(video_url, file)
  reportLog(`downloaded ${size} bytes`)

  reportProgress(DOWNLOAD_SHARE, 'analysing')
  const media = await probe(settings, file)
  if (!media.streams.some(({ type }) => type === 'video')) throw new Error('the file has no video stream')
  const scenes = await detectScenes(settings, file, (second) => {
    const share = Math.min(1, second / (media.durationSeconds || Number.POSITIVE_INFINITY))
    reportProgress(DOWNLOAD_SHARE + (100 - DOWNLOAD_SHARE) * share, `analysing, ${Math.floor(second)} s`)
  })
  return {
    duration_seconds: media.durationSeconds ?? scenes.lastSeconds,
    format: media.format,
    size_bytes: size,
    streams: media.streams,
    scene_changes: scenes.changes,
    // A video without a cut is one scene.
    scene_count: scenes.total + 1,
    analysis_type,
  }
})

/** Returns the file's size in bytes. */
async function download(url: string, path: string): Promise<number> {
  const response = await egressRequest(url, {
    maxBytes: settings.maxDownloadBytes,
    maxRedirects: 5,
    timeoutMs: DOWNLOAD_LIMIT_MS,
    allowPrivate: settings.allowPrivate,
  }).catch((error: Error) => {
    throw new Error(`config.video_url: ${error.message}`)
  })
  if (response.status !== 200) {
    await response.body.cancel()
    throw new Error(`config.video_url: the server answered ${response.status}`)
  }
  const total = Number(response.headers['content-length'])
  const file = await open(path, 'wx', 0o600)
  let size = 0
  for await (const chunk of response.body) {
    await file.write(chunk)
    size += chunk.length
    const share = total > 0 ? size / total : 0
    reportProgress(DOWNLOAD_SHARE * share, `downloading, ${(size / 1e6).toFixed(1)} MB`)
  }
  await file.close()
  return size
}
