ALTER TABLE "system_logs" DROP COLUMN "level";--> statement-breakpoint
ALTER TABLE "system_logs" DROP COLUMN "message";--> statement-breakpoint
ALTER TABLE "system_logs" DROP COLUMN "fields";--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "server" text NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "debug_lines" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "info_lines" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "warning_lines" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "error_lines" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "critical_lines" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "system_logs" ADD COLUMN "body" "bytea" NOT NULL;--> statement-breakpoint
CREATE INDEX "system_logs_at_idx" ON "system_logs" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "system_logs_other_idx" ON "system_logs" USING btree ("at","id") WHERE debug_lines + warning_lines + error_lines + critical_lines > 0;--> statement-breakpoint
CREATE INDEX "task_logs_created_idx" ON "task_logs" USING brin ("created_at");