/**
 * Frames, events and answers of servers that differ from what they publish (`conformance.ts`, `answers.ts`); apart, so that
 * every test file loads little.
 */
export const protocolMisfits: string[] = []

const comparisons = new Set<Promise<void>>()

/** A comparison that runs while the test goes on. When the answer breaks off, there is nothing to compare. */
export function settles(comparison: Promise<void>): void {
  const settled = comparison.catch(() => {}).finally(() => comparisons.delete(settled))
  comparisons.add(settled)
}

/** The misfits since the last call. */
export const takeMisfits = (): string[] => protocolMisfits.splice(0)

/** The same, once every comparison has ended. */
export async function settledMisfits(): Promise<string[]> {
  await Promise.all(comparisons)
  return takeMisfits()
}
