/**
 * Storage for files: under DATA_DIR, or in a bucket of any S3. An object appears whole under its key or not at all, and no
 * function here holds a whole file in memory.
 */

/** A chunk is valid until the next one is read. A storage copies what it keeps of a chunk. */
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
  /** Read it to its end or cancel it, because it holds a file or a connection open. */
  body: ReadableStream<Uint8Array>
  /** The part of the object that `body` is; undefined when it is the whole. */
  range: ByteRange | undefined
}

/** An object, or a part of it, as the body of an answer. */
export interface ObjectContent extends ObjectInfo {
  /** The length of bytes and files is known. A stream has none, and Bun sends it in chunks. */
  content: Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>
  /** The part of the object that `content` is; undefined when it is the whole. */
  range: ByteRange | undefined
}

export interface ListedObject {
  key: string
  size: number
  lastModified: Date
}

/** A local file that another program works on. */
export interface LocalFile extends AsyncDisposable {
  path: string
  /** An empty directory for the files that the program writes. */
  scratch: string
  /** Removes the directory, and the copy if `path` is one. */
  dispose(): Promise<void>
}

export interface Storage {
  readonly kind: 'disk' | 's3'
  /**
   * Stores a body as it arrives, and replaces the object that was under the key. After a failure nothing of it is left, and
   * an error of the body is thrown unchanged. The object is served with the type of its key's extension
   * (content-types.ts). An abort has no effect once the object is about to appear.
   * @param options.durable false: the object may be lost when the machine loses power, and is written faster on a disk
   * @returns its bytes
   * @throws StorageError INVALID_KEY, NO_SPACE, UNAVAILABLE, ABORTED
   */
  write(
    key: string,
    body: Body,
    options?: { signal?: AbortSignal | undefined; durable?: boolean },
  ): Promise<number>
  /**
   * Opens an object, or a part of it. All returned properties belong to the very bytes in `body`.
   * @returns undefined when there is no such object
   * @throws StorageError RANGE_NOT_SATISFIABLE when the object ends before `range` begins, UNAVAILABLE
   */
  read(key: string, options?: { range?: ByteRange | undefined }): Promise<StoredObject | undefined>
  /**
   * Opens an object for an answer whose length has to be known, in bounded memory: a small part as bytes, a larger one as a
   * local file. It is a stream when there is no room for a copy. A file may be gone when it is read, because the object was
   * deleted in between.
   * @param info the result of `head`
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
   * Moves an object of at most 5 GB, and replaces an object under `to`. Meanwhile it may exist under both keys, and always
   * exists under one. A missing object is no error, because an earlier try may have moved it.
   * @throws StorageError INVALID_KEY, NO_SPACE, UNAVAILABLE
   */
  move(from: string, to: string): Promise<void>
  /**
   * Copies an object of at most 5 GB, and replaces an object under `to`.
   * @returns false when there is no object under `from`
   * @throws StorageError INVALID_KEY, NO_SPACE, UNAVAILABLE
   */
  copy(from: string, to: string): Promise<boolean>
  /**
   * Deletes objects. A missing one is no error. It tries all before it throws.
   * @throws StorageError INVALID_KEY, UNAVAILABLE
   */
  delete(keys: string[]): Promise<void>
  /**
   * Deletes all objects whose keys begin with `folder`, which ends with a slash.
   * @throws StorageError INVALID_KEY, UNAVAILABLE
   */
  deleteFolder(folder: string): Promise<void>
  /**
   * Objects whose keys begin with `prefix`, in no particular order, page by page. The caller may delete them meanwhile.
   * @throws StorageError UNAVAILABLE
   */
  list(prefix: string): AsyncIterable<ListedObject>
  /**
   * Removes the remains of writes that never ended, on any server, and stale scratch files. A write that has made progress
   * since `olderThan` stays. The bucket must belong to this installation alone.
   * @returns how many writes were removed
   * @throws StorageError UNAVAILABLE
   */
  abortUnfinished(olderThan: Date): Promise<number>
  /** The URL at which clients fetch the object directly; undefined when this server serves it. */
  publicUrl(key: string): string | undefined
  /**
   * Opens an object for a program that needs a file: the stored file itself, which must not be changed, or a copy.
   * @throws StorageError NOT_FOUND, NO_SPACE, UNAVAILABLE, ABORTED
   */
  openLocal(key: string, options?: { signal?: AbortSignal | undefined }): Promise<LocalFile>
  /** The path of the file that an object is, which must not be changed; undefined in a bucket. It need not exist. */
  fileOf(key: string): string | undefined
  /**
   * Bytes that can still be stored; undefined for a bucket, which does not say.
   * @throws StorageError UNAVAILABLE
   */
  free(): Promise<number | undefined>
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
  /** The storage does not answer, or refuses. The same call may succeed later. */
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
