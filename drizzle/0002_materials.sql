CREATE TABLE "material_likes" (
	"material_id" integer NOT NULL,
	"user_id" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "material_likes_material_id_user_id_pk" PRIMARY KEY("material_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "materials" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"title" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"type" text NOT NULL,
	"status" text NOT NULL,
	"file_path" text NOT NULL,
	"file_size" bigint DEFAULT 0 NOT NULL,
	"file_format" text NOT NULL,
	"thumbnail_path" text,
	"thumbnail_status" text DEFAULT 'pending' NOT NULL,
	"view_count" integer DEFAULT 0 NOT NULL,
	"like_count" integer DEFAULT 0 NOT NULL,
	"hidden_at" timestamp (3) with time zone,
	"removed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "materials_file_path_unique" UNIQUE("file_path")
);
--> statement-breakpoint
ALTER TABLE "material_likes" ADD CONSTRAINT "material_likes_material_id_materials_id_fk" FOREIGN KEY ("material_id") REFERENCES "public"."materials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "material_likes" ADD CONSTRAINT "material_likes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "materials" ADD CONSTRAINT "materials_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "material_likes_user_idx" ON "material_likes" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "materials_user_idx" ON "materials" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "materials_thumbnail_idx" ON "materials" USING btree ("thumbnail_path");--> statement-breakpoint
CREATE INDEX "materials_related_idx" ON "materials" USING btree ("type","view_count" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE "materials"."status" = 'active';--> statement-breakpoint
CREATE INDEX "materials_processing_idx" ON "materials" USING btree ("updated_at") WHERE "materials"."status" = 'processing';--> statement-breakpoint
CREATE INDEX "materials_hidden_idx" ON "materials" USING btree ("hidden_at") WHERE "materials"."removed_at" is null and "materials"."hidden_at" is not null;