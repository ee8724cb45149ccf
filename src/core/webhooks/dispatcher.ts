import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'
import { type Answer, attempt } from './attempt.ts'
import {
  type Claimed,
  claim,
  handBack,
  keepPayloads,
  type Outcome,
  PER_OWNER,
  roomFor,
  storeOutcomes,
} from './claims.ts'
import { mayReceive } from './event-types.ts'
import { FAILED, judge, retryAfterFailure } from './retries.ts'
import { type DeliveryError, messageId } from './rows.ts'
import { disableWebhook } from './webhooks.ts'

/** Deliveries that this server sends at the same time. Most of them wait for an answer. */
const AT_ONCE = 128
/** A server finds deliveries whose wake-up was lost, and those that are due again, this often. */
const POLL_MS = 2000
/** How long the loop waits before its first statement, so that commits and answers of the same moment share it. */
const GATHER_MS = 20
/** How long running attempts may still take when the server stops. */
const CLOSE_MS = 2000

/**
 * Sends deliveries. It claims those that are due, a few of each webhook and owner, so that a receiver that answers late holds up
 * no other.
 * One loop does all that needs the database: it stores what came of attempts, many in one statement, and claims the next ones.
 */
export class WebhookDispatcher {
  private readonly attempts = new Map<Claimed, Promise<void>>()
  /** What the loop stores next. */
  private outcomes: Outcome[] = []
  private gone: Claimed[] = []
  private stopped: Claimed[] = []
  private readonly stop = new AbortController()
  private readonly timer: ReturnType<typeof setInterval>
  private loop: Promise<void> | undefined
  /** Whether there may be something to claim. */
  private due = false
  private closing = false

  constructor(private readonly ctx: Context) {
    this.timer = setInterval(() => this.wake(), POLL_MS)
  }

  /** Something may be due: call it after the commit. */
  wake(): void {
    this.due = true
    this.turn()
  }

  /** Stops the attempts that take too long, and hands them back. */
  async close(): Promise<void> {
    this.closing = true
    clearInterval(this.timer)
    await waitAtMost(CLOSE_MS, Promise.all(this.attempts.values()))
    this.stop.abort()
    await Promise.all(this.attempts.values())
    while (this.loop) await this.loop
  }

  private turn(): void {
    this.loop ??= this.run().finally(() => {
      this.loop = undefined
      if (this.hasResults()) this.turn()
    })
  }

  private hasResults(): boolean {
    return this.outcomes.length > 0 || this.stopped.length > 0
  }

  private async run(): Promise<void> {
    await Bun.sleep(GATHER_MS)
    try {
      while (this.hasResults() || this.mayClaim()) {
        if (this.hasResults()) await this.store()
        if (this.mayClaim()) await this.claim()
      }
    } catch (error) {
      this.ctx.log.warn(
        { err: error },
        'deliveries to webhooks could not be prepared; the server tries again soon',
      )
    }
  }

  private mayClaim(): boolean {
    return this.due && !this.closing && this.attempts.size < AT_ONCE
  }

  private async claim(): Promise<void> {
    this.due = false
    const claimed = await claim(this.ctx, AT_ONCE - this.attempts.size, this.running())
    if (claimed.length === 0) return
    try {
      const ready = await this.withPayloads(claimed)
      if (this.closing) this.stopped.push(...ready)
      else for (const delivery of ready) this.start(delivery)
    } catch (error) {
      this.stopped.push(...claimed)
      // The poll tries again, because it would fail again at once.
      this.due = false
      throw error
    }
    // There may be more: of webhooks that this claim has not looked at.
    this.due = true
  }

  /**
   * Makes the data of bodies that show more than the event. All attempts of a delivery send the same.
   * @returns the deliveries that can be sent
   */
  private async withPayloads(claimed: Claimed[]): Promise<Claimed[]> {
    const without = claimed.filter(
      ({ payload, owner, type }) => payload === null && mayReceive(owner.role, type),
    )
    const made = await this.ctx.presentPayloads(
      this.ctx,
      without.map(({ owner, type, event }) => ({ owner, type, event: JSON.parse(event) as object })),
    )
    const kept: { id: string; payload: unknown }[] = []
    const failed = new Set<Claimed>()
    for (const [i, result] of made.entries()) {
      const delivery = without[i]!
      if (result.status === 'rejected') {
        const { id, type, attempts } = delivery
        this.ctx.log.error(
          { err: result.reason, delivery: id, type },
          'the data for a webhook cannot be made',
        )
        failed.add(delivery)
        this.outcomes.push(unsent(delivery, 'DATA_FAILED', retryAfterFailure(attempts)))
      } else if (result.value !== undefined) {
        delivery.payload = JSON.stringify(result.value)
        kept.push({ id: delivery.id, payload: result.value })
      }
    }
    if (kept.length > 0) await keepPayloads(this.ctx, kept)
    return claimed.filter((delivery) => !failed.has(delivery))
  }

  private start(delivery: Claimed): void {
    this.attempts.set(
      delivery,
      this.send(delivery).finally(() => this.ended(delivery)),
    )
  }

  private ended(delivery: Claimed): void {
    const crowded = this.attempts.size >= AT_ONCE
    this.attempts.delete(delivery)
    const { webhookId, failures, owner } = delivery
    const ofOwner = this.sending().filter((other) => other.owner.userId === owner.userId)
    const ofWebhook = ofOwner.filter((other) => other.webhookId === webhookId)
    // A claim leaves deliveries behind when this server, the owner or the webhook has no room for more. Now there is room.
    if (crowded || ofOwner.length >= PER_OWNER || ofWebhook.length >= roomFor(failures)) this.due = true
    this.turn()
  }

  /**
   * The deliveries that are being sent. Those whose outcome is not stored yet count too, because the outcome may say that the
   * webhook takes no more.
   */
  private sending(): Claimed[] {
    return [...this.attempts.keys(), ...this.outcomes.map(({ delivery }) => delivery)]
  }

  /** How many of them each webhook has. */
  private running(): Map<number, number> {
    const running = new Map<number, number>()
    for (const { webhookId } of this.sending()) running.set(webhookId, (running.get(webhookId) ?? 0) + 1)
    return running
  }

  private async send(delivery: Claimed): Promise<void> {
    const { id, type, at, event, payload, attempts, failingSeconds, owner } = delivery
    if (!mayReceive(owner.role, type)) {
      this.outcomes.push(unsent(delivery, 'NOT_PERMITTED', FAILED))
      return
    }
    const message = { id: messageId(id), type, at, data: payload ?? event }
    const answer = await attempt(this.ctx, delivery, message, this.stop.signal)
    if (answer.aborted) {
      this.stopped.push(delivery)
      return
    }
    this.outcomes.push(this.outcomeOf(delivery, answer, judge(answer, attempts, failingSeconds)))
  }

  private outcomeOf(delivery: Claimed, answer: Answer, verdict: Outcome['verdict']): Outcome {
    if (verdict.gone) this.gone.push(delivery)
    const result = verdict.gone ? 'disabled' : verdict.status === 'pending' ? 'retried' : verdict.status
    this.ctx.metrics.webhookDeliveries.of(result).value++
    const { status, error, durationMs } = answer
    return { delivery, verdict, responseStatus: status, error, durationMs }
  }

  private async store(): Promise<void> {
    const { outcomes, stopped, gone } = this
    this.outcomes = []
    this.stopped = []
    this.gone = []
    try {
      if (stopped.length > 0) await handBack(this.ctx, stopped)
      if (outcomes.length === 0) return
      const failing = await storeOutcomes(this.ctx, outcomes)
      for (const { webhookId, owner } of gone)
        await disableWebhook(this.ctx, { id: webhookId, userId: owner.userId }, 'GONE')
      for (const webhook of failing) await disableWebhook(this.ctx, webhook, 'FAILING')
    } catch (error) {
      // The deliveries are sent again when their leases end. Those that were taken arrive twice, with the same id.
      this.ctx.log.warn({ err: error }, 'results of deliveries to webhooks could not be stored')
    }
  }
}

const unsent = (delivery: Claimed, error: DeliveryError, verdict: Outcome['verdict']): Outcome => ({
  delivery,
  verdict,
  error,
  responseStatus: null,
  durationMs: null,
})
