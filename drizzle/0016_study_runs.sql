ALTER TABLE "study_runs" ADD COLUMN "item_duration" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "done_seconds" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "total_seconds" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "notopen_action" text DEFAULT 'retry' NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "phase" text DEFAULT 'still' NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "revision" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "study_runs_free_idx" ON "study_runs" USING btree ("task_id") WHERE "study_runs"."runner_id" is null and "study_runs"."phase" <> 'still';