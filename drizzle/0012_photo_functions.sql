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
