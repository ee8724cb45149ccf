/** Renditions and facts of an untrusted photo. A child process decodes the file, never the server's own process. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { confine, type Limits } from './confine.ts'
import { answerOf, requireFile } from './ending.ts'
import { checkedFacts, checkedRenditions, type WrittenRendition } from './photo/answer.ts'
import {
  PHOTO_STEPS,
  type PhotoAnswer,
  type PhotoFacts,
  type PhotoRequest,
  type PhotoStep,
  type RenditionName,
  type RenditionSpec,
  type Watermark,
} from './photo/protocol.ts'
import type { Size } from './protocol.ts'

export type { PhotoStep, RenditionName, Watermark } from './photo/protocol.ts'

export interface PhotoJob {
  /** The path of a local file. */
  input: string
  /**
   * The path of an empty directory, which gets the renditions. After a failure it may have some of them. The child works
   * in a directory within it, so that the cleanup after a crash finds everything.
   */
  output: string
  /** The longer sides, in pixels. */
  thumbs: { thumb_small: number; thumb_medium: number; thumb_large: number }
  /** For a JPEG and a WebP of one size. Pixels; 1 to 100. */
  display: { maxWidth: number; maxHeight: number; qualityJpg: number; qualityWebp: number }
  /** The renditions that are made. Without it, all. */
  only?: readonly RenditionName[]
  /** Makes each rendition a second time, with this watermark. */
  watermark?: Watermark
  /** Whether only those with the watermark are made. */
  onlyMarked?: boolean
  limits?: Partial<Limits>
  /** Is called when a step begins. A step without renditions is skipped. */
  onStep?: (step: PhotoStep) => void
}

export interface PhotoResult extends PhotoFacts, Size {
  /** A thumbhash in base64. */
  placeholder: string
  renditions: WrittenRendition[]
}

/**
 * What is needed, measured on a slow processor: a JPEG of 60 megapixels 1 s and 100 MB, or 2 s and 450 MB when it is
 * progressive; a TIFF of 60 megapixels with 16 bits per channel 3 s and 800 MB; a HEIC of 12 megapixels 4 s and 250 MB, of
 * 48 megapixels 10 s and 680 MB. On a busy machine the child gets less than a quarter of a processor.
 */
const LIMITS: Limits = { milliseconds: 240_000, cpuSeconds: 40, memoryMiB: 1536, fileMiB: 64 }
const WORKER = fileURLToPath(new URL('./photo/worker.ts', import.meta.url))

/**
 * Makes the renditions. The caller limits how many photos are made at once.
 * @throws ImagingError; the signal's reason when aborted
 */
export async function renderPhoto(
  job: PhotoJob,
  { signal }: { signal?: AbortSignal } = {},
): Promise<PhotoResult> {
  await requireFile(job.input)
  const output = resolve(job.output)
  const renditions = specsOf(job)
  const { watermark } = job
  const request: PhotoRequest = {
    input: resolve(job.input),
    output,
    renditions,
    ...(watermark && { watermark }),
  }
  const ending = await confine(
    WORKER,
    JSON.stringify(request),
    output,
    { ...LIMITS, ...job.limits },
    {
      signal,
      onLine: stepReader(job.onStep),
    },
  )
  const answer = answerOf<PhotoAnswer>(ending)
  return { ...checkedFacts(answer), renditions: await checkedRenditions(answer, renditions, output) }
}

function specsOf({ thumbs, display, only, watermark, onlyMarked }: PhotoJob): RenditionSpec[] {
  const box = { width: display.maxWidth, height: display.maxHeight }
  const thumb = (name: 'thumb_small' | 'thumb_medium' | 'thumb_large'): RenditionSpec => ({
    name,
    step: 'generating_thumbnails',
    format: 'jpeg',
    box: { width: thumbs[name], height: thumbs[name] },
    quality: display.qualityJpg,
  })
  const all: RenditionSpec[] = [
    thumb('thumb_small'),
    thumb('thumb_medium'),
    thumb('thumb_large'),
    { name: 'display', step: 'optimization', format: 'jpeg', box, quality: display.qualityJpg },
    { name: 'webp', step: 'optimization', format: 'webp', box, quality: display.qualityWebp },
  ]
  const clean = only ? all.filter(({ name }) => only.includes(name)) : all
  const marked = watermark ? clean.map((spec) => ({ ...spec, marked: true as const })) : []
  return onlyMarked ? marked : [...clean, ...marked]
}

/** Passes on each step once, whatever the child writes. */
function stepReader(onStep: PhotoJob['onStep']): (line: string) => void {
  const left = new Set<string>(PHOTO_STEPS)
  return (line) => {
    const step = /^\{"step":"(\w+)"\}$/.exec(line)?.[1]
    if (step !== undefined && left.delete(step)) onStep?.(step as PhotoStep)
  }
}
