import { afterAll } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PhotoJob, type PhotoResult, type RenditionName, renderPhoto } from '../../src/imaging/photo.ts'
import { ImagingError } from '../../src/imaging/protocol.ts'
import { coloursAt } from './support.ts'

export const SIZES = {
  thumbs: { thumb_small: 24, thumb_medium: 48, thumb_large: 96 },
  display: { maxWidth: 320, maxHeight: 180, qualityJpg: 85, qualityWebp: 80 },
}

/** In the middle of the four quarters: above and below, each from left to right. */
export const QUARTERS: [number, number][] = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
]

type Options = Partial<
  Pick<PhotoJob, 'only' | 'limits' | 'onStep' | 'display' | 'thumbs' | 'watermark' | 'onlyMarked'>
> & {
  signal?: AbortSignal
}

/** A directory for the photos of a test file and for what is made of them. */
export function photoWorkshop() {
  const dir = mkdtempSync(join(tmpdir(), 'roost-photos-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  let count = 0

  const render = async (input: string, { signal, ...options }: Options = {}): Promise<PhotoResult> => {
    const output = mkdtempSync(join(dir, 'out-'))
    return await renderPhoto({ input, output, ...SIZES, ...options }, signal ? { signal } : {})
  }
  const read = ({ renditions }: PhotoResult, name: RenditionName): Buffer =>
    readFileSync(renditions.find((one) => one.name === name)!.path)

  return {
    dir,
    save(content: Uint8Array, name = `photo-${count++}`): string {
      writeFileSync(join(dir, name), content)
      return join(dir, name)
    },
    render,
    read,
    /** The colours of the quarters. */
    shown: async (result: PhotoResult, name: RenditionName) => await coloursAt(read(result, name), QUARTERS),
    /** The code of the failure. After a success, the result as JSON. */
    async failure(input: string, options: Options = {}): Promise<string> {
      try {
        return JSON.stringify(await render(input, options))
      } catch (error) {
        return error instanceof ImagingError ? error.code : String(error)
      }
    },
  }
}
