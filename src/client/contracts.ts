/**
 * The routes of each contract under its base URL, in the form that Eden reads. Programs outside of the server see in place of
 * this file a list that `bun run build:client` writes from these types, because they do not have the server's sources.
 */
import type { factoryRoutes } from '../contracts/factory/index.ts'
import type { learningRoutes } from '../contracts/learning/index.ts'
import type { portfolioRoutes } from '../contracts/portfolio/index.ts'
import type { runtimeRoutes } from '../contracts/runtime/index.ts'
import type { studyRoutes } from '../contracts/study/index.ts'
import type { studyFactoryRoutes } from '../contracts/study-factory/index.ts'

type RoutesOf<Mount extends (ctx: never) => { '~Routes': unknown }> = ReturnType<Mount>['~Routes']

/** `/api/v1` of the learning contract. */
export type Learning = RoutesOf<typeof learningRoutes>
/** `/v1`. */
export type Portfolio = RoutesOf<typeof portfolioRoutes>
/** `/api` of the study contract, with the routes that it shares with factory. */
export type Study = RoutesOf<typeof studyRoutes> & RoutesOf<typeof studyFactoryRoutes>
/** `/api/v1` of the runtime contract. */
export type Runtime = RoutesOf<typeof runtimeRoutes>
/** `/api` of the factory contract, with the routes that it shares with study. */
export type Factory = RoutesOf<typeof factoryRoutes> & RoutesOf<typeof studyFactoryRoutes>
