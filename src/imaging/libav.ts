/**
 * FFmpeg's decoders, out of the prebuilt libraries of node-av. Its JavaScript half, with a WebRTC stack behind it, is
 * left out: what we need of the native half is small, and has the names of FFmpeg's own functions.
 */
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import type { Pixels, Size } from './picture.ts'
import { ThumbnailError } from './protocol.ts'

interface NativeFrame extends Size {
  format: number
  flags: number
  colorRange: number
  colorPrimaries: number
  colorTrc: number
  colorSpace: number
  alloc(): void
  free(): void
  getBuffer(align: number): number
  toBuffer(): Buffer
}

interface NativePacket {
  data: Buffer
  isKeyframe: boolean
  alloc(): void
  free(): void
}

interface NativeContext {
  extraData: Buffer | null
  allocContext3(codec: object): void
  open2(codec: object, options: object): Promise<number>
  sendPacket(packet: NativePacket | null): Promise<number>
  receiveFrame(frame: NativeFrame): Promise<number>
  freeContext(): void
}

interface Native {
  Codec: { findDecoderByName(name: string): object | null }
  CodecContext: new () => NativeContext
  Packet: new () => NativePacket
  Frame: new () => NativeFrame
  SoftwareScaleContext: new () => {
    allocContext(): void
    scaleFrame(to: NativeFrame, from: NativeFrame): Promise<number>
    freeContext(): void
  }
  Dictionary: new () => { set(key: string, value: string, flags: number): number }
  Log: { setLevel(level: number): void }
}

const native = createRequire(import.meta.url)(
  `@seydx/node-av-${process.platform}-${process.arch}/node-av.node`,
) as Native

const LOG_QUIET = -8
const RGB24 = 2
/** 0 to 255, as JPEG has it; video has 16 to 235. */
const FULL_RANGE = 2
/** Of the primaries, of the transfer characteristics and of the matrix alike. */
const UNSPECIFIED = 2
/** AV_FRAME_FLAG_INTERLACED and AV_FRAME_FLAG_TOP_FIELD_FIRST. */
const FIELDS = 0b11000
const { ENOMEM } = constants.errno

native.Log.setLevel(LOG_QUIET)

/** Largest picture that is decoded: 8K. FFmpeg asks for its memory after this check, whatever the bitstream claims. */
export const MAX_PIXELS = 8192 * 4608

/** A decoded picture, which the decoder's next one overwrites. */
export type Frame = NativeFrame

/** One of FFmpeg's software decoders, by its name there. One thread, so that its memory doesn't grow with the machine. */
export class Decoder implements Disposable {
  private readonly context = new native.CodecContext()
  private readonly packet = new native.Packet()
  private readonly frame = new native.Frame()

  private constructor() {
    this.packet.alloc()
    this.frame.alloc()
  }

  /** @param description the codec's set-up as the container has it (avcC, hvcC, av1C) */
  static async open(name: string, description: Uint8Array | undefined): Promise<Decoder> {
    const codec = native.Codec.findDecoderByName(name)
    if (!codec) throw new ThumbnailError('CRASHED', `this build of FFmpeg has no decoder ${name}`)
    const decoder = new Decoder()
    decoder.context.allocContext3(codec)
    if (description) decoder.context.extraData = Buffer.from(description)
    const options = new native.Dictionary()
    options.set('threads', '1', 0)
    options.set('max_pixels', String(MAX_PIXELS), 0)
    // The synchronous form frees the options twice.
    if (failed(await decoder.context.open2(codec, options))) {
      throw new ThumbnailError('UNREADABLE', `${name} can't be set up for it`)
    }
    return decoder
  }

  /** What comes out for one packet, or at the end for `undefined`. A damaged packet gives nothing. */
  async *decode(data: Uint8Array | undefined, isKey = false): AsyncGenerator<Frame> {
    if (data) {
      this.packet.data = Buffer.from(data)
      this.packet.isKeyframe = isKey
    }
    if (failed(await this.context.sendPacket(data ? this.packet : null))) return
    while (!failed(await this.context.receiveFrame(this.frame))) yield this.frame
  }

  [Symbol.dispose](): void {
    this.context.freeContext()
    this.packet.free()
    this.frame.free()
  }
}

/**
 * The frame as RGB in a size of its own, by its own matrix where swscale knows that. Only the matrix is used of what the
 * file says about its colours: swscale refuses some legal primaries and transfer characteristics, and spends some twenty
 * seconds on tables for others (BT.2020, PQ, HLG), so that HDR looks paler here. Two fields are scaled as one picture,
 * because swscale refuses them otherwise.
 */
export async function scale(frame: Frame, size: Size): Promise<Pixels> {
  frame.flags &= ~FIELDS
  frame.colorPrimaries = UNSPECIFIED
  frame.colorTrc = UNSPECIFIED
  const pixels = await converted(frame, size)
  if (pixels) return pixels
  frame.colorSpace = UNSPECIFIED
  const plain = await converted(frame, size)
  if (!plain) throw new ThumbnailError('UNREADABLE', 'its pixels have a form that is not known')
  return plain
}

async function converted(frame: Frame, { width, height }: Size): Promise<Pixels | undefined> {
  const picture = new native.Frame()
  const scaler = new native.SoftwareScaleContext()
  picture.alloc()
  scaler.allocContext()
  try {
    Object.assign(picture, { width, height, format: RGB24, colorRange: FULL_RANGE })
    if (failed(picture.getBuffer(1)) || failed(await scaler.scaleFrame(picture, frame))) return undefined
    return { data: picture.toBuffer(), width, height, channels: 3 }
  } finally {
    scaler.freeContext()
    picture.free()
  }
}

/** @throws MEMORY, since that is no fault of the file's */
function failed(result: number): boolean {
  if (result === -ENOMEM) throw new ThumbnailError('MEMORY', 'FFmpeg got no more memory')
  return result < 0
}
