/** One change of the balance. */
export interface StatementLine {
  key: number
  at: string
  kind: string
  title: string
  /** Of the balance, holds included. */
  change: number
  balance: number
}

/** Reads the CSV of `GET /api/recharge/statement` (RFC 4180); its first line names the columns in the user's language. */
export function readStatement(text: string): StatementLine[] {
  return rowsOf(text)
    .slice(1)
    .map(([at = '', kind = '', title = '', change = '0', balance = '0'], key) => ({
      key,
      at,
      kind,
      title,
      change: Number(change),
      balance: Number(balance),
    }))
}

function rowsOf(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '' && row.length === 0) break
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    rows.push(row)
    row = []
    if (end === '') break
  }
  return rows
}
