/** What a browser tells its pages; nothing elsewhere. */
interface Page {
  /** The network, or the page itself, may be back: connections may have died unnoticed. */
  back(): void
  /** The network is gone, or so the browser says. */
  away(): void
  /** The page may end without another word. */
  hidden(): void
}

type Listen = (type: string, listener: () => void) => void
interface Target {
  addEventListener: Listen
  removeEventListener: Listen
}

/** @returns a function that ends it */
export function listenToPage({ back, away, hidden }: Page): () => void {
  const { document } = globalThis as { document?: Target & { visibilityState: string } }
  if (!document) return () => {}
  const page = globalThis as unknown as Target
  const listeners: [Target, string, () => void][] = [
    [page, 'online', back],
    [page, 'offline', away],
    [page, 'pageshow', back],
    [page, 'pagehide', hidden],
    [document, 'resume', back],
    [document, 'freeze', hidden],
    [document, 'visibilitychange', () => (document.visibilityState === 'visible' ? back : hidden)()],
  ]
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener)
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener)
  }
}
