import type { Spread } from './stats.ts'

export interface Row {
  name: string
  /** The reading, with its unit. */
  figure: string
  floor: string
  /** Figure against floor. */
  ratio: string
  target: string
  /** Undefined: a figure without a target. */
  ok: boolean | undefined
}

const digits = (value: number) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

export const shown = ({ median }: Spread, unit: string): string => `${digits(median)} ${unit}`
export const shownWithSpread = ({ median, min, max }: Spread): string =>
  `${digits(median)} (${digits(min)}–${digits(max)})`

export function print(rows: Row[]): void {
  const header = ['name', 'figure', 'floor', 'ratio', 'target', '']
  const lines = rows.map(({ ok, ...row }) => [
    row.name,
    row.figure,
    row.floor,
    row.ratio,
    row.target,
    ok === undefined ? '' : ok ? 'ok' : 'MISS',
  ])
  const widths = header.map((_, n) => Math.max(...[header, ...lines].map((line) => line[n]!.length)))
  const text = (line: string[]) =>
    line
      .map((cell, n) => cell.padEnd(widths[n]!))
      .join(' | ')
      .trimEnd()
  console.log(
    [text(header), widths.map((width) => '-'.repeat(width)).join('-|-'), ...lines.map(text)].join('\n'),
  )
}
