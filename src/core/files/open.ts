/** Answers to requests for stored files (RFC 9110, chapters 13 and 14). */
import { dispositionOf } from '../../storage/content-types.ts'
import { keyToPath } from '../../storage/keys.ts'
import { chooseAnswer } from '../../storage/ranges.ts'
import type { ByteRange, ObjectContent, ObjectInfo } from '../../storage/storage.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'

export type FileAnswer = {
  /** Whether every client may see the file now. */
  isPublic: boolean
  /** The name under which clients save the file; they save it instead of showing it. */
  saveAs?: string
} & (
  | { status: 304 | 416; info: ObjectInfo }
  | {
      status: 200 | 206
      info: ObjectInfo
      range: ByteRange | undefined
      disposition: 'inline' | 'attachment'
      /** Null for HEAD. */
      content: ObjectContent['content'] | null
    }
)

/** The parts of a GET or HEAD request that decide its answer. */
export interface FileRequest {
  method: string
  url: string
  headers: { get(name: string): string | null }
  signal: AbortSignal
}

/**
 * Opens a file of one folder under `/files/`.
 * @param viewer undefined for somebody who has not signed in
 * @param key has the form of a key
 * @returns undefined when there is no such file, or this viewer may not see it
 */
export type OpenFile = (
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
) => Promise<FileAnswer | undefined>

/** Where a file may be, for a user who may see it. */
export interface FilePlaces {
  /** The keys at which to look, in this order. */
  places: string[]
  isPublic: boolean
}

/**
 * Opens the first object that exists.
 * @param name the key that the client knows; its extension decides whether a browser may show the file
 * @returns undefined when no object exists
 * @throws AppError CLIENT_CLOSED when the client closed the connection first; StorageError
 */
export async function openStored(
  ctx: Context,
  name: string,
  { places, isPublic }: FilePlaces,
  request: FileRequest,
): Promise<FileAnswer | undefined> {
  for (const place of places) {
    const info = await ctx.storage.head(place)
    if (!info) continue
    const answer = chooseAnswer(request, info)
    if (answer.status === 304 || answer.status === 416) return { status: answer.status, info, isPublic }
    const disposition = dispositionOf(name)
    if (request.method === 'HEAD') {
      return { status: 200, info, isPublic, range: undefined, disposition, content: null }
    }
    const range = answer.status === 206 ? answer.range : undefined
    const opened = await openObject(ctx, place, info, range, request.signal)
    if (!opened) continue
    const { content, range: part, ...read } = opened
    return { status: answer.status, info: read, isPublic, range: part, disposition, content }
  }
  return undefined
}

async function openObject(
  ctx: Context,
  key: string,
  info: ObjectInfo,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ObjectContent | undefined> {
  try {
    return await ctx.storage.open(key, info, { range, signal })
  } catch (error) {
    throw signal.aborted ? new AppError('CLIENT_CLOSED') : error
  }
}

/**
 * The address at which clients fetch a public object: of the object store, or of this server.
 * @param origin the address of this server as the client knows it
 */
export const fileUrl = ({ storage }: Context, origin: string, key: string): string =>
  storage.publicUrl(key) ?? `${origin}/files/${keyToPath(key)}`
