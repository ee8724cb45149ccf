CREATE TABLE "categories" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"slug" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"parent_id" integer,
	"path" text NOT NULL,
	"level" integer DEFAULT 0 NOT NULL,
	"cover_photo_id" integer,
	"color" text,
	"icon" text,
	"sort_order" integer DEFAULT 0 NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_featured" boolean DEFAULT false NOT NULL,
	"seo_title" text,
	"seo_description" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "categories_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "photo_categories" (
	"photo_id" integer NOT NULL,
	"category_id" integer NOT NULL,
	"is_primary" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "photo_categories_photo_id_category_id_pk" PRIMARY KEY("photo_id","category_id")
);
--> statement-breakpoint
CREATE TABLE "photo_files" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"status" text NOT NULL,
	"step" text,
	"failure" text,
	"file_name" text NOT NULL,
	"mime_type" text NOT NULL,
	"file_size" bigint DEFAULT 0 NOT NULL,
	"sha256" text,
	"object_key" text NOT NULL,
	"exposed" boolean DEFAULT false NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"renditions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"width" integer,
	"height" integer,
	"placeholder" text,
	"exif" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"place" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"taken_at" timestamp (3) with time zone,
	"taken_offset" smallint,
	"processing_started_at" timestamp (3) with time zone,
	"processed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "photo_files_object_key_unique" UNIQUE("object_key")
);
--> statement-breakpoint
CREATE TABLE "photo_index" (
	"photo_id" integer PRIMARY KEY NOT NULL,
	"owner_id" integer NOT NULL,
	"is_public" boolean NOT NULL,
	"status" text NOT NULL,
	"title" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"taken_at" timestamp (3) with time zone,
	"year" smallint,
	"month" smallint,
	"category_ids" integer[] NOT NULL,
	"category_tree" integer[] NOT NULL,
	"tag_ids" integer[] NOT NULL,
	"camera" text,
	"lens" text,
	"location" text,
	"terms_version" smallint NOT NULL,
	"text" text NOT NULL,
	"terms" "tsvector" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "photo_tags" (
	"photo_id" integer NOT NULL,
	"tag_id" integer NOT NULL,
	"confidence" real DEFAULT 1 NOT NULL,
	"source" text DEFAULT 'manual' NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "photo_tags_photo_id_tag_id_pk" PRIMARY KEY("photo_id","tag_id")
);
--> statement-breakpoint
CREATE TABLE "photos" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"file_id" integer NOT NULL,
	"title" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"slug" text NOT NULL,
	"status" text NOT NULL,
	"visibility" text NOT NULL,
	"was_public" boolean DEFAULT false NOT NULL,
	"sort_order" integer DEFAULT 0 NOT NULL,
	"taken_at" timestamp (3) with time zone,
	"location_name" text,
	"latitude" double precision,
	"longitude" double precision,
	"country" text,
	"city" text,
	"metadata" json DEFAULT '{}'::json NOT NULL,
	"view_count" integer DEFAULT 0 NOT NULL,
	"like_count" integer DEFAULT 0 NOT NULL,
	"download_count" integer DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "photos_file_id_unique" UNIQUE("file_id"),
	CONSTRAINT "photos_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "tags" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"name_key" text NOT NULL,
	"slug" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"color" text,
	"icon" text,
	"pinyin" text NOT NULL,
	"initials" text NOT NULL,
	"tag_group" text DEFAULT 'subject' NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_featured" boolean DEFAULT false NOT NULL,
	"is_listed" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tags_name_key_unique" UNIQUE("name_key"),
	CONSTRAINT "tags_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "timeline_event_photos" (
	"event_id" integer NOT NULL,
	"photo_id" integer NOT NULL,
	"position" smallint NOT NULL,
	CONSTRAINT "timeline_event_photos_event_id_photo_id_pk" PRIMARY KEY("event_id","photo_id")
);
--> statement-breakpoint
CREATE TABLE "timeline_events" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer,
	"title" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"date" date NOT NULL,
	"type" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "upload_pieces" (
	"session_id" integer NOT NULL,
	"start" bigint NOT NULL,
	"size" integer NOT NULL,
	"object_key" text NOT NULL,
	"stored_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "upload_pieces_session_id_start_pk" PRIMARY KEY("session_id","start")
);
--> statement-breakpoint
CREATE TABLE "upload_sessions" (
	"id" serial PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"protocol" text NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"file_name" text NOT NULL,
	"mime_type" text DEFAULT '' NOT NULL,
	"file_size" bigint,
	"chunk_size" integer,
	"sha256" text,
	"received" bigint DEFAULT 0 NOT NULL,
	"appender" text,
	"completer" text,
	"completing_at" timestamp (3) with time zone,
	"file_id" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "upload_sessions_sizes_check" CHECK ("upload_sessions"."protocol" <> 'chunked' or ("upload_sessions"."file_size" is not null and "upload_sessions"."chunk_size" is not null))
);
--> statement-breakpoint
ALTER TABLE "categories" ADD CONSTRAINT "categories_parent_id_categories_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."categories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "categories" ADD CONSTRAINT "categories_cover_photo_id_photos_id_fk" FOREIGN KEY ("cover_photo_id") REFERENCES "public"."photos"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_categories" ADD CONSTRAINT "photo_categories_photo_id_photos_id_fk" FOREIGN KEY ("photo_id") REFERENCES "public"."photos"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_categories" ADD CONSTRAINT "photo_categories_category_id_categories_id_fk" FOREIGN KEY ("category_id") REFERENCES "public"."categories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_files" ADD CONSTRAINT "photo_files_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_index" ADD CONSTRAINT "photo_index_photo_id_photos_id_fk" FOREIGN KEY ("photo_id") REFERENCES "public"."photos"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_tags" ADD CONSTRAINT "photo_tags_photo_id_photos_id_fk" FOREIGN KEY ("photo_id") REFERENCES "public"."photos"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photo_tags" ADD CONSTRAINT "photo_tags_tag_id_tags_id_fk" FOREIGN KEY ("tag_id") REFERENCES "public"."tags"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photos" ADD CONSTRAINT "photos_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "photos" ADD CONSTRAINT "photos_file_id_photo_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."photo_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "timeline_event_photos" ADD CONSTRAINT "timeline_event_photos_event_id_timeline_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."timeline_events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "timeline_event_photos" ADD CONSTRAINT "timeline_event_photos_photo_id_photos_id_fk" FOREIGN KEY ("photo_id") REFERENCES "public"."photos"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "timeline_events" ADD CONSTRAINT "timeline_events_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upload_pieces" ADD CONSTRAINT "upload_pieces_session_id_upload_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."upload_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upload_sessions" ADD CONSTRAINT "upload_sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "categories_parent_idx" ON "categories" USING btree ("parent_id");--> statement-breakpoint
CREATE INDEX "categories_path_idx" ON "categories" USING btree ("path" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "categories_cover_idx" ON "categories" USING btree ("cover_photo_id");--> statement-breakpoint
CREATE INDEX "photo_categories_category_idx" ON "photo_categories" USING btree ("category_id");--> statement-breakpoint
CREATE UNIQUE INDEX "photo_categories_primary_idx" ON "photo_categories" USING btree ("photo_id") WHERE "photo_categories"."is_primary";--> statement-breakpoint
CREATE INDEX "photo_files_user_idx" ON "photo_files" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "photo_files_hash_idx" ON "photo_files" USING btree ("user_id","sha256");--> statement-breakpoint
CREATE INDEX "photo_files_unfinished_idx" ON "photo_files" USING btree ("updated_at") WHERE "photo_files"."status" in ('receiving', 'uploaded', 'processing');--> statement-breakpoint
CREATE INDEX "photo_files_pending_idx" ON "photo_files" USING btree ("user_id") WHERE "photo_files"."status" in ('receiving', 'uploaded', 'processing');--> statement-breakpoint
CREATE INDEX "photo_index_created_idx" ON "photo_index" USING btree ("created_at","photo_id");--> statement-breakpoint
CREATE INDEX "photo_index_taken_idx" ON "photo_index" USING btree ("taken_at","photo_id");--> statement-breakpoint
CREATE INDEX "photo_index_taken_desc_idx" ON "photo_index" USING btree ("taken_at" DESC NULLS LAST,"photo_id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "photo_index_title_idx" ON "photo_index" USING btree (lower("title") collate "C","photo_id");--> statement-breakpoint
CREATE INDEX "photo_index_public_idx" ON "photo_index" USING btree ("photo_id") WHERE "photo_index"."is_public";--> statement-breakpoint
CREATE INDEX "photo_index_owner_idx" ON "photo_index" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "photo_index_month_idx" ON "photo_index" USING btree ("year","month","taken_at" DESC NULLS LAST,"photo_id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "photo_index_tree_idx" ON "photo_index" USING gin ("category_tree");--> statement-breakpoint
CREATE INDEX "photo_index_tags_idx" ON "photo_index" USING gin ("tag_ids");--> statement-breakpoint
CREATE INDEX "photo_tags_tag_idx" ON "photo_tags" USING btree ("tag_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "photo_tags_created_idx" ON "photo_tags" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "photos_user_idx" ON "photos" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "tags_group_idx" ON "tags" USING btree ("tag_group");--> statement-breakpoint
CREATE INDEX "timeline_event_photos_photo_idx" ON "timeline_event_photos" USING btree ("photo_id");--> statement-breakpoint
CREATE INDEX "timeline_events_date_idx" ON "timeline_events" USING btree ("date");--> statement-breakpoint
CREATE INDEX "upload_sessions_user_idx" ON "upload_sessions" USING btree ("user_id","status");--> statement-breakpoint
CREATE INDEX "upload_sessions_updated_idx" ON "upload_sessions" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "users_staff_idx" ON "users" USING btree ("role") WHERE "users"."role" <> 'user';