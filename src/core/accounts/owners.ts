import { type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { users } from '../../db/schema/index.ts'

/** Leaves out what a deleted user has left until the job of the deletion comes to it. */
export const ownerExists = (userId: AnyPgColumn): SQL =>
  sql`exists (select from ${users} owner where owner.id = ${userId} and owner.deleted_at is null)`
