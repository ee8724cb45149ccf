/** A writer of HEIC files as phones write them: a grid of HEVC tiles, with how to turn it, its colours and an Exif item. */

export interface HeicParts {
  /** The VPS, SPS and PPS of all tiles, without start codes. */
  parameters: Buffer[]
  /** One coded slice for each tile, row by row, without start codes. */
  slices: Buffer[]
  tile: { width: number; height: number }
  columns: number
  /** Of the whole, before it is turned. */
  width: number
  height: number
  bitDepth?: 8 | 10
  /** How often it is turned by 90 degrees, anticlockwise. */
  irot?: number
  /** 0: top and bottom change places, 1: left and right. */
  imir?: number
  icc?: Uint8Array
  /** A block of `exifBlock`. */
  exif?: Uint8Array
  /** An XMP packet. */
  xmp?: string
}

const u8 = (...values: number[]) => Buffer.from(values)
function u16(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => u8(value >> 8, value & 255)))
}
function u32(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => u16(value >>> 16, value & 0xffff)))
}
export function box(type: string, ...content: (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part as string, 'latin1')))
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body])
}
const fullBox = (type: string, version: number, flags: number, ...content: (Uint8Array | string)[]) =>
  box(type, u32(((version << 24) | flags) >>> 0), ...content)

interface Item {
  id: number
  type: string
  data: Buffer
  hidden?: boolean
  /** Indexes of properties, from 1. */
  properties?: number[]
  references?: [type: string, to: number[]][]
}

export function heicOf(parts: HeicParts): Buffer {
  const { slices, tile, columns, width, height, bitDepth = 8 } = parts
  const properties: Buffer[] = []
  const property = (content: Buffer) => properties.push(content)
  const common = [property(hvcC(parts.parameters, bitDepth)), property(ispe(tile)), property(pixi(bitDepth))]
  if (parts.icc) common.push(property(box('colr', 'prof', parts.icc)))
  const whole = [property(ispe({ width, height })), ...common.slice(2)]
  if (parts.irot !== undefined) whole.push(property(box('irot', u8(parts.irot))))
  if (parts.imir !== undefined) whole.push(property(box('imir', u8(parts.imir))))

  const tiles = slices.map(
    (slice, index): Item => ({
      id: index + 1,
      type: 'hvc1',
      data: Buffer.concat([u32(slice.length), slice]),
      hidden: true,
      properties: common,
    }),
  )
  const grid: Item = {
    id: tiles.length + 1,
    type: 'grid',
    data: Buffer.concat([u8(0, 1, slices.length / columns - 1, columns - 1), u32(width, height)]),
    properties: whole,
    references: [['dimg', tiles.map(({ id }) => id)]],
  }
  const described = (id: number, type: string, data: Buffer): Item => ({
    id,
    type,
    data,
    hidden: true,
    references: [['cdsc', [grid.id]]],
  })
  const items = [...tiles, grid]
  if (parts.exif) {
    items.push(
      described(items.length + 1, 'Exif', Buffer.concat([u32(6), Buffer.from('Exif\0\0'), parts.exif])),
    )
  }
  if (parts.xmp) items.push(described(items.length + 1, 'mime', Buffer.from(parts.xmp)))
  return file(items, grid.id, properties)
}

function file(items: Item[], primary: number, properties: Buffer[]): Buffer {
  const ftyp = box('ftyp', 'heic', u32(0), 'mif1', 'heic')
  const meta = (start: number) =>
    fullBox(
      'meta',
      0,
      0,
      fullBox('hdlr', 0, 0, u32(0), 'pict', Buffer.alloc(13)),
      fullBox('pitm', 0, 0, u16(primary)),
      iloc(items, start),
      fullBox('iinf', 0, 0, u16(items.length), ...items.map(infe)),
      fullBox('iref', 0, 0, ...items.flatMap(references)),
      box('iprp', box('ipco', ...properties), ipma(items)),
    )
  const start = ftyp.length + meta(0).length + 8
  return Buffer.concat([ftyp, meta(start), box('mdat', ...items.map(({ data }) => data))])
}

function iloc(items: Item[], start: number): Buffer {
  let offset = start
  const entries = items.map(({ id, data }) => {
    const entry = Buffer.concat([u16(id, 0, 1), u32(offset, data.length)])
    offset += data.length
    return entry
  })
  return fullBox('iloc', 0, 0, u8(0x44, 0x00), u16(items.length), ...entries)
}

const infe = ({ id, type, hidden }: Item) =>
  fullBox('infe', 2, hidden ? 1 : 0, u16(id, 0), type, '\0', type === 'mime' ? 'application/rdf+xml\0' : '')

const references = ({ id, references = [] }: Item) =>
  references.map(([type, to]) => box(type, u16(id, to.length, ...to)))

function ipma(items: Item[]): Buffer {
  const entries = items
    .filter(({ properties }) => properties)
    .map(({ id, properties }) => Buffer.concat([u16(id), u8(properties!.length, ...properties!)]))
  return fullBox('ipma', 0, 0, u32(entries.length), ...entries)
}

const ispe = ({ width, height }: { width: number; height: number }) =>
  fullBox('ispe', 0, 0, u32(width, height))
const pixi = (bits: number) => fullBox('pixi', 0, 0, u8(3, bits, bits, bits))

/** The decoder's configuration, ISO/IEC 14496-15, 8.3.3.1. */
function hvcC(parameters: Buffer[], bitDepth: number): Buffer {
  const typeOf = (nal: Buffer) => (nal[0]! >> 1) & 63
  const sps = parameters.find((nal) => typeOf(nal) === 33)!
  // Profile, tier and level stand behind the NAL's header and one further byte.
  const profile = Buffer.from(unescaped(sps).subarray(3, 15))
  const head = Buffer.concat([
    u8(1),
    profile,
    u16(0xf000),
    u8(0xfc, 0xfd, 0xf8 | (bitDepth - 8), 0xf8 | (bitDepth - 8)),
    u16(0),
    u8(0x0f, parameters.length),
  ])
  const arrays = parameters.map((nal) => Buffer.concat([u8(0x80 | typeOf(nal)), u16(1, nal.length), nal]))
  return box('hvcC', head, ...arrays)
}

/** Without the bytes that keep start codes from appearing. */
function unescaped(nal: Buffer): Buffer {
  return Buffer.from(nal.filter((byte, i) => !(byte === 3 && i >= 2 && nal[i - 1] === 0 && nal[i - 2] === 0)))
}

/** The NAL units of a stream with start codes. */
export function nalUnits(stream: Buffer): Buffer[] {
  const units: Buffer[] = []
  let start = stream.indexOf('\0\0\x01', 0, 'latin1')
  while (start >= 0) {
    const next = stream.indexOf('\0\0\x01', start + 3, 'latin1')
    const end = next < 0 ? stream.length : stream[next - 1] === 0 ? next - 1 : next
    units.push(stream.subarray(start + 3, end))
    start = next
  }
  return units
}

/** The parameters and the slices of tiles that x265 encoded, each as a key frame of one slice. */
export function tilesOf(stream: Buffer): Pick<HeicParts, 'parameters' | 'slices'> {
  const parameters = new Map<number, Buffer>()
  const slices: Buffer[] = []
  for (const unit of nalUnits(stream)) {
    const type = (unit[0]! >> 1) & 63
    if (type >= 32 && type <= 34) parameters.set(type, unit)
    if (type >= 16 && type <= 21) slices.push(unit)
  }
  return { parameters: [...parameters.values()], slices }
}
