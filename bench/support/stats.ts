export function percentile(values: number[], percent: number): number {
  if (values.length === 0) throw new Error('nothing was measured')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!
}

/** Several readings of one figure. */
export interface Spread {
  median: number
  min: number
  max: number
}

export const spread = (values: number[]): Spread => ({
  median: percentile(values, 50),
  min: Math.min(...values),
  max: Math.max(...values),
})

/** Round by round, so that other load on the machine changes both figures. */
export const ratios = (subject: number[], floor: number[]): Spread =>
  spread(subject.map((value, round) => value / floor[round]!))
