import { readInstant } from '../../../core/agenda/times.ts'
import type { Context } from '../../../core/context.ts'
import { readAmount, toMajor } from '../../../core/money/amounts.ts'
import { getCode, listCodes, updateCode } from '../../../core/recharge/codes.ts'
import { createCodes, type DrawnCode, drawCodes, type NewCodes } from '../../../core/recharge/create.ts'
import { listRedemptions, listUses } from '../../../core/recharge/records.ts'
import { redeemCode } from '../../../core/recharge/redeem.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Page, PageQuery, pageOf } from '../../../http/models.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import {
  CODE_CHANGE,
  CODE_CREATION,
  CodeChange,
  CodeCreation,
  CodeId,
  CodesQuery,
  CodeUse,
  NewRechargeCodes,
  REDEEMING,
  RechargeCode,
  RechargeRecord,
  Redeemed,
  Redeeming,
} from './models.ts'
import { presentCode, presentNewCode, presentRecord, presentRedeemed, presentUse } from './presenters.ts'

const { routes, route } = chapter(factory, 'recharge')

export const rechargeRoutes = (ctx: Context) =>
  routes(ctx, '/recharge')
    .post(
      '/codes',
      idempotent(createBatch, drawBatch),
      route({
        auth: 'recharge.create',
        summary: 'Make recharge codes (administrators)',
        body: CodeCreation,
        example: CODE_CREATION,
        status: 201,
        response: Envelope(NewRechargeCodes),
      }),
    )
    .get(
      '/codes',
      listAll,
      route({
        auth: 'recharge.read',
        summary: 'List recharge codes, newest first (administrators)',
        query: CodesQuery,
        response: Envelope(Page(RechargeCode)),
      }),
    )
    .get(
      '/codes/:id',
      showOne,
      route({
        auth: 'recharge.read',
        summary: 'Show a recharge code (administrators)',
        params: CodeId,
        response: Envelope(RechargeCode),
      }),
    )
    .put(
      '/codes/:id',
      changeOne,
      route({
        auth: 'recharge.update',
        summary: 'Disable or enable a recharge code, or change its description or expiry (administrators)',
        params: CodeId,
        body: CodeChange,
        example: CODE_CHANGE,
        response: Envelope(RechargeCode),
      }),
    )
    .get(
      '/codes/:id/uses',
      listUsesOfOne,
      route({
        auth: 'recharge.read',
        summary: 'List who has redeemed a code, newest first (administrators)',
        params: CodeId,
        query: PageQuery,
        response: Envelope(Page(CodeUse)),
      }),
    )
    .post(
      '/redeem',
      idempotent(redeemOne),
      route({
        auth: true,
        summary: 'Redeem a recharge code',
        id: 'redeemRechargeCode',
        body: Redeeming,
        example: REDEEMING,
        response: Envelope(Redeemed),
        errors: ['INVALID_RECHARGE_CODE', 'RATE_LIMITED'],
      }),
    )
    .get(
      '/records',
      listOwn,
      route({
        auth: true,
        summary: 'List what you have redeemed, newest first',
        query: PageQuery,
        response: Envelope(Page(RechargeRecord)),
      }),
    )

interface Drawn {
  batch: NewCodes
  codes: DrawnCode[]
}

async function drawBatch({ ctx, body }: SignedCall & Body<typeof CodeCreation>): Promise<Drawn> {
  const batch = {
    amountMinor: readAmount('amount', body.amount),
    description: body.description ?? '',
    maxUses: body.max_uses,
    expiresAt: readExpiry(body.expires_at) ?? null,
  }
  return { batch, codes: await drawCodes(ctx, body.batch_size) }
}

async function createBatch(
  { ctx, principal, request }: SignedCall & Body<typeof CodeCreation>,
  { batch, codes }: Drawn,
) {
  await createCodes(ctx, principal, batch, codes)
  return envelope(request, {
    codes: codes.map((code) => presentNewCode(code, batch)),
    total_generated: codes.length,
    total_amount: toMajor(codes.length * batch.amountMinor),
  })
}

async function listAll({ ctx, query, request }: SignedCall & Query<typeof CodesQuery>) {
  const { codes, total } = await listCodes(ctx, { ...pagingOf(query), status: query.status })
  return envelope(request, pageOf(codes.map(presentCode), total, query))
}

async function showOne({ ctx, params, request }: SignedCall & Params<typeof CodeId>) {
  return envelope(request, presentCode(await getCode(ctx, params.id)))
}

async function changeOne({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof CodeId> & Body<typeof CodeChange>) {
  const code = await updateCode(ctx, principal, params.id, {
    isDisabled: body.disabled,
    description: body.description,
    expiresAt: readExpiry(body.expires_at),
  })
  return envelope(request, presentCode(code))
}

async function listUsesOfOne({
  ctx,
  params,
  query,
  request,
}: SignedCall & Params<typeof CodeId> & Query<typeof PageQuery>) {
  const { redemptions, total } = await listUses(ctx, params.id, pagingOf(query))
  return envelope(request, pageOf(redemptions.map(presentUse), total, query))
}

async function redeemOne({ ctx, principal, body, request }: SignedCall & Body<typeof Redeeming>) {
  return envelope(request, presentRedeemed(await redeemCode(ctx, principal, body.code)))
}

async function listOwn({ ctx, principal, query, request }: SignedCall & Query<typeof PageQuery>) {
  const { redemptions, total } = await listRedemptions(ctx, principal.userId, pagingOf(query))
  return envelope(request, pageOf(redemptions.map(presentRecord), total, query))
}

const pagingOf = (query: Query<typeof PageQuery>['query']) => ({
  page: query.page,
  pageSize: query.page_size,
})

const readExpiry = (text: string | null | undefined) =>
  text === null || text === undefined ? text : readInstant('expires_at', text)
