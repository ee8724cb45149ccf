/**
 * The child process of a photo: it decodes one file, writes its renditions and one answer, and ends. Its decoders read an
 * untrusted file, so confine.ts starts it without secrets, in an empty directory and under limits.
 */
import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { answerOnce, reading } from '../child.ts'
import { ImagingError } from '../protocol.ts'
import { readFacts } from './exif.ts'
import {
  type PhotoAnswer,
  type PhotoRequest,
  type PhotoStep,
  type RenditionSpec,
  renditionFile,
} from './protocol.ts'
import { type Base, decodeBase, encode, placeholderOf, shrunk } from './renditions.ts'
import { openSource, type Picture, type Source } from './source.ts'
import { drawMark } from './watermark.ts'

const STEPS = ['generating_thumbnails', 'optimization'] as const

await answerOnce<PhotoRequest>(render)

async function render({ input, output, renditions: specs, watermark }: PhotoRequest): Promise<PhotoAnswer> {
  begin('exif_extraction')
  const source = await reading(() => openSource(input))
  const facts = await reading(() => readFacts(source.metadata))

  const steps = STEPS.filter((step) => specs.some((spec) => spec.step === step))
  // The picture is decoded within the first of them.
  if (steps[0]) begin(steps[0])
  const { picture, base } = await reading(() => decodeFirst(source, specs))
  const thumbnails = specs.filter(({ step }) => step === 'generating_thumbnails')
  const small = await reading(() => shrunk(base, thumbnails))
  const mark = watermark && (await drawMark(watermark))
  const renditions: PhotoAnswer['renditions'] = []
  for (const step of steps) {
    if (step !== steps[0]) begin(step)
    for (const spec of specs.filter((one) => one.step === step)) {
      const from = thumbnails.includes(spec) ? small : base
      const { data, ...size } = await reading(() => encode(from, spec, mark))
      save(join(output, renditionFile(spec)), data)
      renditions.push({ name: spec.name, ...(spec.marked && { marked: true }), ...size })
    }
  }
  const { width, height } = picture
  return { ...facts, width, height, placeholder: await reading(() => placeholderOf(small)), renditions }
}

/** A disk that is full is not the file's fault: the error remains the file system's. */
function save(path: string, data: Buffer): void {
  try {
    writeFileSync(path, data)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EFBIG') throw error
    throw new ImagingError('MEMORY', 'a rendition is larger than the limit')
  }
}

/** The first picture that can be decoded. */
async function decodeFirst(
  source: Source,
  specs: RenditionSpec[],
): Promise<{ picture: Picture; base: Base }> {
  for (const open of source.pictures) {
    try {
      const picture = await open()
      return { picture, base: await decodeBase(picture, specs) }
    } catch (error) {
      if (!source.isRaw) throw error
    }
  }
  throw new ImagingError('NO_PREVIEW', 'it has no preview that can be decoded')
}

function begin(step: PhotoStep): void {
  writeSync(1, `${JSON.stringify({ step })}\n`)
}
