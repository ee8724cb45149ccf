/**
 * Runs ffprobe and ffmpeg on a file of an unknown user: only a local file, only known containers, and limits on
 * everything.
 */
import { eachLine } from '../lines.ts'

export interface Tools {
  ffmpeg: string
  ffprobe: string
}

export interface MediaStream {
  type: string
  codec: string
  width?: number
  height?: number
  fps?: number
  channels?: number
  sample_rate?: number
}

export interface MediaInfo {
  /** Undefined when the container does not name it. */
  durationSeconds: number | undefined
  format: string
  streams: MediaStream[]
}

export interface Scenes {
  /** Seconds; the first `MAX_SCENE_CHANGES`. */
  changes: number[]
  /** The number of all changes, also of those that are not listed. */
  total: number
  /** The time of the last frame. */
  lastSeconds: number
}

/** The part of the picture that changes, 0 to 1. ffmpeg's documentation uses this value for a cut. */
const SCENE_THRESHOLD = 0.4
const MAX_SCENE_CHANGES = 1000
const MEMORY_LIMIT_KIB = 4 * 1024 * 1024
const PROBE_LIMIT_MS = 60_000
const DETECT_LIMIT_MS = 3600_000

/**
 * Containers that hold their media themselves. Playlists and lists of files (hls, dash, concat, image2…) would make
 * ffmpeg open what they name.
 */
const FORMATS =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,ivf,ogg,asf,mxf,nut,gif,wav,mp3,aac,flac'
const INPUT = ['-protocol_whitelist', 'file', '-format_whitelist', FORMATS]

const ENTRIES =
  'format=format_name,duration:stream=codec_type,codec_name,width,height,avg_frame_rate,channels,sample_rate'

/** Reads the kind of media of `file`. Throws when it is no media file. */
export async function probe(tools: Tools, file: string): Promise<MediaInfo> {
  const output = JSON.parse(
    await run(
      [tools.ffprobe, '-v', 'error', ...INPUT, '-of', 'json', '-show_entries', ENTRIES, '-i', `file:${file}`],
      PROBE_LIMIT_MS,
    ),
  ) as { format?: Record<string, string>; streams?: Record<string, string | number>[] }
  const duration = Number(output.format?.duration)
  return {
    durationSeconds: Number.isFinite(duration) ? rounded(duration) : undefined,
    format: output.format?.format_name ?? 'unknown',
    streams: (output.streams ?? []).map(streamInfo),
  }
}

/**
 * Finds the times at which the picture changes. Calls `onSecond` with the position. Throws when ffmpeg cannot decode the
 * file.
 */
export async function detectScenes(
  tools: Tools,
  file: string,
  onSecond: (second: number) => void,
): Promise<Scenes> {
  const scenes: Scenes = { changes: [], total: 0, lastSeconds: 0 }
  // `select` passes all frames and only scores them, so that -progress also reports between cuts.
  const score = "select='gte(scene,0)'"
  const print = `metadata=print:key=lavfi.scene_score:value=${SCENE_THRESHOLD}:function=greater:file=-:direct=1`
  await run(
    [tools.ffmpeg, '-v', 'error', '-nostdin', '-threads', '8', ...INPUT, '-i', `file:${file}`]
      .concat(['-map', '0:V:0', '-vf', `${score},${print}`])
      .concat(['-progress', 'pipe:1', '-nostats', '-f', 'null', '-']),
    DETECT_LIMIT_MS,
    (line) => {
      const change = /^frame:.*pts_time:([\d.]+)/.exec(line)?.[1]
      const progress = /^out_time_us=(\d+)/.exec(line)?.[1]
      if (change !== undefined) {
        scenes.total++
        if (scenes.changes.length < MAX_SCENE_CHANGES) scenes.changes.push(rounded(Number(change)))
      } else if (progress !== undefined) {
        scenes.lastSeconds = rounded(Number(progress) / 1e6)
        onSecond(scenes.lastSeconds)
      }
    },
  )
  return scenes
}

function streamInfo(stream: Record<string, string | number>): MediaStream {
  const info: MediaStream = { type: String(stream.codec_type), codec: String(stream.codec_name ?? 'unknown') }
  if (info.type === 'video') {
    const [frames = 0, seconds = 0] = String(stream.avg_frame_rate).split('/').map(Number)
    info.width = Number(stream.width)
    info.height = Number(stream.height)
    if (frames > 0 && seconds > 0) info.fps = rounded(frames / seconds)
  } else if (info.type === 'audio') {
    info.channels = Number(stream.channels)
    info.sample_rate = Number(stream.sample_rate)
  }
  return info
}

/**
 * @returns the standard output, unless `onLine` takes it line by line. A shell sets the memory limit, because ffmpeg has
 * none.
 */
async function run(command: string[], limitMs: number, onLine?: (line: string) => void): Promise<string> {
  const limited = `ulimit -v ${MEMORY_LIMIT_KIB} 2>/dev/null; exec "$@"`
  const child = Bun.spawn(['sh', '-c', limited, 'sh', ...command], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let tooLong = false
  const timer = setTimeout(() => {
    tooLong = true
    child.kill('SIGKILL')
  }, limitMs)
  const complaints = lastLine(child.stderr)
  let output = ''
  await eachLine(child.stdout, 10_000, (text) => {
    if (onLine) onLine(text)
    else output += `${text}\n`
  })
  const code = await child.exited
  clearTimeout(timer)
  if (tooLong) throw new Error(`the video took longer than ${limitMs / 1000} seconds to analyse`)
  if (code !== 0) throw new Error(`the video can't be read: ${(await complaints) || `exit code ${code}`}`)
  return output
}

/** Removes the path of the temporary file, which means nothing to a user. */
async function lastLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let last = ''
  await eachLine(stream, 1000, (text) => {
    if (text.trim() !== '') last = text
  })
  return last.replace(/^\S*file:\S+?: /, '')
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
