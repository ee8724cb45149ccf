import { t } from 'elysia'
import { integerText } from './integer-text.ts'
import { wrapping } from './openapi/schemas.ts'

/** `page` and `page_size` as four of the contracts have them. */
export const pageQuery = {
  page: integerText({ minimum: 1, maximum: 1_000_000, default: 1 }),
  page_size: integerText({ minimum: 1, maximum: 100, default: 20 }),
}

export const Page = <T extends Parameters<typeof t.Array>[0]>(item: T) =>
  wrapping(
    item,
    'Page',
    t.Object({
      items: t.Array(item),
      total: t.Integer(),
      page: t.Integer(),
      page_size: t.Integer(),
      total_pages: t.Integer(),
    }),
  )

export const pageOf = <T>(items: T[], total: number, query: { page: number; page_size: number }) => ({
  items,
  total,
  page: query.page,
  page_size: query.page_size,
  total_pages: Math.ceil(total / query.page_size),
})
