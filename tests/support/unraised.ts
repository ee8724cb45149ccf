import { sql } from 'drizzle-orm'
import { type CachedDomain, GenerationsInTable } from '../../src/core/generations/generations.ts'
import { query, type TestServer } from './server.ts'

interface Watched {
  domain: CachedDomain
  /** Columns that no cached answer shows. */
  unseen?: readonly string[]
  /** Which rows cached answers show. The row is `r`, as JSON. */
  shown?: string
}

/** The tables that cached answers are made of. */
const TABLES: Record<string, Watched> = {
  photos: { domain: 'photos', unseen: ['view_count'] },
  photo_files: {
    domain: 'photos',
    unseen: ['step', 'generation', 'processing_started_at', 'updated_at'],
    shown: "exists (select from photos where file_id = (r->>'id')::int)",
  },
  photo_index: { domain: 'photos' },
  photo_tags: { domain: 'photos' },
  photo_categories: { domain: 'photos' },
  categories: { domain: 'categories' },
  tags: { domain: 'tags' },
  settings: { domain: 'settings', shown: "r->>'key' in ('site', 'system')" },
}

/**
 * Notices every transaction that changes a row of these tables and does not raise the generation of its domain. On an embedded
 * database, whose generations are in memory, the transaction writes them into their table too.
 */
export async function watchGenerations(server: TestServer) {
  const run = (text: string) => query(server, sql.raw(text))
  // Raises are noticed before changes are, because the server may already be at work.
  if (!server.ctx.config.databaseUrl) writeGenerations(server)
  await run('create table watched_changes (xid text, domain text, changed text)')
  await run('create table watched_raises (xid text, domain text)')
  await run(`
    create function watch_raise() returns trigger language plpgsql as $$ begin
      insert into watched_raises values (pg_current_xact_id()::text, new.domain);
      return null;
    end $$`)
  await run(
    `create trigger watched after insert or update on generations for each row execute function watch_raise()`,
  )
  for (const [table, { domain, unseen = [], shown = 'true' }] of Object.entries(TABLES)) {
    await run(`
      create function watch_${table}() returns trigger language plpgsql as $$
      declare
        r jsonb := to_jsonb(coalesce(new, old));
      begin
        if (tg_op <> 'UPDATE' or to_jsonb(old) - '{${unseen}}'::text[] <> to_jsonb(new) - '{${unseen}}'::text[]) and ${shown} then
          insert into watched_changes values (pg_current_xact_id()::text, '${domain}', lower(tg_op) || ' of ${table}');
        end if;
        return null;
      end $$`)
    await run(
      `create trigger watched after insert or update or delete on ${table} for each row execute function watch_${table}()`,
    )
  }
  return {
    /** What was changed without its generation. */
    unraised: async () =>
      (
        await query(
          server,
          sql`select distinct changed from watched_changes c
            where not exists (select from watched_raises r where r.xid = c.xid and r.domain = c.domain) order by 1`,
        )
      ).map(({ changed }) => changed),
    /** The changes that were noticed, so that a test sees that it changes something. */
    noticed: async () =>
      (await query(server, sql`select distinct changed from watched_changes order by 1`)).map(
        ({ changed }) => changed,
      ),
    /** For a test that has written rows itself. */
    forget: () => query(server, sql`delete from watched_changes`),
  }
}

function writeGenerations({ ctx: { db, services } }: TestServer): void {
  const { generations } = services
  const inTable = new GenerationsInTable(db)
  const raise = generations.raise.bind(generations)
  generations.raise = (domains) => {
    raise(domains)
    return inTable.raise(domains)
  }
}
