/** Pictures of a few bytes, shown until the real ones are there: https://evanw.github.io/thumbhash/ */
import { thumbHashToDataURL } from 'thumbhash'

/** Decoded ones, the oldest first. */
const known = new Map<string, string>()
const MOST_KNOWN = 1000

/** @param hash in base64. @returns a CSS `background-image` */
export function placeholderOf(hash: string | null): string | undefined {
  if (hash === null) return undefined
  let image = known.get(hash)
  if (image === undefined) {
    image = `url(${thumbHashToDataURL(Uint8Array.fromBase64(hash))})`
    if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!)
    known.set(hash, image)
  }
  return image
}
