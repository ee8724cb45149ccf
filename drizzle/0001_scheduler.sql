CREATE TABLE "scheduled_jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"paused" boolean DEFAULT false NOT NULL,
	"last_run_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "users_updated_idx" ON "users" USING btree ("updated_at");