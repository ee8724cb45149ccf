import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3'
import { fromS3, isMissing, withS3Errors } from './errors.ts'

/**
 * Aborts the uploads of a bucket that have made no progress since `olderThan`.
 * @param live ids of the unfinished uploads of this process
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
    page = await withS3Errors(client.send(new ListMultipartUploadsCommand({ Bucket, ...markers })))
    for (const upload of page.Uploads ?? []) {
      if (live.has(upload.UploadId!) || !upload.Initiated || upload.Initiated >= olderThan) continue
      if (await abortUnlessActive(client, Bucket, upload, olderThan)) aborted++
    }
  } while (page.IsTruncated && page.Uploads?.length)
  return aborted
}

/** An upload that began long ago may be slow, so the time of its newest part counts. */
async function abortUnlessActive(
  client: S3Client,
  Bucket: string,
  { Key, UploadId }: MultipartUpload,
  olderThan: Date,
): Promise<boolean> {
  const upload = { Bucket, Key, UploadId }
  try {
    // Not with the SDK's paginator, which never ends with servers that name a next marker on the last page too.
    let page: ListPartsCommandOutput | undefined
    do {
      const PartNumberMarker = page?.NextPartNumberMarker
      page = await client.send(new ListPartsCommand({ ...upload, PartNumberMarker }))
      if (page.Parts?.some(({ LastModified }) => LastModified && LastModified >= olderThan)) return false
    } while (page.IsTruncated && page.Parts?.length)
    await client.send(new AbortMultipartUploadCommand(upload))
    return true
  } catch (error) {
    // The upload has ended in between.
    if (isMissing(error)) return false
    throw fromS3(error)
  }
}
