import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type MultipartUpload,
  paginateListParts,
  type S3Client,
} from '@aws-sdk/client-s3'
import { fromS3, isMissing, sent } from './errors.ts'

/**
 * Aborts the uploads of a bucket in which nothing has happened since `olderThan`.
 * @param live ids of uploads that are under way in this process
 * @returns how many
 * @throws StorageError UNAVAILABLE
 */
export async function abortStaleUploads(
  client: S3Client,
  Bucket: string,
  olderThan: Date,
  live: ReadonlySet<string>,
): Promise<number> {
  let aborted = 0
  let page: Pick<ListMultipartUploadsCommandOutput, 'NextKeyMarker' | 'NextUploadIdMarker' | 'IsTruncated'> =
    {}
  do {
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    const command = new ListMultipartUploadsCommand({ Bucket, KeyMarker, UploadIdMarker })
    const { Uploads = [], ...rest } = await sent(client.send(command))
    for (const upload of Uploads) {
      if (live.has(upload.UploadId!) || !upload.Initiated || upload.Initiated >= olderThan) continue
      if (await abortUnlessActive(client, Bucket, upload, olderThan)) aborted++
    }
    page = rest
    // Not for ever with a server that says there is more and never gives it.
  } while (page.IsTruncated && page.NextUploadIdMarker)
  return aborted
}

/** An upload that began long ago may be a slow one: its newest part tells. */
async function abortUnlessActive(
  client: S3Client,
  Bucket: string,
  { Key, UploadId }: MultipartUpload,
  olderThan: Date,
): Promise<boolean> {
  const upload = { Bucket, Key, UploadId }
  try {
    for await (const { Parts = [] } of paginateListParts({ client, stopOnSameToken: true }, upload)) {
      if (Parts.some(({ LastModified }) => LastModified && LastModified >= olderThan)) return false
    }
    await client.send(new AbortMultipartUploadCommand(upload))
    return true
  } catch (error) {
    // It has just ended by itself.
    if (isMissing(error)) return false
    throw fromS3(error)
  }
}
