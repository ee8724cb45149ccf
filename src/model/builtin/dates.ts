/** Whether the calendar has the day that a text such as `2027-02-30` names; Temporal throws for one that it has not. */
export function isDate(text: string): boolean {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number]
  return new Date(Date.UTC(year, month - 1, day)).toISOString().startsWith(text)
}
