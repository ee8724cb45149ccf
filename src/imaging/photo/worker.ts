/**
 * The child process of a photo: it decodes one file, writes its renditions and one answer, and ends. Its decoders read an
 * untrusted file, so confine.ts starts it without secrets, in an empty directory and under limits.
 */
import { readFileSync, writeSync } from 'node:fs'
import { answerOnce, reading } from '../child.ts'
import { readFacts } from './exif.ts'
import type { PhotoAnswer, PhotoRequest, PhotoStep } from './protocol.ts'
import { decodeBase, placeholderOf, writeRendition } from './renditions.ts'
import { isTooLarge, openSource, tooManyPixels } from './source.ts'

await answerOnce<PhotoRequest>(async ({ input, output, renditions: specs }) => {
  begin('exif_extraction')
  return await reading(async (): Promise<PhotoAnswer> => {
    try {
      const source = await openSource(input)
      const facts = readFacts(readFileSync(input))
      const base = await decodeBase(source, specs)
      const renditions: PhotoAnswer['renditions'] = []
      for (const step of ['generating_thumbnails', 'optimization'] as const) {
        const ofStep = specs.filter((spec) => spec.step === step)
        if (ofStep.length > 0) begin(step)
        for (const spec of ofStep) renditions.push(await writeRendition(base, spec, output))
      }
      const { width, height } = source
      return { ...facts, width, height, placeholder: await placeholderOf(base), renditions }
    } catch (error) {
      throw isTooLarge(error) ? tooManyPixels() : error
    }
  })
})

function begin(step: PhotoStep): void {
  writeSync(1, `${JSON.stringify({ step })}\n`)
}
