/**
 * The child process of a photo: it decodes one file, writes its renditions and one answer, and ends. Its decoders read an
 * untrusted file, so confine.ts starts it without secrets, in an empty directory and under limits.
 */
import { writeSync } from 'node:fs'
import { answerOnce, reading } from '../child.ts'
import { ImagingError } from '../protocol.ts'
import { readFacts } from './exif.ts'
import type { PhotoAnswer, PhotoRequest, PhotoStep, RenditionSpec } from './protocol.ts'
import { type Base, decodeBase, placeholderOf, writeRendition } from './renditions.ts'
import { openSource, type Picture, type Source } from './source.ts'

await answerOnce<PhotoRequest>(async ({ input, output, renditions: specs }): Promise<PhotoAnswer> => {
  begin('exif_extraction')
  return await reading(async () => {
    const source = openSource(input)
    const facts = readFacts(source.metadata)
    const { picture, base } = await decodeFirst(source, specs)
    const renditions: PhotoAnswer['renditions'] = []
    for (const step of ['generating_thumbnails', 'optimization'] as const) {
      const ofStep = specs.filter((spec) => spec.step === step)
      if (ofStep.length > 0) begin(step)
      for (const spec of ofStep) renditions.push(await writeRendition(base, spec, output))
    }
    const { width, height } = picture
    return { ...facts, width, height, placeholder: await placeholderOf(base), renditions }
  })
})

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
