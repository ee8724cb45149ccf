/**
 * Takes a picture out of a video. Mediabunny, which is TypeScript, reads the container, and FFmpeg gets only the packets
 * of one stream. FFmpeg's demuxers are not used, because they follow playlists and open files that a file names.
 */
import {
  type EncodedPacket,
  EncodedPacketSink,
  FilePathSource,
  Input,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  QTFF,
  type VideoCodec,
  WEBM,
} from 'mediabunny'
import { Decoder, type Frame, MAX_PIXELS, scale } from './libav.ts'
import { fit, isBlank, type Orientation, type Pixels } from './picture.ts'
import { ImagingError, type Size } from './protocol.ts'

const DECODERS: Partial<Record<VideoCodec, string>> = {
  avc: 'h264',
  hevc: 'hevc',
  vp8: 'vp8',
  vp9: 'vp9',
  av1: 'libdav1d',
}

/** After a blank picture, every twelfth picture is looked at, within these limits. */
const LOOK_EVERY = 12
const MAX_PACKETS = 300
const LOOK_MS = 3000
const COUNT_MS = 1500

export async function renderVideo(
  file: string,
  box: Size,
): Promise<{ pixels: Pixels; orientation: Orientation; durationSeconds?: number }> {
  using input = openVideo(file)
  const track = await input.getPrimaryVideoTrack()
  if (!track) throw new ImagingError('UNREADABLE', 'there is no video in it')
  const area = (await track.getCodedWidth()) * (await track.getCodedHeight())
  if (!(area > 0 && area <= MAX_PIXELS)) {
    throw new ImagingError('UNREADABLE', `its picture has ${area} pixels`)
  }
  const durationSeconds = positive(await input.getDurationFromMetadata())
  const pixels =
    (await pictureFrom(track, box, moment(durationSeconds))) ??
    // A file that was cut off may end before that moment.
    (await pictureFrom(track, box, 0))
  if (!pixels) throw new ImagingError('UNREADABLE', 'not one picture of it can be decoded')
  const wholeSeconds = durationSeconds ?? (await countedDuration(input))
  return {
    pixels,
    orientation: { degrees: await track.getRotation(), mirrored: await track.getFlip() },
    ...(wholeSeconds !== undefined && { durationSeconds: wholeSeconds }),
  }
}

/**
 * The duration of a container that does not name it, such as what browsers record: it is that of its packets. Undefined when
 * it takes too long to read them.
 */
async function countedDuration(input: Input): Promise<number | undefined> {
  const counted = input.computeDuration().catch(() => undefined)
  return positive(await Promise.race([counted, Bun.sleep(COUNT_MS).then(() => undefined)]))
}

const positive = (seconds: number | null | undefined): number | undefined =>
  seconds && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined

const openVideo = (file: string): Input =>
  new Input({ formats: [MP4, QTFF, WEBM, MATROSKA], source: new FilePathSource(file) })

/** Also for a file without a picture that can be decoded, such as one with sound alone. */
export async function measureVideo(file: string): Promise<{ durationSeconds?: number }> {
  using input = openVideo(file)
  const durationSeconds = positive(await input.getDurationFromMetadata()) ?? (await countedDuration(input))
  return durationSeconds === undefined ? {} : { durationSeconds }
}

/** A tenth of the video, but after the first second if the video is longer, because videos begin with black and with titles. */
const moment = (duration: number | undefined): number =>
  duration === undefined ? 1 : Math.min(Math.max(duration / 10, 1), duration / 2)

/** The key frame at that moment or, if it is blank, a picture soon after it. */
async function pictureFrom(track: InputVideoTrack, box: Size, seconds: number): Promise<Pixels | undefined> {
  const size = await sizeBeforeRotation(track, box)
  const deadline = performance.now() + LOOK_MS
  let picture: Pixels | undefined
  let count = 0
  for await (const frame of frames(track, seconds)) {
    if (count++ % LOOK_EVERY !== 0) continue
    picture = await scale(frame, size)
    if (!(await isBlank(picture)) || performance.now() > deadline) break
  }
  return picture
}

async function sizeBeforeRotation(track: InputVideoTrack, box: Size): Promise<Size> {
  const { width, height } = fit(
    { width: await track.getDisplayWidth(), height: await track.getDisplayHeight() },
    box,
    1,
  )
  return (await track.getRotation()) % 180 === 0 ? { width, height } : { width: height, height: width }
}

async function* frames(track: InputVideoTrack, seconds: number): AsyncGenerator<Frame> {
  const codec = await track.getCodec()
  const name = codec && DECODERS[codec]
  if (!name) throw new ImagingError('UNREADABLE', `its codec is not supported: ${codec ?? 'unknown'}`)
  const description = (await track.getDecoderConfig())?.description
  using decoder = await Decoder.open(name, description && bytes(description))
  for await (const { data, type } of packets(track, seconds)) yield* decoder.decode(data, type === 'key')
  yield* decoder.decode(undefined)
}

/** The packets from the key packet at `seconds` on, as far as they can be read. */
async function* packets(track: InputVideoTrack, seconds: number): AsyncGenerator<EncodedPacket> {
  const sink = new EncodedPacketSink(track)
  let packet = (await sink.getKeyPacket(seconds)) ?? (await sink.getFirstPacket())
  for (let count = 0; packet && count < MAX_PACKETS; count++) {
    yield packet
    packet = await sink.getNextPacket(packet)
  }
}

const bytes = (data: ArrayBufferLike | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
