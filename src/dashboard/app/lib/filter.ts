/** What a list shows is in the address of its page: what it is filtered by, and which of its pages. */
import { href, navigate, route } from './router.ts'

const pageIn = (query: URLSearchParams): number => Math.max(1, Math.trunc(Number(query.get('page'))) || 1)

/** The page of a list that the address names; the first without one. */
export const currentPage = (): number => pageIn(route.value.query)

/** The address of the same page with other parameters. Without `page` in them it is the first page of the list. */
const withParameters = (next: Record<string, string | number | undefined>): string => {
  const { path, query } = route.peek()
  return href(path, { ...Object.fromEntries(query), page: undefined, ...next })
}

export const goToPage = (page: number, options?: { replace: boolean }): void =>
  navigate(withParameters({ page: page > 1 ? page : undefined }), options)

/** @param names the parameters of the address that the list is filtered by */
export function useFilter<Name extends string>(names: readonly Name[]) {
  const { query } = route.value
  const filter: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = query.get(name)
    if (value) filter[name] = value
  }
  const page = pageIn(query)
  return {
    filter,
    page,
    /** For `useView`: of what the list shows. */
    key: `${page} ${JSON.stringify(filter)}`,
    /** An empty text ends a filter. */
    change: (next: Partial<Record<Name, string>>) => navigate(withParameters(next), { replace: true }),
  }
}
