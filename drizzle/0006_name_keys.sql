DROP INDEX "users_email_key";--> statement-breakpoint
DROP INDEX "users_username_key";--> statement-breakpoint
DROP INDEX "users_names_idx";--> statement-breakpoint
DROP INDEX "password_resets_email_idx";--> statement-breakpoint
DROP INDEX "signups_email_idx";--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "email_key" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "username_key" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "username_look" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "username_typed_look" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "search_key" text;--> statement-breakpoint
ALTER TABLE "password_resets" ADD COLUMN "email_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "signups" ADD COLUMN "email_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
-- Emails are ASCII. Accounts get their keys from the server, which folds all other letters too.
UPDATE "password_resets" SET "email_key" = lower("email" COLLATE "C");--> statement-breakpoint
UPDATE "signups" SET "email_key" = lower("email" COLLATE "C");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_key_idx" ON "users" USING btree ("email_key");--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_key_idx" ON "users" USING btree ("username_key");--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_look_idx" ON "users" USING btree ("username_look");--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_typed_look_idx" ON "users" USING btree ("username_typed_look");--> statement-breakpoint
CREATE INDEX "users_unnamed_idx" ON "users" USING btree ("id") WHERE "users"."email_key" is null or "users"."username_key" is null;--> statement-breakpoint
CREATE INDEX "users_search_idx" ON "users" USING gin (name_grams("search_key", 1));--> statement-breakpoint
CREATE INDEX "password_resets_email_key_idx" ON "password_resets" USING btree ("email_key","id");--> statement-breakpoint
CREATE INDEX "signups_email_key_idx" ON "signups" USING btree ("email_key","id");