import { t } from 'elysia'
import { Day } from '../../../http/days.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { photoPageQuery } from '../contract.ts'
import { IdText } from '../ids.ts'
import { Photo } from '../photos/models.ts'

// An empty one filters nothing, as forms send it.
const words = t.Optional(t.String({ maxLength: 200 }))

export const SearchQuery = t.Object({
  ...photoPageQuery,
  // Of 100 characters at most, without the spaces around it.
  q: t.String({ minLength: 1, maxLength: 300 }),
  category: t.Optional(IdText),
  /** Names with commas between them. */
  tags: t.Optional(t.String({ maxLength: 1000 })),
  location: words,
  date_from: t.Optional(Day),
  date_to: t.Optional(Day),
  camera: words,
  lens: words,
})

const Counted = t.Object({ id: t.Integer(), name: t.String(), count: t.Integer() })

const FoundPhoto = t.Composite([
  Photo,
  t.Object({
    /** 0 to 1. */
    score: t.Number(),
    /** HTML, in which `<mark>` is the only element. */
    highlight: t.Object({ title: t.String(), description: t.String() }),
  }),
])

export const SearchResult = t.Object({
  photos: t.Array(FoundPhoto),
  facets: t.Object({
    categories: t.Array(Counted),
    tags: t.Array(Counted),
    years: t.Array(t.Object({ year: t.Integer(), count: t.Integer() })),
  }),
})

named({ FoundPhoto, SearchResult })
