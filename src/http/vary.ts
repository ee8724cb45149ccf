import type { Call } from './chapter.ts'

/**
 * Adds fields of the request to the Vary of the answer (RFC 9110, 12.5.5). A Response with a Vary of its own would replace what the
 * server has set before, such as Origin for pages of other origins.
 */
export function varyBy({ headers }: Call['set'], fields: string): void {
  headers.vary = [headers.vary, fields].filter(Boolean).join(', ')
}
