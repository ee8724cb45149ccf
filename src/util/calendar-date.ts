/**
 * Whether a text is a day as YYYY-MM-DD that exists: JavaScript reads February 30 as March 1 or 2. PostgreSQL knows no year 0.
 */
export function isCalendarDate(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  if (!date || Number.isNaN(date.getTime())) return false
  return date.toISOString().startsWith(text) && !text.startsWith('0000')
}
