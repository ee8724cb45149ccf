-- Counts the user's tasks of now. A statement sees what was committed before it began; a VOLATILE function sees what was
-- committed before it is called, so the same statement can first wait for a lock and then count.
CREATE FUNCTION "count_tasks"("owner" integer, "statuses" text[]) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT count(*) FROM "tasks" WHERE "user_id" = "owner" AND "status" = ANY ("statuses"));
END
$$;
