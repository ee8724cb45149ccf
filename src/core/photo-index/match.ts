/** Which photos a query finds: docs/contracts/portfolio.md, "Search". */
import { and, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { fold, type Piece, piecesOf } from './fold.ts'
import { FIELDS, type Field, wholeTerm } from './terms.ts'

export const ALL_FIELDS: Field[] = ['title', 'name', 'location', 'description']

/** A query of a hundred letters with spaces between them would take the database seconds. */
const MAX_PIECES = 16

/** The pieces that must all be found, each once. */
export function queryPieces(query: string): Piece[] {
  const pieces = piecesOf(fold(query))
  return pieces
    .filter((piece, i) => pieces.findIndex(({ text }) => text === piece.text) === i)
    .slice(0, MAX_PIECES)
}

/**
 * The rows of `photo_index` that a query finds. A list that sorts them by something else should select them in a
 * materialized CTE first, because the planner would rather walk the order's index than use this condition.
 * @returns a condition that no row fulfils when the query has neither letters nor digits
 */
export const matchPhotos = (query: string): SQL => foundIn(queryPieces(query), ALL_FIELDS)

/** The photos whose typed place has what the query says. */
export const matchLocation = (query: string): SQL =>
  foundIn(queryPieces(query), ['location'], sql`split_part(${photoIndex.text}, E'\n', 1)`)

const foundIn = (pieces: Piece[], fields: Field[], text?: SQL): SQL =>
  pieces.length === 0 ? sql`false` : and(hasTerms(termQuery(pieces, fields)), ...runChecks(pieces, text))!

/** Pairs of neighbours prove one or two characters. For more, they may come from different places of the text. */
export const runChecks = (pieces: Piece[], text: SQL = sql`${photoIndex.text}`): SQL[] =>
  pieces
    .filter(({ kind, text }) => kind === 'run' && [...text].length > 2)
    .map((piece) => sql`strpos(${text}, ${piece.text}) > 0`)

/** The column is written as the function in whose index it is. */
export const hasTerms = (query: string): SQL =>
  sql`photo_terms(${photoIndex.terms}) @@ ${query}::text::tsquery`

/** All of the pieces, each in one of the fields. Pieces have only letters, digits, marks and emoji, so quotes hold them. */
export const termQuery = (pieces: Piece[], fields: Field[]): string =>
  pieces
    .flatMap(wantedTerms)
    .map((term) => `(${fields.map((field) => `'${FIELDS[field]}${term}`).join('|')})`)
    .join('&')

/** The title has these pieces and nothing else. */
export const wholeTitleQuery = (pieces: Piece[]): string => `'${wholeTerm(pieces)}'`

/** Terms without their field, behind a quotation mark: a word or a single character may be the beginning of a term. */
function wantedTerms({ kind, text }: Piece): string[] {
  const characters = [...text]
  if (kind === 'word' || characters.length === 1) return [`${text}':*`]
  return characters.slice(1).map((character, i) => `${characters[i]}${character}'`)
}
