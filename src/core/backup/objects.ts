import { sql } from 'drizzle-orm'
import { hiddenKey } from '../files/keys.ts'

/** An object that a backup holds. */
export interface KeptObject {
  key: string
  /** Where the object may be while the server moves it. */
  or?: string
}

const HIDDEN = hiddenKey('')

/**
 * Every object that rows refer to, as a JSON object in each line. Left out is what a server makes of the others (the public
 * copies of renditions), and parts of files that are still arriving.
 */
export const keptObjects = sql`
  select case when hidden_at is null
      then json_build_object('key', key, 'or', ${HIDDEN}::text || key)
      else json_build_object('key', ${HIDDEN}::text || key, 'or', key) end::text
  from materials, unnest(array[file_path, thumbnail_path]) as key
  where status <> 'processing' and removed_at is null and key is not null
  union all
  select json_build_object('key', object_key)::text from photo_files where status <> 'receiving'
  union all
  select json_build_object('key', ${HIDDEN}::text || (rendition ->> 'key'))::text
  from photo_files, jsonb_array_elements(renditions) as rendition`
