import sharp from 'sharp'
import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'
import { Random } from './random.ts'
import { draw, type Scene } from './scenes.ts'

const COUNT = 60
const AT_A_TIME = 2
const DAYS = 420
/** Neighbours are far apart in time, so that the first photos are of many months. */
const STRIDE = 37
const POLL_MS = 500

const CATEGORIES: Record<Scene, { name: string; parent?: string; color: string }> = {
  mountains: { name: 'Mountains', parent: 'Nature', color: '#5B6C8F' },
  sea: { name: 'Sea', parent: 'Nature', color: '#2D9CDB' },
  forest: { name: 'Forest', parent: 'Nature', color: '#27AE60' },
  city: { name: 'City', color: '#4F4F4F' },
  circles: { name: 'Abstract', color: '#BB6BD9' },
}
const SCENES = Object.keys(CATEGORIES) as Scene[]
const SIZES = [
  { width: 1080, height: 720 },
  { width: 720, height: 1080 },
  { width: 900, height: 900 },
  { width: 1400, height: 560 },
  { width: 800, height: 600 },
]
const CAMERAS = ['Drawn One', 'Drawn Two', 'Pocket Drawn']
const HOURS = { morning: 7, noon: 12, evening: 19 }
const PLACES = [
  { city: 'Lisbon', country: 'Portugal', latitude: 38.72, longitude: -9.14 },
  { city: 'Kyoto', country: 'Japan', latitude: 35.01, longitude: 135.77 },
  { city: 'Chengdu', country: 'China', latitude: 30.57, longitude: 104.07 },
  { city: 'Bergen', country: 'Norway', latitude: 60.39, longitude: 5.32 },
  { city: 'Cusco', country: 'Peru', latitude: -13.53, longitude: -71.97 },
]

/** Photos that are drawn on the spot: several shapes, categories, tags and places, over more than a year. */
export async function furnishPhotos({ admin, user, state }: Demo): Promise<void> {
  const { categories } = admin.portfolio
  const names = [...new Set(Object.values(CATEGORIES).map(({ parent }) => parent ?? ''))].filter(Boolean)
  for (const name of names) await state.once(`category ${name}`, () => dataOf(categories.post({ name })))
  const idOf = async (wanted: string) => {
    const { data } = await dataOf(categories.get())
    return data.categories.find(({ name }) => name === wanted)!.id
  }
  for (const { name, parent, color } of Object.values(CATEGORIES)) {
    await state.once(`category ${name}`, async () =>
      dataOf(categories.post({ name, color, ...(parent && { parent_id: await idOf(parent) }) })),
    )
  }
  const ids = Object.fromEntries(
    await Promise.all(SCENES.map(async (scene) => [scene, await idOf(CATEGORIES[scene].name)] as const)),
  ) as Record<Scene, number>

  const add = async (number: number) => {
    const { scene, jpeg, ...fields } = await makePhoto(number)
    const form = new FormData()
    form.set('file', new Blob([jpeg], { type: 'image/jpeg' }), `DRAWN_${String(number).padStart(4, '0')}.jpg`)
    const { data } = await dataOf(user.portfolio.upload.single.post(form))
    // A photo of a file that is still processed would be a grey picture until then.
    await isProcessed(data.file_id)
    const photo = { ...fields, file_id: data.file_id, status: 'published' as const, categories: [ids[scene]] }
    await dataOf(user.portfolio.photos.post(photo))
  }
  const isProcessed = async (file_id: string) => {
    for (;;) {
      const { data } = await dataOf(user.portfolio.upload.status({ file_id }).get())
      if (data.status === 'completed' || data.status === 'failed') return
      await Bun.sleep(POLL_MS)
    }
  }
  const numbers = Array.from({ length: COUNT }, (_, number) => number).values()
  const work = async () => {
    for (const number of numbers) await state.once(`photo ${number}`, () => add(number))
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
}

async function makePhoto(number: number) {
  const random = new Random(number * 7919)
  const scene = SCENES[number % SCENES.length]!
  const place = random.pick(PLACES)
  const part = random.pick(['morning', 'noon', 'evening'] as const)
  const day = Temporal.Now.plainDateISO().subtract({
    days: Math.floor((((number * STRIDE) % COUNT) / COUNT) * DAYS),
  })
  const camera = random.pick(CAMERAS)
  const jpeg = await sharp(Buffer.from(draw(scene, number, random.pick(SIZES))))
    .jpeg({ quality: 84 })
    .withExif({
      IFD0: { Make: 'Roost', Model: camera },
      IFD2: {
        DateTimeOriginal: `${String(day).replaceAll('-', ':')} ${String(HOURS[part]).padStart(2, '0')}:24:00`,
        ISOSpeedRatings: String(random.pick([100, 200, 400, 800])),
        FNumber: random.pick(['28/10', '4/1', '56/10', '8/1']),
        ExposureTime: random.pick(['1/60', '1/125', '1/500']),
        FocalLength: random.pick(['24/1', '35/1', '50/1', '85/1']),
      },
    })
    .toBuffer()
  const name = CATEGORIES[scene].name
  return {
    scene,
    jpeg: new Uint8Array(jpeg),
    title: `${name} near ${place.city}, ${part}`,
    description: `Drawn by the demo: number ${number + 1} of ${COUNT}.`,
    tags: [name.toLowerCase(), part, place.country.toLowerCase(), ...(number % 7 === 0 ? ['favourite'] : [])],
    location: { name: place.city, ...place },
  }
}
