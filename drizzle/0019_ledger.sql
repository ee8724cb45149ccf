ALTER TABLE "ledger_entries" RENAME TO "old_entries";--> statement-breakpoint
ALTER SEQUENCE "ledger_entries_id_seq" RENAME TO "old_entries_id_seq";--> statement-breakpoint
ALTER INDEX "ledger_entries_pkey" RENAME TO "old_entries_pkey";--> statement-breakpoint
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
	"id" bigserial PRIMARY KEY NOT NULL,
	"transfer_id" uuid NOT NULL,
	"user_id" integer,
	"account" text NOT NULL,
	"side" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	CONSTRAINT "ledger_entries_side" UNIQUE("transfer_id","side"),
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
CREATE TRIGGER "ledger_transfers_balanced" AFTER INSERT ON "ledger_transfers" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION check_transfers();
