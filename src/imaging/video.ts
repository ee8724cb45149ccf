/**
 * A picture out of a video. Mediabunny, which is TypeScript, takes the container apart, and only the packets of one
 * stream reach FFmpeg: its demuxers, which follow playlists and read what a file names, are never asked.
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
import { fit, isBlank, type Orientation, type Pixels, type Size } from './picture.ts'
import { ThumbnailError } from './protocol.ts'

const DECODERS: Partial<Record<VideoCodec, string>> = {
  avc: 'h264',
  hevc: 'hevc',
  vp8: 'vp8',
  vp9: 'vp9',
  av1: 'libdav1d',
}

/** After a blank picture every twelfth is looked at, for so many packets and so long. */
const LOOK_EVERY = 12
const MAX_PACKETS = 300
const LOOK_MS = 3000

export async function renderVideo(
  file: string,
): Promise<{ pixels: Pixels; orientation: Orientation; durationSeconds?: number }> {
  using input = new Input({ formats: [MP4, QTFF, WEBM, MATROSKA], source: new FilePathSource(file) })
  const track = await input.getPrimaryVideoTrack()
  if (!track) throw new ThumbnailError('UNREADABLE', 'there is no video in it')
  const area = (await track.getCodedWidth()) * (await track.getCodedHeight())
  if (!(area > 0 && area <= MAX_PIXELS)) {
    throw new ThumbnailError('UNREADABLE', `its picture has ${area} pixels`)
  }
  const duration = await input.getDurationFromMetadata()
  const durationSeconds =
    duration !== null && Number.isFinite(duration) && duration > 0 ? duration : undefined
  const pixels =
    (await pictureFrom(track, moment(durationSeconds))) ??
    // The file may end before its tenth.
    (await pictureFrom(track, 0))
  if (!pixels) throw new ThumbnailError('UNREADABLE', 'not one picture of it can be decoded')
  return {
    pixels,
    orientation: { degrees: await track.getRotation(), mirrored: await track.getFlip() },
    ...(durationSeconds !== undefined && { durationSeconds }),
  }
}

/** A tenth into it, but past the first second where there is one: videos begin with black and with titles. */
const moment = (duration: number | undefined): number =>
  duration === undefined ? 1 : Math.min(Math.max(duration / 10, 1), duration / 2)

/** The key frame at that moment or, where it is blank, one soon after it. */
async function pictureFrom(track: InputVideoTrack, seconds: number): Promise<Pixels | undefined> {
  const size = await sizeBeforeTurning(track)
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

async function sizeBeforeTurning(track: InputVideoTrack): Promise<Size> {
  const { width, height } = fit(
    { width: await track.getDisplayWidth(), height: await track.getDisplayHeight() },
    1,
  )
  return (await track.getRotation()) % 180 === 0 ? { width, height } : { width: height, height: width }
}

async function* frames(track: InputVideoTrack, seconds: number): AsyncGenerator<Frame> {
  const codec = await track.getCodec()
  const name = codec && DECODERS[codec]
  if (!name) throw new ThumbnailError('UNREADABLE', `its codec is not one of ours: ${codec ?? 'unknown'}`)
  const description = (await track.getDecoderConfig())?.description
  using decoder = await Decoder.open(name, description && bytes(description))
  for await (const { data, type } of packets(track, seconds)) yield* decoder.decode(data, type === 'key')
  yield* decoder.decode(undefined)
}

/** From the key packet at `seconds` on, as far as they can be read. */
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
