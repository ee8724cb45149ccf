import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'
import { SIMULATED_TRAINING } from './nodes.ts'

/** A price, recharge codes, and one of them redeemed. */
export async function furnishMoney({ admin, user, state }: Demo): Promise<void> {
  await state.once('price', () =>
    dataOf(admin.factory.admin.config.put({ task_prices: { [SIMULATED_TRAINING]: 0.5 } })),
  )
  await state.once('recharge codes', async () => {
    const body = { amount: 100, batch_size: 5, max_uses: 1, description: 'Demo' }
    const { data } = await dataOf(admin.factory.recharge.codes.post(body))
    await dataOf(user.factory.recharge.redeem.post({ code: data.codes[0]!.code }))
  })
}
