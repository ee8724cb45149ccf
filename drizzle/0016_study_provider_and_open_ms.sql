DROP INDEX "course_items_material_idx";--> statement-breakpoint
ALTER TABLE "courses" ADD COLUMN "open_ms" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "study_runs" ADD COLUMN "provider" text DEFAULT 'built_in' NOT NULL;--> statement-breakpoint
CREATE INDEX "course_items_material_idx" ON "course_items" USING btree ("material_id","course_id");--> statement-breakpoint
-- Milliseconds that a material has for learners; 0 while it is not open. Rounded up, so that nothing open counts as nothing.
-- A page: src/core/courses/documents.ts. The materials of a deleted owner count until they are deleted.
CREATE FUNCTION open_ms(m materials) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN m.status = 'active'
		THEN ceil(coalesce(CASE m.type WHEN 'pdf' THEN m.pages * 60 ELSE m.duration_seconds END, 0) * 1000)::bigint ELSE 0 END
$$;--> statement-breakpoint
-- The only writer of `courses.open_ms`. Each statement of a VOLATILE function sees what was committed before it, so the second one
-- sees what the holder of the lock before has done.
CREATE FUNCTION count_open_ms(ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM courses WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
	UPDATE courses c SET open_ms = (
		SELECT coalesce(sum(open_ms(m)), 0) FROM course_items i JOIN materials m ON m.id = i.material_id WHERE i.course_id = c.id
	) WHERE id = ANY (ids);
END
$$;--> statement-breakpoint
CREATE FUNCTION count_open_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count_open_ms(ARRAY(SELECT DISTINCT course_id FROM changed));
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE FUNCTION count_open_material() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count_open_ms(ARRAY(SELECT DISTINCT course_id FROM course_items WHERE material_id = NEW.id));
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "course_items_added" AFTER INSERT ON "course_items" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_open_items();--> statement-breakpoint
CREATE TRIGGER "course_items_removed" AFTER DELETE ON "course_items" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_open_items();--> statement-breakpoint
CREATE TRIGGER "materials_open" AFTER UPDATE ON "materials" FOR EACH ROW
	WHEN (open_ms(OLD) <> open_ms(NEW)) EXECUTE FUNCTION count_open_material();--> statement-breakpoint
SELECT count_open_ms(ARRAY(SELECT id FROM courses));
