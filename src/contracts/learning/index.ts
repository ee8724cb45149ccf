import { Elysia } from 'elysia'
import type { Core } from '../../core/context.ts'
import { authRoutes } from './auth.ts'
import { databaseHealthRoutes } from './health.ts'

/** learning.md, under `/api/v1`. */
export const learningRoutes = (ctx: Core) => new Elysia().use(authRoutes(ctx)).use(databaseHealthRoutes(ctx))
