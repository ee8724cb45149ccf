import { defineHint } from '../../bus/bus.ts'

/** A session may have ended or its user may have changed. Without a session id it concerns all sessions of the user. */
export interface PrincipalChange {
  userId: number
  sessionId?: string
}

/** Servers drop the sessions that the change concerns from their caches. */
export const principalsHint = defineHint<PrincipalChange>('principals')
