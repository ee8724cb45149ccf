/** Pictures that are drawn: SVG of a size, different for each seed. */
import { Random } from './random.ts'

interface Size {
  width: number
  height: number
}

type Draw = (random: Random, size: Size) => string

const hsl = (hue: number, saturation: number, light: number) =>
  `hsl(${Math.round(hue)} ${Math.round(saturation)}% ${Math.round(light)}%)`

const polygon = (points: [number, number][], fill: string) =>
  `<polygon points="${points.map(([x, y]) => `${x.toFixed(0)},${y.toFixed(0)}`).join(' ')}" fill="${fill}"/>`

/** A line from the left edge to the right edge that goes up and down, as the upper edge of a ground. */
function ridge(random: Random, { width, height }: Size, base: number, rough: number): [number, number][] {
  const steps = 24
  let y = base
  const points: [number, number][] = [[0, height]]
  for (let step = 0; step <= steps; step++) {
    y += random.between(-rough, rough) + (base - y) * 0.15
    points.push([(width * step) / steps, y])
  }
  return [...points, [width, height]]
}

const mountains: Draw = (random, size) => {
  const hue = random.between(190, 280)
  return Array.from({ length: 4 }, (_, n) =>
    polygon(
      ridge(random, size, size.height * (0.45 + n * 0.13), size.height * (0.11 - n * 0.02)),
      hsl(hue + n * 8, 30, 62 - n * 14),
    ),
  ).join('')
}

const city: Draw = (random, { width, height }) => {
  const hue = random.between(0, 360)
  let x = 0
  let houses = ''
  while (x < width) {
    const wide = random.between(width * 0.04, width * 0.1)
    const top = random.between(height * 0.2, height * 0.7)
    houses += `<rect x="${x}" y="${top}" width="${wide}" height="${height - top}" fill="${hsl(hue, 18, random.between(14, 34))}"/>`
    for (let y = top + 14; y < height - 20; y += 30)
      for (let window = x + 10; window < x + wide - 16; window += 24)
        if (random.between(0, 1) < 0.45)
          houses += `<rect x="${window}" y="${y}" width="11" height="15" fill="${hsl(46, 90, random.between(55, 80))}"/>`
    x += wide
  }
  return houses
}

const sea: Draw = (random, size) => {
  const hue = random.between(175, 225)
  return Array.from({ length: 7 }, (_, n) =>
    polygon(
      ridge(random, size, size.height * (0.55 + n * 0.065), size.height * 0.012),
      hsl(hue, 55, 58 - n * 6),
    ),
  ).join('')
}

const forest: Draw = (random, { width, height }) => {
  const hue = random.between(70, 160)
  return Array.from({ length: 60 }, (_, n) => {
    const [x, tall] = [random.between(0, width), random.between(height * 0.25, height * 0.5)]
    const foot = height * (0.62 + (n / 60) * 0.4)
    const points: [number, number][] = [
      [x, foot - tall],
      [x - tall * 0.22, foot],
      [x + tall * 0.22, foot],
    ]
    return polygon(points, hsl(hue, 38, 46 - (n / 60) * 30))
  }).join('')
}

const circles: Draw = (random, { width, height }) => {
  const hue = random.between(0, 360)
  return Array.from({ length: 40 }, () => {
    const [x, y, r] = [random.between(0, width), random.between(0, height), random.between(20, height * 0.2)]
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="${hsl(hue + random.between(-50, 50), 70, 60)}" opacity="0.55"/>`
  }).join('')
}

export const SCENES = { mountains, city, sea, forest, circles } satisfies Record<string, Draw>
export type Scene = keyof typeof SCENES

/** A sky with a sun or a moon, and the scene before it. */
export function draw(scene: Scene, seed: number, size: Size): string {
  const random = new Random(seed)
  const { width, height } = size
  const hue = random.between(0, 360)
  const light = scene === 'city' ? random.between(18, 40) : random.between(60, 82)
  const sun = { x: random.between(0.1, 0.9) * width, y: random.between(0.1, 0.35) * height }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="${hsl(hue, 60, light)}"/>
      <stop offset="1" stop-color="${hsl(hue + random.between(20, 80), 70, light + 14)}"/>
    </linearGradient></defs>
    <rect width="${width}" height="${height}" fill="url(#sky)"/>
    <circle cx="${sun.x}" cy="${sun.y}" r="${height * 0.07}" fill="${hsl(48, 95, 84)}" opacity="0.9"/>
    ${SCENES[scene](random, size)}
  </svg>`
}
