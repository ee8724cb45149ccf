import type { Role } from '../accounts/permissions.ts'
import type { Context } from '../context.ts'

/** An event that goes to a webhook. */
export interface HookedEvent {
  /** To whom the webhook belongs: the data is what this user may see. */
  owner: { userId: number; userUuid: string; username: string; role: Role }
  type: string
  /** The data of the event as clients see it. */
  event: object
}

/**
 * Makes the `data` of bodies, in the same order. Undefined where it is that of the event. An event whose data cannot be made is
 * rejected alone.
 */
export type PresentPayloads = (
  ctx: Context,
  events: HookedEvent[],
) => Promise<PromiseSettledResult<object | undefined>[]>
