/** Buckets in memory, objects as files. Everything appears whole or not at all, as in S3. */
import { createHash } from 'node:crypto'
import { copyFile, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { S3Fault } from './faults.ts'

const MIN_PART_BYTES = 5 * 1024 * 1024

export interface Content {
  path: string
  size: number
  /** Hexadecimal. */
  md5: string
  at: Date
}

export interface StoredObject extends Content {
  etag: string
  headers: Record<string, string>
}

export interface Upload {
  id: string
  key: string
  at: Date
  headers: Record<string, string>
  parts: Map<number, Content>
}

export interface Bucket {
  objects: Map<string, StoredObject>
  uploads: Map<string, Upload>
  /** What the keys begin with that everybody may read. */
  shown: string[]
}

export class Store {
  readonly buckets = new Map<string, Bucket>()

  constructor(private readonly directory: string) {}

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (!bucket) throw new S3Fault('NoSuchBucket', 404)
    return bucket
  }

  upload(bucket: Bucket, id: string, key: string): Upload {
    const upload = bucket.uploads.get(id)
    if (upload?.key !== key) throw new S3Fault('NoSuchUpload', 404)
    return upload
  }

  /** @throws S3Fault when the body is not as long as announced, or not the one that was signed */
  async receive(request: Request, sha256: string | undefined): Promise<Content> {
    const path = join(this.directory, crypto.randomUUID())
    const hashes = { md5: createHash('md5'), sha256: createHash('sha256') }
    let size = 0
    try {
      await using file = await open(path, 'wx')
      for await (const chunk of request.body ?? []) {
        hashes.md5.update(chunk)
        hashes.sha256.update(chunk)
        await file.write(chunk)
        size += chunk.byteLength
      }
      const announced = request.headers.get('content-length')
      if (announced !== null && Number(announced) !== size) throw new S3Fault('IncompleteBody', 400)
      if (sha256 && hashes.sha256.digest('hex') !== sha256)
        throw new S3Fault('XAmzContentSHA256Mismatch', 400)
      return { path, size, md5: hashes.md5.digest('hex'), at: new Date() }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  shows(bucketName: string, key: string): boolean {
    return this.bucket(bucketName).shown.some((prefix) => key.startsWith(prefix))
  }

  async copy(object: StoredObject, target: Bucket, key: string): Promise<StoredObject> {
    const path = join(this.directory, crypto.randomUUID())
    await copyFile(object.path, path)
    const made = { ...object, path, etag: `"${object.md5}"`, at: new Date() }
    target.objects.set(key, made)
    return made
  }

  async complete(upload: Upload, named: { number: number; etag: string }[]): Promise<StoredObject> {
    const parts = named.map(({ number, etag }, i) => {
      const part = upload.parts.get(number)
      if (!part || `"${part.md5}"` !== etag) throw new S3Fault('InvalidPart', 400)
      if (i > 0 && number <= named[i - 1]!.number) throw new S3Fault('InvalidPartOrder', 400)
      if (i < named.length - 1 && part.size < MIN_PART_BYTES) throw new S3Fault('EntityTooSmall', 400)
      return part
    })
    if (parts.length === 0) throw new S3Fault('MalformedXML', 400)
    const path = join(this.directory, crypto.randomUUID())
    const file = Bun.file(path).writer()
    for (const part of parts) {
      for await (const chunk of Bun.file(part.path).stream()) {
        file.write(chunk)
        await file.flush()
      }
    }
    await file.end()
    const md5 = createHash('md5')
    for (const part of parts) md5.update(part.md5, 'hex')
    const digest = md5.digest('hex')
    await this.discard(upload)
    return {
      path,
      size: parts.reduce((sum, part) => sum + part.size, 0),
      md5: digest,
      etag: `"${digest}-${parts.length}"`,
      at: new Date(),
      headers: upload.headers,
    }
  }
  async discard({ parts }: Upload): Promise<void> {
    for (const { path } of parts.values()) await rm(path, { force: true })
  }
}
