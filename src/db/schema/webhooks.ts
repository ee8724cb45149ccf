import { sql } from 'drizzle-orm'
import { boolean, index, integer, json, pgTable, serial, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, snakeJson } from './columns.ts'

export interface WebhookSecret {
  /** As the user gave it, or `whsec_` and base64 when the server made it. */
  secret: string
  /** RFC 3339: a secret that was replaced still signs until then. */
  until?: string
}

/** Why the server switches a webhook off. Clients see it. */
export const DISABLED_REASONS = ['GONE', 'FAILING'] as const

/** Why an attempt has failed. Owners of webhooks see it. */
export const ATTEMPT_ERRORS = [
  // The host has no address, or one that is not public. Owners must not learn which, because it tells of the server's network.
  'NO_PUBLIC_ADDRESS',
  'CONNECTION_FAILED',
  'TIMEOUT',
  'REDIRECT',
  'BAD_STATUS',
] as const
/** The same, and why a delivery was not sent. */
export const DELIVERY_ERRORS = [
  ...ATTEMPT_ERRORS,
  // The owner has lost the role.
  'NOT_PERMITTED',
  // The webhook was switched off while the delivery waited.
  'SWITCHED_OFF',
  'TOO_MANY_WAITING',
  // The server could not make the data of the body.
  'DATA_FAILED',
] as const

/** Where the events of a user's channel are sent. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: serial('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    url: text('url').notNull(),
    description: text('description').notNull().default(''),
    /** Types of events. */
    events: text('events').array().notNull(),
    /** The newest first. */
    secrets: snakeJson<WebhookSecret[]>('secrets', 'jsonb').notNull(),
    isActive: boolean('is_active').notNull().default(true),
    /** Why the server switched it off. */
    disabledReason: text('disabled_reason', { enum: DISABLED_REASONS }),
    /** Attempts that have failed since the last success, and when the first of them was. */
    failures: integer('failures').notNull().default(0),
    failingSince: instant('failing_since'),
    /** No attempt begins before: the receiver asked for a pause. */
    pausedUntil: instant('paused_until'),
    lastDeliveredAt: instant('last_delivered_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [index('webhooks_user_idx').on(t.userId)],
)

/** An event that goes to a webhook. It is written in the statement that writes the event to the channel. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    /** `webhook-id` of every attempt. */
    id: uuid('id').primaryKey(),
    /**
     * No foreign key, because its check would lock a row of `webhooks` for each event, and an event must not fail because its
     * user's webhook was deleted. Deliveries without a webhook are cleaned up.
     */
    webhookId: integer('webhook_id').notNull(),
    type: text('type').notNull(),
    /** The data of the event in the channel. */
    event: json('event').notNull(),
    at: instant('at').notNull(),
    /** The `data` of the body, made for the first attempt; every later one sends the same. */
    payload: json('payload'),
    status: text('status', { enum: ['pending', 'delivered', 'failed'] })
      .notNull()
      .default('pending'),
    attempts: smallint('attempts').notNull().default(0),
    /** Also the end of the lease of a server that makes an attempt. */
    nextAttemptAt: instant('next_attempt_at').notNull(),
    lastAttemptAt: instant('last_attempt_at'),
    /** HTTP status of the last answer; null when there was none. */
    responseStatus: smallint('response_status'),
    /** Why the last attempt failed, or why there was none. */
    error: text('error', { enum: DELIVERY_ERRORS }),
    durationMs: integer('duration_ms'),
    deliveredAt: instant('delivered_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    index('webhook_deliveries_due_idx').on(t.nextAttemptAt, t.webhookId).where(sql`${t.status} = 'pending'`),
    index('webhook_deliveries_webhook_idx').on(t.webhookId, t.createdAt),
  ],
)
