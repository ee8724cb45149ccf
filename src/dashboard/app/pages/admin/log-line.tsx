import { Component } from 'preact'
import type { SystemLogFrame } from '../../../../client/index.ts'
import { clock, count, date } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'

const t = texts({
  en: {
    missing: (n: string) =>
      `${n === '1' ? '1 line is' : `${n} lines are`} not shown here, because too many came at once`,
    omitted: (n: string) => `the other fields are left out: the line has ${n} characters`,
  },
  zh: {
    missing: (n: string) => `日志过多，此处有 ${n} 行未显示`,
    omitted: (n: string) => `该行有 ${n} 个字符，其余字段已省略`,
  },
})

export type Line = Omit<SystemLogFrame, 'type'>

/** A line never changes, so that a new one costs no look at the others. The language of an older one stays. */
export class LogLine extends Component<{ line: Line; withDay?: boolean }> {
  override shouldComponentUpdate() {
    return false
  }

  override render({ line, withDay }: { line: Line; withDay?: boolean }) {
    const { at, level, server, message, fields } = line
    return (
      <div class="log-line" data-level={level}>
        <time dateTime={at} title={at}>
          {withDay && `${date(at)} `}
          {clock(at)}
        </time>{' '}
        <span class="log-level">{level}</span> <span class="log-server">{server}</span>{' '}
        {typeof fields.missing === 'number' ? t.missing(count(fields.missing)) : message}{' '}
        <span class="log-fields">{fieldsText(fields)}</span>
      </div>
    )
  }
}

/** What a filter looks at, as the line shows it. */
export const searchable = ({ message, server, fields }: Line): string =>
  `${message} ${server} ${fieldsText(fields)}`.toLowerCase()

/** `name=value`, with objects as JSON. */
function fieldsText({ missing: _, omitted, ...fields }: Line['fields']): string {
  const texts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  if (typeof omitted === 'number') texts.push(`(${t.omitted(count(omitted))})`)
  return texts.join(' ')
}
