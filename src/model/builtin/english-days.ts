const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

type Day = Temporal.PlainDate

/** Writes English days as dates that chrono, with `forwardDate`, reads as another day or not at all. */
export function withPlainEnglishDays(text: string, today: Day): string {
  const numbered = (day: number, month: Day, found: string) =>
    day > 0 && day <= month.daysInMonth ? month.with({ day }).toString() : found
  return text
    .replace(/\b(?:the )?day after tomorrow\b/gi, today.add({ days: 2 }).toString())
    .replace(
      /\b(?:tonight at (?:12|midnight)\b(?! ?[ap:])|(?:at )?midnight tonight\b)/gi,
      `${today.add({ days: 1 })}T00:00`,
    )
    .replace(
      new RegExp(`\\b(this|last) (${WEEKDAYS.join('|')})\\b`, 'gi'),
      (_, which: string, name: string) => {
        const day = today.add({ days: WEEKDAYS.indexOf(name.toLowerCase()) + 1 - today.dayOfWeek })
        const over = Temporal.PlainDate.compare(day, today) < 0
        return (which.toLowerCase() === 'this' || over ? day : day.subtract({ weeks: 1 })).toString()
      },
    )
    .replace(/\b(?:the )?(\d{1,2})(?:st|nd|rd|th) of (this|next) month\b/gi, (found, day, which: string) =>
      numbered(Number(day), today.add({ months: which.toLowerCase() === 'next' ? 1 : 0 }), found),
    )
    .replace(/\b(?:on )?the (\d{1,2})(?:st|nd|rd|th)\b(?! (?:of|floor|time|\w+day\b))/gi, (found, day) =>
      numbered(Number(day), Number(day) < today.day ? today.add({ months: 1 }) : today, found),
    )
}
