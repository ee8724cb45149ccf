CREATE TABLE "audit_log" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor_id" integer,
	"actor_name" text,
	"action" text NOT NULL,
	"target_type" text,
	"target_id" text,
	"subject_id" integer,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"ip" text,
	"user_agent" text,
	"request_id" text
);
--> statement-breakpoint
CREATE TABLE "photo_views" (
	"quarters" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "photo_views_quarters_at_pk" PRIMARY KEY("quarters","at")
);
--> statement-breakpoint
CREATE TABLE "backups" (
	"id" serial PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"file_name" text NOT NULL,
	"size" bigint,
	"error" text,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"leased_until" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"announced_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "restored_jobs" (
	"id" serial PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"payload" jsonb NOT NULL,
	"singleton_key" text,
	"turn" text,
	"priority" integer DEFAULT 0 NOT NULL,
	"start_after" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "generations" (
	"domain" text PRIMARY KEY NOT NULL,
	"value" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"webhook_id" integer NOT NULL,
	"type" text NOT NULL,
	"event" json NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"payload" json,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"last_attempt_at" timestamp (3) with time zone,
	"response_status" smallint,
	"error" text,
	"duration_ms" integer,
	"delivered_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"url" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"events" text[] NOT NULL,
	"secrets" jsonb NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"paused_until" timestamp (3) with time zone,
	"last_delivered_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "last_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "hooks" jsonb;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_log_at_idx" ON "audit_log" USING brin ("at");--> statement-breakpoint
CREATE INDEX "audit_log_actor_idx" ON "audit_log" USING btree ("actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_subject_idx" ON "audit_log" USING btree ("subject_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_target_idx" ON "audit_log" USING btree ("target_type","target_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_action_idx" ON "audit_log" USING btree ("action","id");--> statement-breakpoint
CREATE INDEX "audit_log_request_idx" ON "audit_log" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due_idx" ON "webhook_deliveries" USING btree ("next_attempt_at","webhook_id") WHERE "webhook_deliveries"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_webhook_idx" ON "webhook_deliveries" USING btree ("webhook_id","created_at");--> statement-breakpoint
CREATE INDEX "webhooks_user_idx" ON "webhooks" USING btree ("user_id");--> statement-breakpoint
UPDATE "sessions" SET "last_seen_at" = "created_at";--> statement-breakpoint
-- The log of what people did is worth nothing if who can change data can change it too.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % can only be added', TG_TABLE_NAME;
END
$$;--> statement-breakpoint
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR TRUNCATE ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();--> statement-breakpoint
-- Only the function below deletes entries, and nobody deletes one that is younger than 30 days.
CREATE FUNCTION refuse_audit_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('roost.trims_audit_log', true) IS DISTINCT FROM 'on' OR OLD.at > now() - interval '30 days' THEN
    RAISE EXCEPTION 'entries of audit_log can only be deleted by trim_audit_log, and after 30 days';
  END IF;
  RETURN OLD;
END
$$;--> statement-breakpoint
CREATE TRIGGER "audit_log_kept" BEFORE DELETE ON "audit_log" FOR EACH ROW EXECUTE FUNCTION refuse_audit_deletion();--> statement-breakpoint
-- Deletes the oldest entries of more than so many days, and returns how many it deleted.
CREATE FUNCTION trim_audit_log(days integer, most integer) RETURNS integer LANGUAGE plpgsql SET roost.trims_audit_log = 'on' AS $$
DECLARE
  deleted integer;
BEGIN
  DELETE FROM audit_log WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM audit_log WHERE at < now() - make_interval(days => days) LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN deleted;
END
$$;--> statement-breakpoint
DROP INDEX "users_unnamed_idx";--> statement-breakpoint
CREATE INDEX "users_deleted_idx" ON "users" USING btree ("deleted_at") WHERE "users"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX "users_unnamed_idx" ON "users" USING btree ("id") WHERE ("users"."email_key" is null or "users"."username_key" is null) and "users"."deleted_at" is null;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_deleted_check" CHECK ("users"."deleted_at" is null or (coalesce("users"."email_key", "users"."username_key", "users"."username_look", "users"."username_typed_look", "users"."search_key") is null
        and "users"."role" = 'user' and not "users"."is_active"));--> statement-breakpoint
-- A request that began before its user was deleted must not leave anything behind. The lock makes it wait for the deletion, or the
-- deletion for it. Sessions need no trigger, because opening one compares the password's hash under a lock of the user.
CREATE FUNCTION refuse_deleted_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gone timestamptz;
BEGIN
  SELECT deleted_at INTO gone FROM users WHERE id = NEW.user_id FOR KEY SHARE;
  IF gone IS NOT NULL THEN
    RAISE EXCEPTION 'user % is deleted', NEW.user_id USING ERRCODE = 'UD001';
  END IF;
  RETURN NEW;
END
$$;--> statement-breakpoint
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'agent_sessions', 'calendar_feeds', 'invitations', 'material_likes', 'materials', 'password_resets', 'photo_files', 'photos',
    'schedule_items', 'tasks', 'timeline_events', 'upload_sessions', 'webhooks'
  ] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION refuse_deleted_owner()', name || '_owner', name);
  END LOOP;
END
$$;--> statement-breakpoint
CREATE TABLE "count_changes" (
	"kind" text NOT NULL,
	"id" integer DEFAULT 0 NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"n" bigint NOT NULL,
	"total" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "counts" (
	"kind" text NOT NULL,
	"id" integer DEFAULT 0 NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"n" bigint NOT NULL,
	"total" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "counts_key_idx" ON "counts" USING btree ("kind","id",md5("name"));--> statement-breakpoint
CREATE INDEX "photos_viewed_idx" ON "photos" USING btree ("view_count","id") WHERE "photos"."view_count" > 0;--> statement-breakpoint
-- What a row adds to the counts: src/db/schema/statistics.ts.
CREATE FUNCTION counts_of(r photos) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT 'photo', 0, r.status || ' ' || r.visibility, 1::bigint, r.view_count::bigint
  UNION ALL SELECT 'created_' || quarters, floor(extract(epoch FROM r.created_at) / (900 * quarters))::integer, '', 1, 0 FROM (VALUES (1), (4), (32)) q(quarters)
$$;--> statement-breakpoint
CREATE FUNCTION counts_of(r photo_index) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT 'combination', 0, array_to_string(r.category_ids, ','), 1::bigint, 0::bigint
  UNION ALL SELECT 'tag', tag, '', 1, 0 FROM unnest(r.tag_ids) AS tag
  UNION ALL SELECT 'camera', 0, r.camera, 1, 0 WHERE r.camera IS NOT NULL
  UNION ALL SELECT 'lens', 0, r.lens, 1, 0 WHERE r.lens IS NOT NULL
  UNION ALL SELECT 'undated', 0, '', 1, 0 WHERE r.taken_at IS NULL
$$;--> statement-breakpoint
CREATE FUNCTION counts_of(r photo_files) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  WITH renditions AS (SELECT * FROM jsonb_to_recordset(r.renditions) AS each(name text, size bigint, watermark text)),
    made AS (
      SELECT count(*) AS n, coalesce(sum(size), 0)::bigint AS size,
        count(watermark) AS marked, sum(size) FILTER (WHERE watermark IS NOT NULL)::bigint AS marked_size
      FROM renditions
    ),
    -- As long as a file has renditions with a watermark, only those have copies.
    copied AS (
      SELECT CASE marked WHEN 0 THEN n ELSE marked END AS n, CASE marked WHEN 0 THEN size ELSE marked_size END AS size
      FROM made WHERE r.exposed
    )
  SELECT each.* FROM made, LATERAL (
    SELECT 'original', 0, r.mime_type, 1::bigint, r.file_size
    UNION ALL SELECT 'file_size', width_bucket(r.file_size, ARRAY[1048576, 5242880, 10485760, 26214400, 52428800]::bigint[]), '', 1, r.file_size
    UNION ALL SELECT 'orientation', 0, CASE sign(r.width - r.height) WHEN 1 THEN 'landscape' WHEN -1 THEN 'portrait' ELSE 'square' END, 1, 0
      WHERE r.width IS NOT NULL AND r.height IS NOT NULL
    UNION ALL SELECT 'rendition', 0, name, 1, size FROM renditions
    UNION ALL SELECT 'copy', 0, '', n, size FROM copied
    UNION ALL SELECT 'owner', r.user_id, '', 1, r.file_size + made.size + coalesce((SELECT size FROM copied), 0)
  ) each WHERE r.status <> 'receiving'
$$;--> statement-breakpoint
CREATE FUNCTION counts_of(r materials) RETURNS TABLE (kind text, id integer, name text, n bigint, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT each.* FROM (VALUES ('material', 0, r.file_format, 1::bigint, r.file_size), ('owner', r.user_id, '', 1, r.file_size)) each
  WHERE r.status <> 'processing' AND r.removed_at IS NULL
$$;--> statement-breakpoint
DO $do$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['photos', 'photo_index', 'photo_files', 'materials'] LOOP
    EXECUTE format($f$
      CREATE FUNCTION count_%1$s() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          INSERT INTO count_changes
          SELECT c.kind, c.id, c.name, sum(c.n), sum(c.total) FROM new_rows r, counts_of(r::%1$s) c GROUP BY 1, 2, 3;
        ELSIF TG_OP = 'DELETE' THEN
          INSERT INTO count_changes
          SELECT c.kind, c.id, c.name, -sum(c.n), -sum(c.total) FROM old_rows r, counts_of(r::%1$s) c GROUP BY 1, 2, 3;
        ELSE
          INSERT INTO count_changes
          SELECT kind, id, name, sum(n), sum(total) FROM (
            SELECT c.* FROM new_rows r, counts_of(r::%1$s) c
            UNION ALL SELECT c.kind, c.id, c.name, -c.n, -c.total FROM old_rows r, counts_of(r::%1$s) c
          ) changes GROUP BY 1, 2, 3 HAVING sum(n) <> 0 OR sum(total) <> 0;
        END IF;
        RETURN NULL;
      END
      $$
    $f$, name);
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_%s()', name || '_counted', name, name);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_%s()', name || '_recounted', name, name);
    EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_%s()', name || '_uncounted', name, name);
  END LOOP;
END
$do$;--> statement-breakpoint
-- Compares the counts with the rows, and corrects those that differ. It locks nothing: as a single statement it sees the rows and
-- their counts as of one moment. It returns how many counts were wrong.
CREATE FUNCTION recount() RETURNS integer LANGUAGE sql AS $$
  WITH known AS (
    SELECT c.* FROM photos r, counts_of(r) c
    UNION ALL SELECT c.* FROM photo_index r, counts_of(r) c
    UNION ALL SELECT c.* FROM photo_files r, counts_of(r) c
    UNION ALL SELECT c.* FROM materials r, counts_of(r) c
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
