import type { EnvReader } from './env.ts'

export interface StorageConfig {
  /** Undefined: files under `dataDir`. */
  s3: S3Config | undefined
  /** Bytes, for the statistics; 0 when it is not given. Uploads are not refused by it. */
  storageLimit: number
}

export interface S3Config {
  /** Undefined: Amazon's own. */
  endpoint: string | undefined
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  /** Where clients can fetch the bucket's objects, no trailing slash; undefined: the server passes them on. */
  publicUrl: string | undefined
}

const VARIABLES = [
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'S3_PUBLIC_URL',
]

export const readStorage = (env: EnvReader): StorageConfig => ({
  s3: readS3(env),
  storageLimit: env.integer('STORAGE_LIMIT', 0, 0, Number.MAX_SAFE_INTEGER),
})

/** All or nothing: a forgotten variable must not make the server keep files on its own disk. */
function readS3(env: EnvReader): S3Config | undefined {
  if (!VARIABLES.some((name) => env.text(name))) return undefined
  const condition = 'when any S3_ variable is set'
  const bucket = env.required('S3_BUCKET', condition)
  if (bucket && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    env.mistakes.push('S3_BUCKET must be a bucket name: 3 to 63 lower-case letters, digits, hyphens and dots')
  }
  return {
    endpoint: env.webUrl('S3_ENDPOINT'),
    region: env.text('S3_REGION') ?? 'us-east-1',
    bucket,
    accessKeyId: env.required('S3_ACCESS_KEY_ID', condition),
    secretAccessKey: env.required('S3_SECRET_ACCESS_KEY', condition),
    publicUrl: env.webUrl('S3_PUBLIC_URL'),
  }
}
