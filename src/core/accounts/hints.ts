import { defineHint } from '../../bus/bus.ts'

/** Servers drop what they cache of a session, or of all sessions of a user. */
export const principalsHint = defineHint<{ userId: number; sessionId?: string }>('principals')
