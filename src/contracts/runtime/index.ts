import { Elysia } from 'elysia'
import type { Core } from '../../core/context.ts'

/** runtime.md, under `/api/v1`. */
export const runtimeRoutes = (_ctx: Core) => new Elysia()
