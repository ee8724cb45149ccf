CREATE SEQUENCE "public"."node_sockets" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "config" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "config" SET DEFAULT '{}'::json;--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "result" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "result" SET DEFAULT '{}'::json;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "socket_heard_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "socket" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "cannot_start" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "revision" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "task_logs" ADD COLUMN "code" text;--> statement-breakpoint
ALTER TABLE "task_logs" ADD COLUMN "params" json;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "failure_code" text;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "failure_params" json;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "lost_by" jsonb DEFAULT '[]'::jsonb NOT NULL;