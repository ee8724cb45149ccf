/**
 * The URL of a request, for its path and its query. `new URL` refuses what Bun makes of a Host that is missing, as
 * HTTP/1.0 allows, or no host's name.
 */
export const urlOf = ({ url }: Request): URL =>
  URL.parse(url) ?? new URL(`http://localhost${url.replace(/^https?:\/\/[^/]*/, '')}`)
