import type { Signal } from '@preact/signals'
import { weekday } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { Checkbox, Select, TextField } from '../../ui/field.tsx'
import { weekdayOf } from './clock.ts'
import type { Choice, Simple } from './rule.ts'

const t = texts({
  en: {
    repeat: 'Repeat',
    none: 'Does not repeat',
    daily: 'Every day',
    weekly: 'Every week',
    biweekly: 'Every two weeks',
    monthly: 'Every month',
    yearly: 'Every year',
    custom: 'By another rule',
    days: 'On',
    until: 'Last day',
    untilHint: 'Empty: without an end',
    rule: 'Rule',
    ruleHint: 'An RRULE of RFC 5545, such as FREQ=MONTHLY;BYDAY=1MO',
  },
  zh: {
    repeat: '重复',
    none: '不重复',
    daily: '每天',
    weekly: '每周',
    biweekly: '每两周',
    monthly: '每月',
    yearly: '每年',
    custom: '其他规则',
    days: '重复日',
    until: '结束日期',
    untilHint: '留空表示一直重复',
    rule: '规则',
    ruleHint: 'RFC 5545 的 RRULE，例如 FREQ=MONTHLY;BYDAY=1MO',
  },
})

const CHOICES: Choice[] = ['none', 'daily', 'weekly', 'biweekly', 'monthly', 'yearly', 'custom']
/** 0: Monday, as 1 January 2024 was. */
const nameOf = (n: number): string => weekday(new Date(2024, 0, 1 + n))

/** @param day of the start, which always is one of the days */
export function Repeat({
  simple,
  day,
  error,
}: {
  simple: Signal<Simple>
  day: number
  error: string | undefined
}) {
  const { choice, weekdays, until, rule } = simple.value
  const set = (change: Partial<Simple>) => {
    simple.value = { ...simple.value, ...change }
  }
  const isWeekly = choice === 'weekly' || choice === 'biweekly'
  const isSimple = choice !== 'none' && choice !== 'custom'
  return (
    <>
      <div class="fields">
        <Select
          label={t.repeat}
          name="rrule"
          error={choice === 'custom' ? undefined : error}
          value={choice}
          options={CHOICES.map((one) => [one, t[one]] as const)}
          onChange={(event) => set({ choice: event.currentTarget.value as Choice })}
        />
        {isSimple && (
          <TextField
            label={t.until}
            hint={t.untilHint}
            type="date"
            value={until}
            onInput={(event) => set({ until: event.currentTarget.value })}
          />
        )}
      </div>
      {isWeekly && (
        <fieldset class="field">
          <legend class="label">{t.days}</legend>
          <div class="row">
            {[0, 1, 2, 3, 4, 5, 6].map((n) => (
              <Checkbox
                key={n}
                label={nameOf(n)}
                checked={weekdays.includes(n) || weekdayOf(day) === n}
                disabled={weekdayOf(day) === n}
                onChange={(event) =>
                  set({
                    weekdays: event.currentTarget.checked
                      ? [...weekdays, n]
                      : weekdays.filter((one) => one !== n),
                  })
                }
              />
            ))}
          </div>
        </fieldset>
      )}
      {choice === 'custom' && (
        <TextField
          label={t.rule}
          hint={t.ruleHint}
          error={error}
          required
          maxLength={500}
          value={rule}
          onInput={(event) => set({ rule: event.currentTarget.value })}
        />
      )}
    </>
  )
}
