import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type { S3Config } from '../../config/storage.ts'
import { StartupError } from '../../util/startup-error.ts'
import { nameOf, regionOf, statusOf } from './errors.ts'

/**
 * Checks that the bucket can be used, and creates it if it is missing.
 * @throws StartupError with a message for the operator
 */
export async function openBucket(client: S3Client, config: S3Config): Promise<void> {
  const Bucket = config.bucket
  try {
    // Not HEAD, because its error answers have no body with the reason.
    await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 })).catch(async (error) => {
      if (nameOf(error) !== 'NoSuchBucket') throw error
      await client.send(new CreateBucketCommand({ Bucket }))
    })
  } catch (error) {
    // Another server may have created it at the same moment.
    if (nameOf(error) === 'BucketAlreadyOwnedByYou') return
    const where = `The bucket ${Bucket} at ${config.endpoint ? new URL(config.endpoint).host : 'Amazon S3'}`
    throw new StartupError(`${where} can't be used: ${reasonFor(error, config)}`)
  }
}

function reasonFor(error: unknown, { region }: S3Config): string {
  const status = statusOf(error)
  const name = nameOf(error)
  if (status === undefined) return `${(error as Error).message}. Look at S3_ENDPOINT.`
  const elsewhere = regionOf(error)
  if (elsewhere && elsewhere !== region) return `it is in the region ${elsewhere}. Set S3_REGION.`
  if (status === 301 || name === 'AuthorizationHeaderMalformed') return `${name}. Look at S3_REGION.`
  if (status === 401 || status === 403) {
    return `${name}. Look at S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, at what they may do, and at the clock.`
  }
  return `${name}, status ${status}.`
}
