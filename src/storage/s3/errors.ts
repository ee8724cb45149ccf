import { StorageError } from '../storage.ts'

interface ServiceError extends Error {
  $metadata?: { httpStatusCode?: number }
  $response?: { headers?: Record<string, string> }
}

const NO_SPACE = new Set([
  'QuotaExceeded',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'InsufficientStorage',
])

export const statusOf = (error: unknown): number | undefined =>
  (error as ServiceError).$metadata?.httpStatusCode

/** The region of the bucket, which S3 names when it is another one. */
export const regionOf = (error: unknown): string | undefined =>
  (error as ServiceError).$response?.headers?.['x-amz-bucket-region']

export const nameOf = (error: unknown): string => (error as ServiceError).name

/** Whether an object or upload does not exist. A missing bucket is another error. */
export const isMissing = (error: unknown): boolean =>
  ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(nameOf(error))

export function fromS3(error: unknown): StorageError {
  const name = nameOf(error)
  const status = statusOf(error)
  const options = { cause: error }
  if (name === 'InvalidRange' || status === 416) {
    return new StorageError('RANGE_NOT_SATISFIABLE', 'the object ends before the range', options)
  }
  if (NO_SPACE.has(name) || status === 507) {
    return new StorageError('NO_SPACE', `the object storage is full (${name})`, options)
  }
  const what = status ? `${name}, status ${status}` : (error as Error).message
  return new StorageError('UNAVAILABLE', `the object storage failed (${what})`, options)
}

/** The answer to a request. @throws StorageError in place of the error of the SDK */
export async function withS3Errors<T>(sending: Promise<T>): Promise<T> {
  try {
    return await sending
  } catch (error) {
    throw fromS3(error)
  }
}
