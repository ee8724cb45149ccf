/**
 * Where files are kept: under DATA_DIR, or in a bucket of any S3. An object appears whole under its key or not at all,
 * and nothing here ever holds a whole file in memory.
 */

/** A chunk is good until the next one is asked for: what a storage keeps of it, it copies. */
export type Body = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

/** Positions of the first and the last byte, both included. */
export interface ByteRange {
  start: number
  end: number
}

export interface ObjectInfo {
  /** Bytes of the whole object. */
  size: number
  /** Strong, with its quotation marks: an ETag field's value. */
  etag: string
  lastModified: Date
  contentType: string
}

export interface StoredObject extends ObjectInfo {
  /** To be read to its end or cancelled: it holds a file or a connection open. */
  body: ReadableStream<Uint8Array>
  /** The part of the object that `body` is; undefined when it is the whole. */
  range: ByteRange | undefined
}

/** An object, or a part of it, as the body of an answer. */
export interface ObjectContent extends ObjectInfo {
  /** Bytes and files have a length that is known; of a stream it is not, and Bun sends it in chunks. */
  content: Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>
  /** The part of the object that `content` is; undefined when it is the whole. */
  range: ByteRange | undefined
}

export interface ListedObject {
  key: string
  size: number
  lastModified: Date
}

/** A file on this machine for as long as another program works on it. */
export interface LocalFile extends AsyncDisposable {
  path: string
  /** An empty directory of its own for what the program writes. */
  scratch: string
  /** Removes the directory, and the copy if `path` is one. */
  dispose(): Promise<void>
}

export interface Storage {
  readonly kind: 'disk' | 's3'
  /**
   * Stores a body as it comes in and replaces what was under the key. On any failure nothing of it is left, and what the
   * body threw is thrown on unchanged. The object is served with the type that its key's extension says, see
   * content-types.ts. `signal` counts until the object is about to appear; then it appears.
   * @throws StorageError INVALID_KEY, NO_SPACE, UNAVAILABLE, ABORTED
   */
  write(
    key: string,
    body: Body,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ size: number; etag: string }>
  /**
   * Opens an object, or a part of it. All that is told of it belongs to the very bytes in `body`.
   * @returns undefined when there is no such object
   * @throws StorageError RANGE_NOT_SATISFIABLE when the object ends before `range` begins, UNAVAILABLE
   */
  read(key: string, options?: { range?: ByteRange | undefined }): Promise<StoredObject | undefined>
  /**
   * Opens an object for an answer whose length has to be known, in bounded memory: a small part as bytes, a larger one as a
   * file on this machine. Where that is impossible, because there is no room for a copy, it is a stream. A file may be
   * gone when it is read, because the object was deleted after this.
   * @param info what `head` has just told
   * @param options.signal ends the waiting for a copy
   * @returns undefined when there is no such object any more
   * @throws StorageError RANGE_NOT_SATISFIABLE, UNAVAILABLE, ABORTED
   */
  open(
    key: string,
    info: ObjectInfo,
    options?: { range?: ByteRange | undefined; signal?: AbortSignal | undefined },
  ): Promise<ObjectContent | undefined>
  /** @throws StorageError UNAVAILABLE */
  head(key: string): Promise<ObjectInfo | undefined>
  /**
   * Moves an object of at most 5 GB, and replaces what is under `to`. It may be seen under both keys meanwhile, and
   * never under none. A missing one is no error: an earlier try may have moved it.
   * @throws StorageError INVALID_KEY, NO_SPACE, UNAVAILABLE
   */
  move(from: string, to: string): Promise<void>
  /**
   * Missing objects are no error. Tries all before it throws.
   * @throws StorageError INVALID_KEY, UNAVAILABLE
   */
  delete(keys: string[]): Promise<void>
  /**
   * Objects whose keys begin with `prefix`, in no particular order, a page at a time; they may be deleted meanwhile.
   * @throws StorageError UNAVAILABLE
   */
  list(prefix: string): AsyncIterable<ListedObject>
  /**
   * Removes what writes that never ended have left behind, wherever they ran, and stale scratch files. A write that
   * has made progress since `olderThan` is left alone. The bucket has to be this installation's own.
   * @returns how many writes were removed
   * @throws StorageError UNAVAILABLE
   */
  abortUnfinished(olderThan: Date): Promise<number>
  /** Where clients fetch the object directly; undefined: this server serves it. */
  publicUrl(key: string): string | undefined
  /** A URL that works for so many seconds, at most a week, without signing in; undefined on disk. */
  presign(key: string, seconds: number): Promise<string | undefined>
  /**
   * For a program that needs a file: the stored one itself (not to be changed), or a copy.
   * @throws StorageError NOT_FOUND, NO_SPACE, UNAVAILABLE, ABORTED
   */
  openLocal(key: string, options?: { signal?: AbortSignal | undefined }): Promise<LocalFile>
  /**
   * Round trip in milliseconds.
   * @throws StorageError UNAVAILABLE
   */
  ping(): Promise<number>
  close(): Promise<void>
}

export type StorageErrorCode =
  | 'INVALID_KEY'
  | 'NOT_FOUND'
  | 'RANGE_NOT_SATISFIABLE'
  /** The disk or the quota is full. */
  | 'NO_SPACE'
  /** It does not answer, or refuses; the same may succeed later. */
  | 'UNAVAILABLE'
  | 'ABORTED'

/** `message` is for the log: it may name paths, and never holds a secret. */
export class StorageError extends Error {
  override name = 'StorageError'
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
