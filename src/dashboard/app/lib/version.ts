/** Whether the server has a newer page than this one. The name of its script changes with every version. */

const own = document.querySelector('script[src]')?.getAttribute('src')

/** Rejects while the server cannot be reached. */
export async function isOutdated(): Promise<boolean> {
  const answer = await fetch('/', { cache: 'no-store' })
  if (!answer.ok) return false
  const newest = (await answer.text()).match(/<script[^>]*\ssrc="([^"]+)"/)?.[1]
  return newest !== undefined && newest !== own
}
