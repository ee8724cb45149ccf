/** Photos that a child process turns into five renditions, against sharp doing the same work in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { type PhotoJob, renderPhoto } from '../src/imaging/photo.ts'
import { exifBlock, jpegWith } from '../tests/support/photo-fixtures.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const ROUNDS = 5
const PHOTOS = 8
const TARGET = 0.7
/** Both do so many at once. */
const AT_ONCE = availableParallelism()

/** A phone's photo. */
const SIZE = { width: 4032, height: 3024 }
const SETTINGS = {
  thumbs: { thumb_small: 150, thumb_medium: 300, thumb_large: 600 },
  display: { maxWidth: 1920, maxHeight: 1080, qualityJpg: 85, qualityWebp: 80 },
} satisfies Partial<PhotoJob>

export async function photos(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'roost-bench-photos-'))
  try {
    const input = join(dir, 'photo.jpg')
    await Bun.write(input, await photo())
    const rates: number[] = []
    const floorRates: number[] = []
    // The first round warms everything up.
    for (let round = 0; round <= ROUNDS; round++) {
      const ours = await perMinute(async () => {
        await renderPhoto({ input, output: mkdtempSync(join(dir, 'out-')), ...SETTINGS })
      })
      const floor = await perMinute(() => bare(input, mkdtempSync(join(dir, 'out-'))))
      if (round === 0) continue
      rates.push(ours)
      floorRates.push(floor)
    }
    const ratio = ratios(rates, floorRates)
    return [
      {
        name: `photos of 12 megapixels, ${AT_ONCE} at once; floor: sharp alone, in this process`,
        figure: shown(spread(rates), '/min'),
        floor: shown(spread(floorRates), '/min'),
        ratio: shownWithSpread(ratio),
        target: `≥ ${TARGET}`,
        ok: ratio.median >= TARGET,
      },
    ]
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function perMinute(one: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  let left = PHOTOS
  const work = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return (PHOTOS * 60_000) / (performance.now() - startedAt)
}

/** The same resizes and encodings, with the file decoded once. */
async function bare(input: string, output: string): Promise<void> {
  const { thumbs, display } = SETTINGS
  const { data, info } = await sharp(input)
    .autoOrient()
    .resize(display.maxWidth, display.maxHeight, { fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const base = () => sharp(data, { raw: { width, height, channels } })
  for (const [name, side] of Object.entries(thumbs)) {
    await base()
      .resize(side, side, { fit: 'inside' })
      .jpeg({ quality: display.qualityJpg })
      .toFile(join(output, `${name}.jpg`))
  }
  await base().jpeg({ quality: display.qualityJpg }).toFile(join(output, 'display.jpg'))
  await base().webp({ quality: display.qualityWebp }).toFile(join(output, 'display.webp'))
}

/** Shapes and noise of several sizes, of some 3 MB as a JPEG. */
async function photo(): Promise<Buffer> {
  const layer = (scale: number, sigma: number) => {
    const size = { width: Math.ceil(SIZE.width / scale), height: Math.ceil(SIZE.height / scale) }
    const noise = { type: 'gaussian' as const, mean: 128, sigma }
    return sharp({ create: { ...size, channels: 3, background: '#888', noise } })
      .resize(SIZE.width, SIZE.height)
      .png({ compressionLevel: 0 })
      .toBuffer()
  }
  const jpeg = await sharp(await layer(64, 60))
    .composite([
      { input: await layer(8, 30), blend: 'overlay' },
      { input: await layer(1, 12), blend: 'overlay' },
    ])
    .jpeg({ quality: 90 })
    .toBuffer()
  const exif = exifBlock({
    make: 'Roost',
    model: 'Bench',
    orientation: 1,
    gps: { latitude: 31, longitude: 121 },
  })
  return await jpegWith({ exif }, jpeg)
}
