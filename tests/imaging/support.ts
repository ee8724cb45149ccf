import { afterAll } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Limits } from '../../src/imaging/confine.ts'
import { ImagingError, type SourceKind } from '../../src/imaging/protocol.ts'
import { renderPreview } from '../../src/imaging/render.ts'

export const fixturePath = (name: string): string => join(import.meta.dir, 'fixtures', name)
export const fixture = (name: string): Buffer => readFileSync(fixturePath(name))
export const scriptPath = (name: string): string => join(import.meta.dir, 'scripts', name)

export const BOX = { width: 640, height: 360 }

/** A directory for the files of a test file, in which the child processes work too. */
export function workshop() {
  const dir = mkdtempSync(join(tmpdir(), 'roost-imaging-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  let count = 0

  const save = (content: string | Uint8Array, name = `file-${count++}`): string => {
    writeFileSync(join(dir, name), content)
    return join(dir, name)
  }
  const render = async (input: string, kind: SourceKind, more: Options = {}) => {
    const output = join(dir, `out-${count++}.jpg`)
    const preview = await renderPreview({ input, kind, box: BOX, output, limits: more.limits ?? {} }, more)
    return { ...preview, jpeg: readFileSync(output) }
  }
  return {
    dir,
    save,
    render,
    /** The code of the failure. After a success, the preview as JSON. */
    failure: async (input: string, kind: SourceKind, more: Options = {}): Promise<string> => {
      try {
        const { jpeg, ...preview } = await render(input, kind, more)
        return JSON.stringify(preview)
      } catch (error) {
        return error instanceof ImagingError ? error.code : String(error)
      }
    },
    /** Processes that were given a file of this directory, and the scratch directories that are still there. */
    leftovers: (): string[] => [
      ...processesOf(dir),
      ...readdirSync(dir).filter((name) => name.startsWith('roost-imaging-')),
    ],
  }
}

interface Options {
  limits?: Partial<Limits>
  signal?: AbortSignal
}

export function processesOf(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((command) => command.includes(text))
}

/** The names of the colours at places in a JPEG. A place is a share of the width and one of the height. */
export async function coloursAt(jpeg: Uint8Array, places: [number, number][]): Promise<string[]> {
  const { data, info } = await sharp(jpeg, { limitInputPixels: 640 * 360 })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return places
    .map(([x, y]) => {
      const offset = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels
      return [...data.subarray(offset, offset + 3)].map((value) => (value > 127 ? '1' : '0')).join('')
    })
    .map((bits) => NAMES[bits] ?? bits)
}

const NAMES: Record<string, string> = { '100': 'red', '001': 'blue', '111': 'white', '000': 'black' }

/** `bytes` with every `from` replaced by `to`. Both are hexadecimal and of the same length. */
export function patched(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString('hex')
  if (!text.includes(from)) throw new Error(`${from} is not in it`)
  return Buffer.from(text.replaceAll(from, to), 'hex')
}

/** A PDF of these objects. The first is its catalogue. */
export function pdf(objects: (string | Uint8Array)[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const offsets: number[] = []
  let length = parts[0]!.length
  const add = (part: Buffer) => {
    parts.push(part)
    length += part.length
  }
  for (const [index, object] of objects.entries()) {
    offsets.push(length)
    add(
      Buffer.concat([
        Buffer.from(`${index + 1} 0 obj\n`),
        Buffer.from(object as string),
        Buffer.from('\nendobj\n'),
      ]),
    )
  }
  const start = length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  add(Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer<</Size ${size}/Root 1 0 R>>\n`))
  add(Buffer.from(`startxref\n${start}\n%%EOF\n`))
  return Buffer.concat(parts)
}

export const stream = (content: string | Uint8Array, entries = ''): Buffer => {
  const body = Buffer.from(content as string)
  const head = Buffer.from(`<<${entries}/Length ${body.length}>>stream\n`)
  return Buffer.concat([head, body, Buffer.from('\nendstream')])
}

/** A PDF of one page. Its contents are object 4, and `resources` may name objects from number 5 on. */
export function onePage(
  contents: string | Uint8Array,
  { box = '0 0 300 200', resources = '', objects = [] as Uint8Array[], entries = '' } = {},
): Buffer {
  return pdf([
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    `<</Type/Page/Parent 2 0 R/MediaBox[${box}]/Contents 4 0 R/Resources<<${resources}>>>>`,
    stream(contents, entries),
    ...objects,
  ])
}

/** Two large characters, in a font that is only named. */
export const textPdf = (font: string, encoding: string, ordering: string, text: string): Buffer =>
  onePage(`BT /F 100 Tf 20 60 Td <${text}> Tj ET`, {
    resources: '/Font<</F 5 0 R>>',
    objects: [
      `<</Type/Font/Subtype/Type0/BaseFont/${font}/Encoding/${encoding}/DescendantFonts[6 0 R]>>`,
      `<</Type/Font/Subtype/CIDFontType0/BaseFont/${font}/DW 1000/FontDescriptor 7 0 R` +
        `/CIDSystemInfo<</Registry(Adobe)/Ordering(${ordering})/Supplement 2>>>>`,
      `<</Type/FontDescriptor/FontName/${font}/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0` +
        '/Ascent 880/Descent -120/CapHeight 880/StemV 93>>',
    ].map((object) => Buffer.from(object)),
  })
