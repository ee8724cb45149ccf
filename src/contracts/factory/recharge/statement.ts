import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { readTogether } from '../../../core/errors.ts'
import { type Language, type MessageKey, message } from '../../../core/messages.ts'
import { type StatementLine, statementOf } from '../../../core/money/statement.ts'
import { chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { Day, readDay } from '../../../http/days.ts'
import { languageOf } from '../../../http/language.ts'
import { FILE_HEADERS, streamedFile } from '../../../http/streamed-file.ts'
import { csvLine, csvText } from '../../../util/csv.ts'
import { factory } from '../contract.ts'

const { routes, route } = chapter(factory, 'recharge')

/** In UTC, both inclusive. */
const StatementQuery = t.Object({ start_date: t.Optional(Day), end_date: t.Optional(Day) })

export const statementRoutes = (ctx: Context) =>
  routes(ctx, '/recharge').get(
    '/statement',
    downloadStatement,
    route({
      auth: true,
      summary: 'Download every change of your balance as CSV, the oldest first',
      query: StatementQuery,
      response: t.String(),
      contentType: 'text/csv',
      headers: FILE_HEADERS,
    }),
  )

function downloadStatement({
  ctx,
  principal,
  query,
  request,
  set,
}: SignedCall & Query<typeof StatementQuery>) {
  const [from, to] = readTogether(
    () => readDay('start_date', query.start_date),
    () => readDay('end_date', query.end_date),
  )
  const fileName = `${['statement', from, to].filter((part) => part !== undefined).join('-')}.csv`
  const language = languageOf(request, factory.language)
  const lines = linesOf(statementOf(ctx, principal.userId, { from, to }), language)
  return streamedFile({ request, set }, { fileName, contentType: 'text/csv' }, lines)
}

/** Spreadsheets take a file for UTF-8 only when it begins with this. */
const BYTE_ORDER_MARK = '\uFEFF'

async function* linesOf(pages: AsyncGenerator<StatementLine[], void>, language: Language) {
  const text = (key: MessageKey) => message(key, language)
  let head = BYTE_ORDER_MARK + csvLine(COLUMNS.map(([key]) => text(key)))
  for await (const page of pages) {
    yield head + page.map((line) => csvLine(COLUMNS.map(([, cell]) => cell(line, text)))).join('')
    head = ''
  }
}

type Cell = (line: StatementLine, text: (key: MessageKey) => string) => string

const COLUMNS: readonly (readonly [MessageKey, Cell])[] = [
  ['statement_time', ({ at }) => at.toISOString()],
  ['statement_kind', ({ kind }, text) => text(`transfer_${kind}`)],
  ['statement_title', ({ title }) => csvText(title ?? '')],
  ['statement_balance_change', ({ balanceChangeMinor }) => amount(balanceChangeMinor)],
  ['statement_balance', ({ balanceMinor }) => amount(balanceMinor)],
  ['statement_available_change', ({ availableChangeMinor }) => amount(availableChangeMinor)],
  ['statement_available', ({ availableMinor }) => amount(availableMinor)],
  ['statement_reference', ({ reference }) => reference ?? ''],
]

const amount = (minor: number): string => (minor / 100).toFixed(2)
