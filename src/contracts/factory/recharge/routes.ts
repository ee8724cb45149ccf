import { readInstant } from '../../../core/agenda/times.ts'
import type { Context } from '../../../core/context.ts'
import { readAmount } from '../../../core/money/amounts.ts'
import { toMajor } from '../../../core/money/ledger.ts'
import { getCode, listCodes, updateCode } from '../../../core/recharge/codes.ts'
import { createCodes } from '../../../core/recharge/create.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Page, pageOf } from '../../../http/models.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import {
  CODE_CHANGE,
  CODE_CREATION,
  CodeChange,
  CodeCreation,
  CodeId,
  CodesQuery,
  NewRechargeCodes,
  RechargeCode,
} from './models.ts'
import { presentCode, presentNewCode } from './presenters.ts'

const { routes, route } = chapter(factory, 'recharge')

export const rechargeRoutes = (ctx: Context) =>
  routes(ctx, '/recharge')
    .post(
      '/codes',
      idempotent(createBatch),
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

async function createBatch({ ctx, principal, body, request }: SignedCall & Body<typeof CodeCreation>) {
  const batch = {
    batchSize: body.batch_size ?? 1,
    amountMinor: readAmount('amount', body.amount),
    description: body.description ?? '',
    maxUses: body.max_uses ?? 1,
    expiresAt: readExpiry(body.expires_at) ?? null,
  }
  const codes = await createCodes(ctx, principal, batch)
  return envelope(request, {
    codes: codes.map((code) => presentNewCode(code, batch)),
    total_generated: codes.length,
    total_amount: toMajor(codes.length * batch.amountMinor),
  })
}

async function listAll({ ctx, query, request }: SignedCall & Query<typeof CodesQuery>) {
  const { codes, total } = await listCodes(ctx, {
    page: query.page,
    pageSize: query.page_size,
    status: query.status,
  })
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

const readExpiry = (text: string | null | undefined) =>
  text === null || text === undefined ? text : readInstant('expires_at', text)
