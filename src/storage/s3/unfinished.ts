import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type MultipartUpload,
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
  let page: ListMultipartUploadsCommandOutput | undefined
  do {
    const markers = { KeyMarker: page?.NextKeyMarker, UploadIdMarker: page?.NextUploadIdMarker }
    page = await sent(client.send(new ListMultipartUploadsCommand({ Bucket, ...markers })))
    for (const upload of page.Uploads ?? []) {
      if (live.has(upload.UploadId!) || !upload.Initiated || upload.Initiated >= olderThan) continue
      if (await abortUnlessActive(client, Bucket, upload, olderThan)) aborted++
    }
  } while (page.IsTruncated && page.Uploads?.length)
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
    // Not by the SDK's paginator: it goes on for ever with servers that name a next marker on the last page too.
    let page: ListPartsCommandOutput | undefined
    do {
      const PartNumberMarker = page?.NextPartNumberMarker
      page = await client.send(new ListPartsCommand({ ...upload, PartNumberMarker }))
      if (page.Parts?.some(({ LastModified }) => LastModified && LastModified >= olderThan)) return false
    } while (page.IsTruncated && page.Parts?.length)
    await client.send(new AbortMultipartUploadCommand(upload))
    return true
  } catch (error) {
    // It has just ended by itself.
    if (isMissing(error)) return false
    throw fromS3(error)
  }
}
