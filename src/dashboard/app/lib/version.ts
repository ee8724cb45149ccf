/** Whether the server has a newer page than this one. */

const entryOf = (html: Document): string | undefined =>
  html.querySelector<HTMLScriptElement>('script[src]')?.getAttribute('src') ?? undefined

const own = entryOf(document)

/** Rejects while the server cannot be reached. */
export async function isOutdated(): Promise<boolean> {
  const answer = await fetch('/', { cache: 'no-store' })
  if (!answer.ok) return false
  const newest = entryOf(new DOMParser().parseFromString(await answer.text(), 'text/html'))
  return newest !== undefined && newest !== own
}
