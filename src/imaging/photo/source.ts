/** Opens a photo of any format as pixels that sharp can work on. */
import sharp, { type Sharp, type SharpOptions } from 'sharp'
import '../picture.ts'
import { ImagingError } from '../protocol.ts'

/** A picture of more pixels is refused before memory is taken for it. The largest cameras of phones have 200 million. */
export const MAX_PIXELS = 250_000_000

/** What is read of a damaged file is refused. Harmless departures from the standard are not. */
const OPTIONS: SharpOptions = {
  limitInputPixels: MAX_PIXELS,
  failOn: 'error',
  pages: 1,
  sequentialRead: true,
}

/** A photo whose pixels can be read again and again, each time from the file. */
export interface Source {
  /** The picture as it is shown, whole. */
  open(): Sharp
  /** As it is shown. */
  width: number
  height: number
}

export async function openSource(path: string): Promise<Source> {
  const open = () => sharp(path, OPTIONS).autoOrient()
  const { autoOrient } = await sharp(path, OPTIONS).metadata()
  return { open, ...autoOrient }
}

/** Whether an error of sharp is about the limit of pixels. */
export function isTooLarge(error: unknown): boolean {
  return /exceeds pixel limit|too large|dimensions exceed/i.test(String(error))
}

export function tooManyPixels(): ImagingError {
  return new ImagingError('TOO_MANY_PIXELS', `it has more than ${MAX_PIXELS} pixels`)
}
