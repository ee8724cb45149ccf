import { sql } from 'drizzle-orm'
import type { Tx } from '../context.ts'
import { photosChangedHint } from './hints.ts'

/**
 * Brings the index rows of these photos up to date, in the transaction that changed the photos, their files, categories or
 * tags. A photo that no longer exists has lost its row already.
 */
export async function indexPhotos(tx: Tx, photoIds: number[]): Promise<void> {
  photosChanged(tx)
  if (photoIds.length === 0) return
  await tx.db.execute(sql`
    insert into photo_index (photo_id, owner_id, is_public, status, title, created_at, taken_at, year, month, category_ids,
      category_tree, tag_ids, camera, lens, location)
    select p.id, p.user_id, p.status = 'published' and p.visibility = 'public', p.status, p.title, p.created_at, p.taken_at,
      extract(year from p.taken_at at time zone 'UTC'), extract(month from p.taken_at at time zone 'UTC'),
      c.ids, c.tree, t.ids, f.exif->>'camera', f.exif->>'lens',
      nullif(concat_ws(' ', p.location_name, p.city, p.country), '')
    from photos p
    join photo_files f on f.id = p.file_id
    cross join lateral (
      select coalesce(array_agg(distinct c.id), '{}') as ids, coalesce(array_agg(distinct above::int), '{}') as tree
      from photo_categories pc
      join categories c on c.id = pc.category_id
      cross join lateral unnest(string_to_array(c.path, '/')) as above
      where pc.photo_id = p.id
    ) c
    cross join lateral (
      select coalesce(array_agg(pt.tag_id order by pt.tag_id), '{}') as ids from photo_tags pt where pt.photo_id = p.id
    ) t
    where p.id = any(${`{${photoIds.join(',')}}`}::int[])
    order by p.id
    on conflict (photo_id) do update set owner_id = excluded.owner_id, is_public = excluded.is_public,
      status = excluded.status, title = excluded.title, created_at = excluded.created_at, taken_at = excluded.taken_at,
      year = excluded.year, month = excluded.month, category_ids = excluded.category_ids,
      category_tree = excluded.category_tree, tag_ids = excluded.tag_ids, camera = excluded.camera, lens = excluded.lens,
      location = excluded.location`)
}

/** For a change that no index row shows, such as a deletion. */
export function photosChanged(tx: Tx): void {
  tx.afterCommit(() => tx.bus.publish(photosChangedHint, {}))
}
