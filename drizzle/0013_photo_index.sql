-- What a search counts of a photo, in one line: when it was taken or created (milliseconds since the year 1), its id, the year, the
-- categories and the tags. None of these texts depends on a setting, so the function is immutable.
CREATE FUNCTION photo_facets(photo_id integer, at timestamptz, year smallint, category_ids integer[], tag_ids integer[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (extract(epoch FROM at) * 1000)::bigint + 62135596800000 || ' ' || photo_id || ' ' || coalesce(year::text, '') || ' ' ||
    array_to_string(category_ids, ',') || ' ' || array_to_string(tag_ids, ',')
$$;--> statement-breakpoint
DROP INDEX "photo_index_public_idx";--> statement-breakpoint
DROP INDEX "photo_index_tree_idx";--> statement-breakpoint
ALTER TABLE "photo_index" ADD COLUMN "facets" text GENERATED ALWAYS AS (photo_facets("photo_id", coalesce("taken_at", "created_at"), "year", "category_ids", "tag_ids")) STORED NOT NULL;--> statement-breakpoint
CREATE INDEX "photo_index_seen_idx" ON "photo_index" USING btree ("is_public","owner_id","status","year","month");--> statement-breakpoint
CREATE INDEX "photo_index_categories_idx" ON "photo_index" USING gin ("category_ids");--> statement-breakpoint
ALTER TABLE "photo_index" DROP COLUMN "category_tree";