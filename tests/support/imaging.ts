/** Decoders for tests of what comes before them: a real one takes half a second of a processor for each photo. */
import { createImaging, type Imaging } from '../../src/imaging/imaging.ts'
import { ImagingError } from '../../src/imaging/protocol.ts'

/** Finds every photo damaged. */
export const blindImaging = (): Imaging => ({
  ...createImaging(),
  async photo() {
    throw new ImagingError('UNREADABLE', 'this test decodes no photo')
  },
})

/** Lets these decoders decode photos until disposed of. */
export function decoding(imaging: Imaging): Disposable {
  const { photo } = imaging
  imaging.photo = createImaging().photo
  return {
    [Symbol.dispose]() {
      imaging.photo = photo
    },
  }
}
