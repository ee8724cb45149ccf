import { ImagingError, type Size } from '../protocol.ts'

/** The largest photo. Phones have sensors of 200 million pixels. */
export const MAX_PIXELS = 250_000_000

/** Call it before memory is taken for the pixels. */
export function checkPixels({ width, height }: Size): void {
  if (width * height > MAX_PIXELS) throw tooManyPixels()
}

export const tooManyPixels = () =>
  new ImagingError('TOO_MANY_PIXELS', `it has more than ${MAX_PIXELS} pixels`)
