DROP INDEX "nodes_name_key";--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "name_key" text;--> statement-breakpoint
CREATE UNIQUE INDEX "nodes_name_key_idx" ON "nodes" USING btree ("name_key") WHERE "nodes"."deleted_at" is null;