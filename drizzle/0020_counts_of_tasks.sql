CREATE INDEX "tasks_unfinished_idx" ON "tasks" USING btree ("status","kind","id") WHERE "tasks"."status" in ('pending', 'running', 'paused');--> statement-breakpoint
ALTER TABLE "redemptions" DROP COLUMN "balance_minor";--> statement-breakpoint
-- What a row adds to the counts: src/db/schema/statistics.ts. A task counts when it has ended, because the others are few.
CREATE FUNCTION counts_of(r tasks) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT 'task', 0, r.kind || ' ' || r.status, 1::bigint, 0::bigint WHERE r.status IN ('completed', 'failed', 'cancelled')
$$;--> statement-breakpoint
CREATE FUNCTION counts_of(r users) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT 'user', 0, CASE WHEN r.is_active THEN 'active' ELSE 'inactive' END, 1::bigint, 0::bigint WHERE r.deleted_at IS NULL
$$;--> statement-breakpoint
CREATE FUNCTION counts_of(r ledger_entries) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT 'revenue', 0, '', 1::bigint, CASE r.side WHEN 'credit' THEN r.amount_minor ELSE -r.amount_minor END WHERE r.account = 'revenue'
$$;--> statement-breakpoint
CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO count_changes SELECT c.kind, c.id, c.name, -c.n, -c.total FROM counts_of(OLD) c;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO count_changes SELECT c.* FROM counts_of(NEW) c;
  END IF;
  RETURN NULL;
END
$$;--> statement-breakpoint
-- The conditions keep the function from running for every progress of a task and every request of a user.
CREATE TRIGGER "tasks_counted" AFTER INSERT ON "tasks" FOR EACH ROW
  WHEN (NEW.status IN ('completed', 'failed', 'cancelled')) EXECUTE FUNCTION count_row();--> statement-breakpoint
CREATE TRIGGER "tasks_recounted" AFTER UPDATE ON "tasks" FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND (NEW.status IN ('completed', 'failed', 'cancelled') OR OLD.status IN ('completed', 'failed', 'cancelled')))
  EXECUTE FUNCTION count_row();--> statement-breakpoint
CREATE TRIGGER "tasks_uncounted" AFTER DELETE ON "tasks" FOR EACH ROW
  WHEN (OLD.status IN ('completed', 'failed', 'cancelled')) EXECUTE FUNCTION count_row();--> statement-breakpoint
CREATE TRIGGER "users_counted" AFTER INSERT OR DELETE ON "users" FOR EACH ROW EXECUTE FUNCTION count_row();--> statement-breakpoint
CREATE TRIGGER "users_recounted" AFTER UPDATE ON "users" FOR EACH ROW
  WHEN (OLD.is_active <> NEW.is_active OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION count_row();--> statement-breakpoint
-- Entries are never changed or deleted.
CREATE TRIGGER "ledger_entries_counted" AFTER INSERT ON "ledger_entries" FOR EACH ROW
  WHEN (NEW.account = 'revenue') EXECUTE FUNCTION count_row();--> statement-breakpoint
CREATE OR REPLACE FUNCTION recount() RETURNS integer LANGUAGE sql AS $$
  WITH known AS (
    SELECT c.* FROM photos r, counts_of(r) c
    UNION ALL SELECT c.* FROM photo_index r, counts_of(r) c
    UNION ALL SELECT c.* FROM photo_files r, counts_of(r) c
    UNION ALL SELECT c.* FROM materials r, counts_of(r) c
    UNION ALL SELECT c.* FROM tasks r, counts_of(r) c
    UNION ALL SELECT c.* FROM users r, counts_of(r) c
    UNION ALL SELECT c.* FROM ledger_entries r, counts_of(r) c
    UNION ALL SELECT kind, id, name, -n, -total FROM counts
    UNION ALL SELECT kind, id, name, -n, -total FROM count_changes
  ), corrected AS (
    INSERT INTO count_changes
    SELECT kind, id, name, sum(n), sum(total) FROM known GROUP BY 1, 2, 3 HAVING sum(n) <> 0 OR sum(total) <> 0
    RETURNING 1
  )
  SELECT count(*)::integer FROM corrected
$$;--> statement-breakpoint
SELECT recount();
