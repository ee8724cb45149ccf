/** Addresses of pictures that are not public end after some minutes. */
import { useRef } from 'preact/hooks'

/** One fetch renews the addresses of all pictures. */
const RENEW_MS = 30_000

/** @returns a handler for a picture that does not load: it fetches the addresses again */
export function useRenewal(view: { reload(): Promise<void> }): () => void {
  const renewedAt = useRef(Number.NEGATIVE_INFINITY)
  return () => {
    if (performance.now() - renewedAt.current < RENEW_MS) return
    renewedAt.current = performance.now()
    void view.reload()
  }
}
