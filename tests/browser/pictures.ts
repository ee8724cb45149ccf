/** Files as people upload them, made on the spot. */
import sharp from 'sharp'

const HUES = [
  ['#f6d365', '#fda085'],
  ['#84fab0', '#1f7a8c'],
  ['#a18cd1', '#fbc2eb'],
  ['#30cfd0', '#330867'],
  ['#ff9a9e', '#fecfef'],
  ['#4facfe', '#0b3d91'],
] as const

/** A landscape of hills under a sun, another one for each number. */
export function landscape(n: number, width = 900, height = 600): Promise<Buffer> {
  const [sky, ground] = HUES[n % HUES.length]!
  const hill = (level: number, opacity: number) => {
    const top = height * level
    const bend = height * 0.18 * (n % 2 === 0 ? 1 : -1)
    return `<path d="M0 ${top} C ${width * 0.3} ${top - bend}, ${width * 0.6} ${top + bend}, ${width} ${top - bend / 2} V ${height} H 0 Z" fill="${ground}" opacity="${opacity}"/>`
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="${ground}"/><stop offset="1" stop-color="${sky}"/></linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#g)"/>
    <circle cx="${width * (0.2 + ((n * 0.17) % 0.6))}" cy="${height * 0.32}" r="${height * 0.11}" fill="#fff" opacity="0.85"/>
    ${hill(0.6, 0.45)}${hill(0.72, 0.7)}${hill(0.85, 1)}
  </svg>`
  return sharp(Buffer.from(svg)).jpeg({ quality: 85 }).toBuffer()
}

/** A photo of noise, which no format makes smaller: it is several megabytes large. */
export function noise(width: number, height: number): Promise<Buffer> {
  const pixels = crypto.getRandomValues(new Uint8Array(65_536))
  const all = Buffer.alloc(width * height * 3)
  for (let at = 0; at < all.length; at += pixels.length) all.set(pixels.subarray(0, all.length - at), at)
  return sharp(all, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer()
}

/** A PDF of one page with a heading on it. */
export function document(heading: string): Uint8Array<ArrayBuffer> {
  const stream = `BT /F1 28 Tf 40 320 Td (${heading}) Tj ET 0.8 0.85 0.95 rg 40 60 420 220 re f`
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 380]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
    `<</Length ${stream.length}>>stream\n${stream}\nendstream`,
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
  ]
  const body = objects.map((object, n) => `${n + 1} 0 obj${object}endobj`).join('\n')
  return new Uint8Array(Buffer.from(`%PDF-1.4\n${body}\ntrailer<</Root 1 0 R>>\n%%EOF`))
}
