DROP INDEX "photo_index_public_idx";--> statement-breakpoint
CREATE INDEX "photo_index_seen_idx" ON "photo_index" USING btree ("is_public","owner_id","status");