CREATE TABLE "idempotency_keys" (
	"user_id" integer NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"answer_sealed" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_user_id_route_key_pk" PRIMARY KEY("user_id","route","key")
);
--> statement-breakpoint
CREATE TABLE "system_logs" (
	"id" bigserial NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"server" text NOT NULL,
	"debug_lines" integer NOT NULL,
	"info_lines" integer NOT NULL,
	"warning_lines" integer NOT NULL,
	"error_lines" integer NOT NULL,
	"critical_lines" integer NOT NULL,
	"body" "bytea" NOT NULL
) PARTITION BY RANGE ("at");
--> statement-breakpoint
-- Lines are compressed with zstd, so PostgreSQL need not try to compress them again.
ALTER TABLE "system_logs" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
CREATE TABLE "recharge_codes" (
	"id" serial PRIMARY KEY NOT NULL,
	"uuid" uuid NOT NULL,
	"code_hash" text NOT NULL,
	"code_sealed" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"max_uses" integer NOT NULL,
	"used_count" integer DEFAULT 0 NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"disabled_at" timestamp (3) with time zone,
	"created_by" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "recharge_codes_uuid_unique" UNIQUE("uuid"),
	CONSTRAINT "recharge_codes_code_hash_unique" UNIQUE("code_hash")
) WITH (fillfactor = 85);
--> statement-breakpoint
CREATE TABLE "redemptions" (
	"id" serial NOT NULL,
	"uuid" uuid NOT NULL,
	"code_id" integer NOT NULL,
	"user_id" integer NOT NULL,
	"amount_minor" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "redemptions_once" PRIMARY KEY("code_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "course_items" (
	"course_id" integer NOT NULL,
	"position" integer NOT NULL,
	"material_id" integer NOT NULL,
	CONSTRAINT "course_items_course_id_position_pk" PRIMARY KEY("course_id","position")
);
--> statement-breakpoint
CREATE TABLE "course_progress" (
	"user_id" integer NOT NULL,
	"course_id" text NOT NULL,
	"item_id" text NOT NULL,
	"position" double precision NOT NULL,
	"is_done" boolean DEFAULT false NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"is_reported" boolean DEFAULT true NOT NULL,
	CONSTRAINT "course_progress_user_id_course_id_item_id_pk" PRIMARY KEY("user_id","course_id","item_id")
);
--> statement-breakpoint
CREATE TABLE "courses" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"teacher_name" text DEFAULT '' NOT NULL,
	"created_by" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "study_runners" (
	"id" uuid PRIMARY KEY NOT NULL,
	"beat_ms" double precision NOT NULL,
	"beat_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "study_runs" (
	"task_id" integer PRIMARY KEY NOT NULL,
	"items" json NOT NULL,
	"item_index" integer DEFAULT 0 NOT NULL,
	"item_position" double precision DEFAULT 0 NOT NULL,
	"speed" real NOT NULL,
	"runner_id" uuid,
	"began_ms" double precision DEFAULT 0 NOT NULL,
	"item_duration" double precision DEFAULT 0 NOT NULL,
	"done_seconds" double precision DEFAULT 0 NOT NULL,
	"total_seconds" double precision DEFAULT 0 NOT NULL,
	"notopen_action" text DEFAULT 'retry' NOT NULL,
	"phase" text DEFAULT 'still' NOT NULL,
	"revision" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "study_settings" (
	"user_id" integer PRIMARY KEY NOT NULL,
	"cx_username" text DEFAULT '' NOT NULL,
	"cx_password_sealed" text,
	"speed" real DEFAULT 1 NOT NULL,
	"notopen_action" text DEFAULT 'retry' NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "low_balance_minor" bigint;--> statement-breakpoint
ALTER TABLE "materials" ADD COLUMN "duration_seconds" double precision;--> statement-breakpoint
ALTER TABLE "materials" ADD COLUMN "pages" integer;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "submission" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "unplaceable_at" timestamp (3) with time zone;--> statement-breakpoint
-- An event that locks its user could deadlock with a change of the user's balance: the event comes after the lock of the accounts.
ALTER TABLE "events" DROP CONSTRAINT "events_user_id_users_id_fk";--> statement-breakpoint
DELETE FROM "events" e WHERE NOT EXISTS (SELECT FROM "channels" c WHERE c."user_id" = e."user_id");--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_user_id_channels_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."channels"("user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recharge_codes" ADD CONSTRAINT "recharge_codes_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "redemptions" ADD CONSTRAINT "redemptions_code_id_recharge_codes_id_fk" FOREIGN KEY ("code_id") REFERENCES "public"."recharge_codes"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "redemptions" ADD CONSTRAINT "redemptions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "course_items" ADD CONSTRAINT "course_items_course_id_courses_id_fk" FOREIGN KEY ("course_id") REFERENCES "public"."courses"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "course_items" ADD CONSTRAINT "course_items_material_id_materials_id_fk" FOREIGN KEY ("material_id") REFERENCES "public"."materials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "course_progress" ADD CONSTRAINT "course_progress_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "courses" ADD CONSTRAINT "courses_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "study_runs" ADD CONSTRAINT "study_runs_task_id_tasks_id_fk" FOREIGN KEY ("task_id") REFERENCES "public"."tasks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "study_runs" ADD CONSTRAINT "study_runs_runner_id_study_runners_id_fk" FOREIGN KEY ("runner_id") REFERENCES "public"."study_runners"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "study_settings" ADD CONSTRAINT "study_settings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_idx" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "recharge_codes_creator_idx" ON "recharge_codes" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "redemptions_user_idx" ON "redemptions" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "course_items_material_idx" ON "course_items" USING btree ("material_id");--> statement-breakpoint
CREATE INDEX "study_runs_runner_idx" ON "study_runs" USING btree ("runner_id");--> statement-breakpoint
CREATE INDEX "study_runs_free_idx" ON "study_runs" USING btree ("task_id") WHERE "study_runs"."runner_id" is null and "study_runs"."phase" <> 'still';--> statement-breakpoint
CREATE INDEX "system_logs_at_idx" ON "system_logs" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "system_logs_other_idx" ON "system_logs" USING btree ("at","id") WHERE debug_lines + warning_lines + error_lines + critical_lines > 0;--> statement-breakpoint
CREATE INDEX "task_logs_created_idx" ON "task_logs" USING brin ("created_at");--> statement-breakpoint
CREATE INDEX "course_progress_unreported_idx" ON "course_progress" USING btree ("updated_at") WHERE not "course_progress"."is_reported";--> statement-breakpoint
CREATE INDEX "tasks_unfinished_idx" ON "tasks" USING btree ("status","kind","id") WHERE "tasks"."status" in ('pending', 'running', 'paused');--> statement-breakpoint
CREATE INDEX "password_resets_hash_idx" ON "password_resets" USING btree ("code_hash");--> statement-breakpoint
CREATE INDEX "tasks_untold_idx" ON "tasks" USING btree ("task_type") WHERE "tasks"."status" = 'pending' and "tasks"."node_id" is null and "tasks"."kind" = 'gpu' and "tasks"."unplaceable_at" is null;--> statement-breakpoint
CREATE INDEX "tasks_unplaceable_idx" ON "tasks" USING btree ("task_type") WHERE "tasks"."unplaceable_at" is not null;--> statement-breakpoint
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['course_progress', 'idempotency_keys', 'redemptions', 'study_settings'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION refuse_deleted_owner()', name || '_owner', name);
  END LOOP;
END
$$;--> statement-breakpoint
ALTER TABLE "ledger_entries" RENAME TO "old_entries";--> statement-breakpoint
ALTER SEQUENCE "ledger_entries_id_seq" RENAME TO "old_entries_id_seq";--> statement-breakpoint
DROP INDEX "ledger_entries_user_idx";--> statement-breakpoint
CREATE TABLE "ledger_accounts" (
	"user_id" integer NOT NULL,
	"kind" text NOT NULL,
	"balance_minor" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "ledger_accounts_user_id_kind_pk" PRIMARY KEY("user_id","kind"),
	CONSTRAINT "ledger_accounts_kind" CHECK ("ledger_accounts"."kind" in ('available', 'held')),
	CONSTRAINT "ledger_accounts_not_negative" CHECK ("ledger_accounts"."balance_minor" >= 0)
);
--> statement-breakpoint
CREATE TABLE "ledger_transfers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"reference" uuid,
	"created_by" integer,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "ledger_transfers_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "ledger_entries" (
	"id" bigserial NOT NULL,
	"transfer_id" uuid NOT NULL,
	"user_id" integer,
	"account" text NOT NULL,
	"side" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	CONSTRAINT "ledger_entries_side" PRIMARY KEY("transfer_id","side"),
	CONSTRAINT "ledger_entries_known_account" CHECK (("ledger_entries"."user_id" is not null and "ledger_entries"."account" in ('available', 'held'))
      or ("ledger_entries"."user_id" is null and "ledger_entries"."account" in ('recharge', 'revenue', 'adjustment'))),
	CONSTRAINT "ledger_entries_known_side" CHECK ("ledger_entries"."side" in ('debit', 'credit')),
	CONSTRAINT "ledger_entries_positive" CHECK ("ledger_entries"."amount_minor" > 0)
);
--> statement-breakpoint
CREATE TABLE "ledger_checks" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"transfers" bigint NOT NULL,
	"debit_minor" bigint NOT NULL,
	"credit_minor" bigint NOT NULL,
	"balance_minor" bigint NOT NULL,
	"differences" integer NOT NULL,
	"found" jsonb NOT NULL
);
--> statement-breakpoint
-- No other server may change a balance or a hold while they are copied.
LOCK TABLE "users", "tasks", "old_entries" IN EXCLUSIVE MODE;--> statement-breakpoint
-- An administrator could set a balance below what was held. An account cannot be negative, so the holds of the newest tasks become
-- smaller until they fit into the balance.
WITH "cumulative" AS (
	SELECT t."id", t."held_minor", greatest(u."balance_minor", 0) AS "has",
		(sum(t."held_minor") OVER (PARTITION BY t."user_id" ORDER BY t."id"))::bigint AS "total"
	FROM "tasks" t JOIN "users" u ON u."id" = t."user_id" WHERE t."held_minor" > 0
)
UPDATE "tasks" SET "held_minor" = greatest(c."held_minor" - (c."total" - c."has"), 0)
FROM "cumulative" c WHERE c."id" = "tasks"."id" AND c."total" > c."has";--> statement-breakpoint
CREATE TEMPORARY TABLE "old_balances" ON COMMIT DROP AS
	SELECT u."id" AS "user_id", u."uuid", greatest(u."balance_minor", 0) AS "balance", coalesce(t."held", 0) AS "held",
		coalesce(e."booked", 0) AS "booked"
	FROM "users" u
	LEFT JOIN (SELECT "user_id", sum("held_minor")::bigint AS "held" FROM "tasks" GROUP BY "user_id") t ON t."user_id" = u."id"
	LEFT JOIN (SELECT "user_id", sum("amount_minor")::bigint AS "booked" FROM "old_entries" GROUP BY "user_id") e ON e."user_id" = u."id";--> statement-breakpoint
INSERT INTO "ledger_accounts" ("user_id", "kind", "balance_minor")
	SELECT "user_id", 'available', "balance" - "held" FROM "old_balances"
	UNION ALL SELECT "user_id", 'held', "held" FROM "old_balances";--> statement-breakpoint
-- Every old entry, then what the balance had beyond its entries (a debt that was below zero is written off), then every hold.
CREATE TEMPORARY TABLE "moved" ON COMMIT DROP AS
	SELECT row_number() OVER (ORDER BY "step", "n") AS "n", gen_random_uuid() AS "transfer_id", "kind", "key", "reference", "created_by",
		"created_at", "user_id", abs("amount") AS "amount",
		CASE WHEN "amount" < 0 THEN "account" ELSE "other" END AS "debit",
		CASE WHEN "amount" < 0 THEN "other" ELSE "account" END AS "credit"
	FROM (
		SELECT 1 AS "step", "id" AS "n", CASE "kind" WHEN 'recharge' THEN 'redemption' ELSE "kind" END AS "kind", 'entry:' || "id" AS "key",
			"reference", "created_by", "created_at", "user_id", "amount_minor" AS "amount", 'available' AS "account",
			CASE "kind" WHEN 'capture' THEN 'revenue' ELSE "kind" END AS "other"
		FROM "old_entries"
		UNION ALL
		SELECT 2, "user_id", 'adjustment', 'opening:' || "uuid", NULL, NULL, clock_timestamp(), "user_id", "balance" - "booked", 'available',
			'adjustment'
		FROM "old_balances"
		UNION ALL
		SELECT 3, "id", 'hold', 'task:' || "uuid" || ':' || "submission" || ':hold', "uuid", NULL, clock_timestamp(), "user_id",
			"held_minor", 'held', 'available'
		FROM "tasks"
	) "all" WHERE "amount" <> 0;--> statement-breakpoint
INSERT INTO "ledger_transfers" ("id", "kind", "key", "reference", "created_by", "created_at")
	SELECT "transfer_id", "kind", "key", "reference", "created_by", "created_at" FROM "moved" ORDER BY "n";--> statement-breakpoint
INSERT INTO "ledger_entries" ("transfer_id", "user_id", "account", "side", "amount_minor")
	SELECT m."transfer_id", CASE WHEN s."account" IN ('available', 'held') THEN m."user_id" END, s."account", s."side", m."amount"
	FROM "moved" m CROSS JOIN LATERAL (VALUES ('debit', m."debit"), ('credit', m."credit")) s("side", "account")
	ORDER BY m."n", s."side" DESC;--> statement-breakpoint
-- Nothing is dropped before everything is there.
DO $$
BEGIN
	IF EXISTS (
		SELECT FROM "ledger_accounts" a LEFT JOIN (
			SELECT "user_id", "account", sum(CASE "side" WHEN 'credit' THEN "amount_minor" ELSE -"amount_minor" END) AS "booked"
			FROM "ledger_entries" WHERE "user_id" IS NOT NULL GROUP BY 1, 2
		) e ON e."user_id" = a."user_id" AND e."account" = a."kind"
		WHERE a."balance_minor" <> coalesce(e."booked", 0)
	) OR EXISTS (
		SELECT FROM "users" u WHERE greatest(u."balance_minor", 0)
			IS DISTINCT FROM (SELECT sum("balance_minor") FROM "ledger_accounts" WHERE "user_id" = u."id")
	) OR (SELECT count(*) FROM "old_entries" WHERE "amount_minor" <> 0)
		<> (SELECT count(*) FROM "ledger_transfers" WHERE "key" LIKE 'entry:%')
	THEN RAISE EXCEPTION 'the ledger could not be moved: its balances do not add up';
	END IF;
END
$$;--> statement-breakpoint
DROP TABLE "moved";--> statement-breakpoint
DROP TABLE "old_balances";--> statement-breakpoint
DROP TABLE "old_entries";--> statement-breakpoint
ALTER TABLE "users" DROP COLUMN "balance_minor";--> statement-breakpoint
ALTER TABLE "users" DROP COLUMN "held_minor";--> statement-breakpoint
ALTER TABLE "ledger_accounts" ADD CONSTRAINT "ledger_accounts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_transfer_id_ledger_transfers_id_fk" FOREIGN KEY ("transfer_id") REFERENCES "public"."ledger_transfers"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_account_fk" FOREIGN KEY ("user_id","account") REFERENCES "public"."ledger_accounts"("user_id","kind") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ledger_entries_user_idx" ON "ledger_entries" USING btree ("user_id","id") WHERE "ledger_entries"."user_id" is not null;--> statement-breakpoint
CREATE FUNCTION make_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger_accounts (user_id, kind) VALUES (NEW.id, 'available'), (NEW.id, 'held');
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "users_accounts" AFTER INSERT ON "users" FOR EACH ROW EXECUTE FUNCTION make_accounts();--> statement-breakpoint
CREATE TRIGGER "ledger_transfers_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_transfers" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();--> statement-breakpoint
CREATE TRIGGER "ledger_entries_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_entries" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();--> statement-breakpoint
-- Entries are added in the statement of their transfer: without it a foreign key refuses them, and `ledger_entries_side` refuses a
-- third one. A loop, because PostgreSQL expects a thousand new rows, and would read all entries to join them.
CREATE FUNCTION check_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	added uuid;
BEGIN
	FOR added IN SELECT id FROM new_rows LOOP
		IF (SELECT count(*) <> 2 OR sum(CASE side WHEN 'credit' THEN amount_minor ELSE -amount_minor END) <> 0
			FROM ledger_entries WHERE transfer_id = added)
		THEN RAISE EXCEPTION 'a transfer has a debit and a credit of the same amount, added in one statement';
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "ledger_transfers_balanced" AFTER INSERT ON "ledger_transfers" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION check_transfers();--> statement-breakpoint
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
