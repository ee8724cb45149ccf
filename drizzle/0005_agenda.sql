ALTER TABLE "schedule_items" ADD COLUMN "reminded_for" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "schedule_items_until_idx" ON "schedule_items" USING btree ("user_id","lasts_until") WHERE "schedule_items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "schedule_items_recurring_idx" ON "schedule_items" USING btree ("user_id") WHERE "schedule_items"."deleted_at" is null and "schedule_items"."rrule" is not null;--> statement-breakpoint
ALTER TABLE "agent_runs" DROP COLUMN IF EXISTS "message_id";