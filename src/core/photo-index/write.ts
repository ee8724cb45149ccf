import { sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import type { Tx } from '../context.ts'
import { checkedText, type PhotoText, TERMS_VERSION, termsOf } from './terms.ts'

/** Photos whose texts are in memory at once. */
const BATCH = 500

/**
 * Brings the index rows of these photos up to date, in the transaction that changed the photos, their files, categories or
 * tags. It locks the photos, so that of two changes of one photo the later one sees the earlier one. A photo that no longer
 * exists has lost its row already.
 */
export async function indexPhotos(tx: Tx, photoIds: readonly number[]): Promise<void> {
  tx.changed('photos')
  await writeIndexRows(tx, photoIds)
}

/**
 * The same without raising the generation of photos.
 * @returns how many rows were not up to date
 */
export async function writeIndexRows(tx: Tx, photoIds: readonly number[]): Promise<number> {
  // All changes lock photos in the same order, so that two of them do not wait for each other for ever.
  const ids = [...new Set(photoIds)].sort((a, b) => a - b)
  let written = 0
  for (let at = 0; at < ids.length; at += BATCH) written += await indexBatch(tx, ids.slice(at, at + BATCH))
  return written
}

async function indexBatch(tx: Tx, ids: number[]): Promise<number> {
  const texts = await lockTexts(tx, ids)
  if (texts.length === 0) return 0
  // A statement of its own: it sees what was committed while the locks were waited for.
  const names = await readNames(tx, ids)
  const rows = texts.map(({ id, ...text }) => {
    const all: PhotoText = { ...text, names: names.get(id) ?? [] }
    return { id, text: checkedText(all), terms: termsOf(all) }
  })
  return writeRows(tx, rows)
}

interface Texts extends Record<string, unknown>, Omit<PhotoText, 'names'> {
  id: number
}

const lockTexts = (tx: Tx, ids: number[]): Promise<Texts[]> =>
  // Not "for update", which a new row of photo_tags would wait for.
  tx.db.execute<Texts>(sql`
    select id, title, description, concat_ws(' ', location_name, city, country) as location
    from photos where id = any(${intArray(ids)}) order by id for no key update`)

/** The names of each photo's tags, of its categories and of those above them. */
async function readNames(tx: Tx, ids: number[]): Promise<Map<number, string[]>> {
  const rows = await tx.db.execute<{ id: number; names: string[] }>(sql`
    select photo_id as id, json_agg(name order by name collate "C") as names from (
      select pt.photo_id, t.name from photo_tags pt join tags t on t.id = pt.tag_id
      where pt.photo_id = any(${intArray(ids)})
      union
      select pc.photo_id, above.name
      from photo_categories pc
      join categories c on c.id = pc.category_id
      join categories above on above.id = any(string_to_array(c.path, '/')::int[])
      where pc.photo_id = any(${intArray(ids)})
    ) named group by photo_id`)
  return new Map(rows.map(({ id, names }) => [id, names]))
}

/** A row that is right already is left alone. */
async function writeRows(tx: Tx, rows: { id: number; text: string; terms: string[] }[]): Promise<number> {
  const written = await tx.db.execute(sql`
    insert into photo_index as i (photo_id, owner_id, is_public, status, title, created_at, taken_at, year, month,
      category_ids, tag_ids, camera, lens, location, terms_version, text, terms)
    select p.id, p.user_id, p.status = 'published' and p.visibility = 'public', p.status, p.title, p.created_at, p.taken_at,
      extract(year from p.taken_at at time zone 'UTC'), extract(month from p.taken_at at time zone 'UTC'),
      c.ids, t.ids, f.exif->>'camera', f.exif->>'lens',
      nullif(concat_ws(' ', p.location_name, p.city, p.country), ''),
      ${TERMS_VERSION}, x.text, array_to_tsvector(x.terms)
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as x(id int, text text, terms text[])
    join photos p on p.id = x.id
    join photo_files f on f.id = p.file_id
    cross join lateral (
      select coalesce(array_agg(pc.category_id order by pc.category_id), '{}') as ids from photo_categories pc where pc.photo_id = p.id
    ) c
    cross join lateral (
      select coalesce(array_agg(pt.tag_id order by pt.tag_id), '{}') as ids from photo_tags pt where pt.photo_id = p.id
    ) t
    order by p.id
    on conflict (photo_id) do update set owner_id = excluded.owner_id, is_public = excluded.is_public,
      status = excluded.status, title = excluded.title, created_at = excluded.created_at, taken_at = excluded.taken_at,
      year = excluded.year, month = excluded.month, category_ids = excluded.category_ids,
      tag_ids = excluded.tag_ids, camera = excluded.camera, lens = excluded.lens,
      location = excluded.location, terms_version = excluded.terms_version, text = excluded.text, terms = excluded.terms
    where i is distinct from excluded
    returning 1`)
  return written.length
}
