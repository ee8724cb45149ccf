import { sha256 } from '../../util/secrets.ts'
import type { PhotoView } from './view.ts'

/**
 * What a client has read of a photo when it changes the photo: the version, and the tags and categories. The rename of a tag,
 * or a deletion, may concern very many photos, so it raises no version.
 */
export function revisionOf({ version, tags, categories }: PhotoView): string {
  const labels = [
    tags.map(({ id, name }) => [id, name]),
    categories.map(({ id }) => id).sort((a, b) => a - b),
  ]
  return `${version}.${sha256(JSON.stringify(labels)).slice(0, 12)}`
}
