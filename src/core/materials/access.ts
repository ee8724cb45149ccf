import { isAdmin } from '../accounts/permissions.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { lockMaterial, type Material } from './rows.ts'

/** Whether this user is the uploader or an administrator. */
export const mayManage = (who: Principal | undefined, { userId }: Pick<Material, 'userId'>): boolean =>
  who !== undefined && (who.userId === userId || isAdmin(who.role))

/** @throws AppError NOT_FOUND, PERMISSION_DENIED */
export async function lockOwn(tx: Tx, who: Principal, id: number): Promise<Material> {
  const material = await lockMaterial(tx, id)
  if (!mayManage(who, material)) throw new AppError('PERMISSION_DENIED')
  return material
}
