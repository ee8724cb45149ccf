DROP INDEX "photo_index_tree_idx";--> statement-breakpoint
CREATE INDEX "photo_index_categories_idx" ON "photo_index" USING gin ("category_ids");