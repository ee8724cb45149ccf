-- Counts the files of the user that are arriving now, of materials and of photos, without those that lost their server. A
-- VOLATILE function sees what was committed before it is called, so the same statement can first wait for a lock and then
-- count.
CREATE OR REPLACE FUNCTION "count_uploads"("owner" integer, "lost_seconds" integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (
    SELECT count(*) FROM "materials" WHERE "user_id" = "owner" AND "status" = 'processing' AND "removed_at" IS NULL
      AND "updated_at" > now() - make_interval(secs => "lost_seconds")
  ) + (
    SELECT count(*) FROM "photo_files" WHERE "user_id" = "owner" AND "status" = 'receiving'
      AND "updated_at" > now() - make_interval(secs => "lost_seconds")
  );
END
$$;
--> statement-breakpoint
-- Facets and counts read many rows of photo_index. Long texts and their terms are stored outside of the rows.
ALTER TABLE "photo_index" SET (toast_tuple_target = 512);--> statement-breakpoint
ALTER TABLE "photo_index" ALTER COLUMN "terms" SET STORAGE EXTERNAL;--> statement-breakpoint
-- The planner reckons a comparison of terms as cheap, as if they stood in the row. With this function it does not prefer
-- reading all rows, and all terms, to the index.
CREATE FUNCTION photo_terms(terms tsvector) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 20 AS $$ BEGIN RETURN terms; END $$;--> statement-breakpoint
-- Without a list of pending entries, which every search would read from end to end.
CREATE INDEX "photo_index_terms_idx" ON "photo_index" USING gin (photo_terms("terms")) WITH (fastupdate = off);
