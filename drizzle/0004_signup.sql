CREATE FUNCTION name_grams(names text, smallest integer) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT coalesce(array_agg(DISTINCT substr(lower(names), at, size)), '{}')
	FROM generate_series(smallest, 2) AS size, generate_series(1, char_length(lower(names)) - size + 1) AS at
$$;--> statement-breakpoint
DROP INDEX "password_resets_user_idx";--> statement-breakpoint
ALTER TABLE "password_resets" ALTER COLUMN "user_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "password_resets" ADD COLUMN "email" text NOT NULL;--> statement-breakpoint
ALTER TABLE "password_resets" ADD COLUMN "code_expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "signups" ADD COLUMN "code_expires_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "users_names_idx" ON "users" USING gin (name_grams((E'\n' || "username" || E'\n' || "display_name" || E'\n'), 1));--> statement-breakpoint
CREATE INDEX "password_resets_email_idx" ON "password_resets" USING btree (lower("email"),"id");--> statement-breakpoint
CREATE INDEX "password_resets_user_idx" ON "password_resets" USING btree ("user_id");