/** Whether a day such as `2027-02-30` exists. Temporal would throw for one that does not. */
export function isDate(text: string): boolean {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number]
  return new Date(Date.UTC(year, month - 1, day)).toISOString().startsWith(text)
}
