import { sql } from 'drizzle-orm'
import type { Context } from '../../src/core/context.ts'
import { rebuildPhotoIndex } from '../../src/core/photo-index/rebuild.ts'
import { openMigrator } from '../../src/db/driver.ts'
import { seedUsers } from './seed.ts'

const OWNERS = 20
const TAGS = 300
const CATEGORIES = 40
const WORDS = 200
const STEP = 5000
/** A multiple of every number by which the words, owners, tags, categories and cameras of the photos are chosen. */
const ALIKE = 1800

/**
 * Public photos with a Chinese and English title and description, four tags and one category each. One in a hundred has 夜景
 * in its title, eight in a hundred have 江南水乡 and `bridge`.
 */
export async function seedPhotos(ctx: Context, count: number): Promise<void> {
  const [first] = await seedUsers(ctx, OWNERS)
  const words = sql`${`{${Array.from({ length: WORDS }, (_, n) => wordOf(n)).join(',')}}`}::text[]`
  await ctx.db.execute(sql`
    insert into tags (name, name_key, slug, pinyin, initials)
    select '标签' || n, '标签' || n, 'tag-' || n, 'biaoqian' || n, 'bq' || n from generate_series(1, ${TAGS}) n`)
  await ctx.db.execute(sql`
    insert into categories (id, name, slug, path, level, parent_id)
    select n, '分类' || n, 'category-' || n, case when n <= 8 then n::text else (n % 8 + 1) || '/' || n end,
      (n > 8)::int, case when n > 8 then n % 8 + 1 end
    from generate_series(1, ${CATEGORIES}) n`)
  const [terms] = await ctx.db.execute<{ index: string }>(
    sql`select pg_get_indexdef('photo_index_terms_idx'::regclass) as index`,
  )
  // An index that is built in one go takes a small part of the time of one that each row is added to.
  await ctx.db.execute(sql`drop index photo_index_terms_idx`)
  // In steps, because a statement may take ten seconds.
  for (let from = 1, step = ALIKE; from <= count; from += step, step = STEP) {
    const to = Math.min(count, from + step - 1)
    await ctx.db.execute(sql`
      insert into photo_files (id, user_id, status, file_name, mime_type, object_key, file_size, width, height, exif, renditions)
      select n, ${first!.id} + n % ${OWNERS}, 'completed', 'DSC_' || n || '.jpg', 'image/jpeg', 'originals/' || n, 5000000,
        6000, 4000, json_build_object('camera', 'Canon EOS R' || n % 9, 'lens', 'RF 24-70mm f/2.8L', 'iso', 800), (
          select json_agg(json_build_object('name', name, 'key', 'photos/' || n || '/' || name, 'width', 300, 'height', 200, 'size', 9000))
          from unnest(array['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp']) name
        )
      from generate_series(${from}::int, ${to}::int) n`)
    // Large primes spread the words, so that no two texts are alike.
    const word = (prime: number) => sql.raw(`w[1 + ((n * ${prime}::bigint) % ${WORDS})]`)
    await ctx.db.execute(sql`
      insert into photos (id, user_id, file_id, title, description, slug, status, visibility, taken_at, location_name)
      select n, ${first!.id} + n % ${OWNERS}, n,
        ${word(7919)} || case when n % 100 = 0 then '夜景' when n % 100 between 1 and 8 then '江南水乡 bridge' else ${word(104_729)} end,
        ${word(15_485_863)} || ${word(32_452_843)} || '，' || ${word(49_979_687)} || '的' || ${word(67_867_967)} || ', taken at dawn #' || n,
        'photo-' || n, 'published', 'public', timestamptz '2015-01-01 00:00Z' + n * interval '50 minutes', ${word(86_028_121)}
      from generate_series(${from}::int, ${to}::int) n, (select ${words} as w) words`)
    await ctx.db.execute(sql`
      insert into photo_tags (photo_id, tag_id)
      select distinct n, 1 + (n * k * 7919::bigint + k) % ${TAGS} from generate_series(${from}::int, ${to}::int) n, generate_series(1, 4) k`)
    await ctx.db.execute(sql`
      insert into photo_categories (photo_id, category_id, is_primary)
      select n, 1 + (n * 104729::bigint) % ${CATEGORIES}, true from generate_series(${from}::int, ${to}::int) n`)
    if (from === 1) await rebuildPhotoIndex(ctx)
    else await indexAlike(ctx, from, to)
  }
  await createIndex(ctx, terms!.index)
  await ctx.db.execute(sql`analyze`)
}

/** On a connection without time limits. */
async function createIndex({ config, db }: Context, index: string): Promise<void> {
  if (!config.databaseUrl) return void (await db.execute(sql.raw(index)))
  const client = openMigrator(config.databaseUrl, 'bench')
  try {
    await client.unsafe(index)
  } finally {
    await client.end()
  }
}

/** Copies the index rows of photos with the same words, in which only the number is another one, because making terms is slow. */
const indexAlike = (ctx: Context, from: number, to: number) =>
  ctx.db.execute(sql`
    insert into photo_index (photo_id, owner_id, is_public, status, title, created_at, taken_at, year, month,
      category_ids, tag_ids, camera, lens, location, terms_version, text, terms)
    select p.id, i.owner_id, i.is_public, i.status, i.title, p.created_at, p.taken_at,
      extract(year from p.taken_at at time zone 'UTC'), extract(month from p.taken_at at time zone 'UTC'),
      i.category_ids, i.tag_ids, i.camera, i.lens, i.location, i.terms_version, replace(i.text, '#' || i.photo_id, '#' || p.id),
      ts_delete(i.terms, 'd' || i.photo_id) || array_to_tsvector(array['d' || p.id])
    from photos p join photo_index i on i.photo_id = 1 + (p.id - 1) % ${ALIKE}::int
    where p.id between ${from}::int and ${to}::int order by p.id`)

/** Two Chinese characters. None of them is in the words that are searched for. */
const wordOf = (n: number): string =>
  String.fromCodePoint(0x5000 + ((n * 37) % 400)) + String.fromCodePoint(0x6800 + ((n * 53) % 400))
