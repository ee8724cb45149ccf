import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'

/** To whom a webhook belongs. A delivery is made for no session. */
export type WebhookOwner = Omit<Principal, 'sessionId'>

/** An event that goes to a webhook. */
export interface HookedEvent {
  /** The data is what this user may see. */
  owner: WebhookOwner
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
