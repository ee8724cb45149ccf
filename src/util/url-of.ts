/**
 * The URL of a request, for its path and its query. `new URL` refuses the URL that Bun makes when the Host field is missing,
 * as HTTP/1.0 permits, or is no valid host name.
 */
export const urlOf = ({ url }: Request): URL =>
  URL.parse(url) ?? new URL(`http://localhost${url.replace(/^https?:\/\/[^/]*/, '')}`)
