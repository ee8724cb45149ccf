import type { Static } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { searchPhotos } from '../../../core/photos/search.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { type Call, chapter, type Query } from '../../../http/chapter.ts'
import { invalidQuery } from '../../../http/days.ts'
import { PageEnvelope, pageEnvelope, portfolio, withLimit } from '../contract.ts'
import { readDays } from '../days.ts'
import { presentPhotos } from '../photos/presenters.ts'
import { SearchQuery, SearchResult } from './models.ts'

const { routes, route } = chapter(portfolio, 'search', { limit: 'search' })

export const searchRoutes = (ctx: Context) =>
  routes(ctx, '/photos').get(
    '/search',
    search,
    route({
      summary: 'Search the photos that you may see, by Chinese or English words or by pinyin',
      access: ['anyone', 'user'],
      query: SearchQuery,
      response: PageEnvelope(SearchResult),
      errors: ['INVALID_RANGE'],
    }),
  )

async function search({ ctx, query: asked, request }: Call & Query<typeof SearchQuery>) {
  const query = await withLimit(ctx, asked)
  const viewer = await optionalPrincipal(ctx, request)
  const { photos, total, facets } = await searchPhotos(ctx, viewer, readQuery(query))
  const shown = await presentPhotos(
    { ctx, request, viewer },
    photos.map(({ photo }) => photo),
  )
  const items = shown.map((photo, i) => {
    const { score, highlight } = photos[i]!
    return { ...photo, score, highlight: { title: highlight.title, description: highlight.description } }
  })
  return pageEnvelope(request, { photos: items, facets: presentFacets(facets) }, total, query)
}

const MAX_QUERY = 100

function readQuery({
  q,
  tags,
  location,
  date_from,
  date_to,
  ...rest
}: Static<typeof SearchQuery> & { limit: number }) {
  const length = [...q.trim()].length
  if (length === 0) throw invalidQuery('q', 'required')
  if (length > MAX_QUERY) throw invalidQuery('q', 'max_length', { limit: MAX_QUERY })
  const [dateFrom, dateTo] = readDays({ date_from, date_to })
  return {
    ...rest,
    query: q,
    location: location?.trim() || undefined,
    tags: (tags ?? '').split(/[,，]/).filter((name) => name.trim()),
    dateFrom,
    dateTo,
  }
}

const presentFacets = ({ categories, tags, years }: Awaited<ReturnType<typeof searchPhotos>>['facets']) => ({
  categories: categories.map(({ id, name, count }) => ({ id, name, count })),
  tags: tags.map(({ id, name, count }) => ({ id, name, count })),
  years: years.map(({ year, count }) => ({ year, count })),
})
