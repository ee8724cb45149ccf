/** Lines of a CSV file: RFC 4180. */

/** A cell that begins like this is a formula for spreadsheets. They take the wide forms of Chinese input for the same. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/

/** Text of a user: an apostrophe in front keeps a spreadsheet from running it as a formula. */
export const csvText = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

export const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
