/**
 * FFmpeg's decoders from the prebuilt native libraries of node-av. The JavaScript package of node-av is not used, because
 * it brings a WebRTC stack; the few native functions here have the names of FFmpeg's own functions.
 */
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import type { Pixels } from './picture.ts'
import { ImagingError, type Size } from './protocol.ts'

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
/** Values from 0 to 255, as in JPEG; video uses 16 to 235. */
const FULL_RANGE = 2
/** The same value for primaries, transfer characteristics and matrix. */
const UNSPECIFIED = 2
/** AV_FRAME_FLAG_INTERLACED and AV_FRAME_FLAG_TOP_FIELD_FIRST. */
const FIELDS = 0b11000
const { ENOMEM } = constants.errno

native.Log.setLevel(LOG_QUIET)

/** The largest picture that is decoded: 8K. FFmpeg checks the size before it allocates, whatever the bitstream claims. */
export const MAX_PIXELS = 8192 * 4608

/** A decoded picture. The decoder overwrites it with its next one. */
export type Frame = NativeFrame

/** One of FFmpeg's software decoders. It uses one thread, so that its memory does not depend on the number of cores. */
export class Decoder implements Disposable {
  private readonly context = new native.CodecContext()
  private readonly packet = new native.Packet()
  private readonly frame = new native.Frame()

  private constructor() {
    this.packet.alloc()
    this.frame.alloc()
  }

  /**
   * @param name FFmpeg's name of the decoder
   * @param description the codec's configuration from the container (avcC, hvcC, av1C)
   */
  static async open(name: string, description: Uint8Array | undefined): Promise<Decoder> {
    const codec = native.Codec.findDecoderByName(name)
    if (!codec) throw new ImagingError('CRASHED', `this build of FFmpeg has no decoder ${name}`)
    const decoder = new Decoder()
    decoder.context.allocContext3(codec)
    if (description) decoder.context.extraData = Buffer.from(description)
    const options = new native.Dictionary()
    options.set('threads', '1', 0)
    options.set('max_pixels', String(MAX_PIXELS), 0)
    // Not the synchronous form, because it frees the options twice.
    if (failed(await decoder.context.open2(codec, options))) {
      throw new ImagingError('UNREADABLE', `${name} can't be set up for it`)
    }
    return decoder
  }

  /** The pictures of one packet, or for `undefined` those that are left at the end. A damaged packet gives none. */
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
 * Converts the frame to RGB in another size, with its own matrix if swscale knows it. The file's primaries and transfer
 * characteristics are ignored: swscale refuses some legal ones, and computes tables for others (BT.2020, PQ, HLG) for some
 * twenty seconds. So HDR looks paler here. Two fields are scaled as one picture, because swscale refuses them otherwise.
 */
export async function scale(frame: Frame, size: Size): Promise<Pixels> {
  frame.flags &= ~FIELDS
  frame.colorPrimaries = UNSPECIFIED
  frame.colorTrc = UNSPECIFIED
  const pixels = await converted(frame, size)
  if (pixels) return pixels
  frame.colorSpace = UNSPECIFIED
  const plain = await converted(frame, size)
  if (!plain) throw new ImagingError('UNREADABLE', 'its pixel format is not known')
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

/** @throws ImagingError MEMORY when FFmpeg got no memory, because that is not the file's fault */
function failed(result: number): boolean {
  if (result === -ENOMEM) throw new ImagingError('MEMORY', 'FFmpeg got no more memory')
  return result < 0
}
