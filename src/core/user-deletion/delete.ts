/**
 * Deletes accounts: docs/design.md, "Deleted accounts". The row of the user stays for the ledger, without personal data, and with
 * neither names nor a role, so that nobody finds it.
 */
import { eq, sql } from 'drizzle-orm'
import { passwordResets, users } from '../../db/schema/index.ts'
import { assertAnotherSuperAdmin, lockAccount } from '../accounts/administration.ts'
import { principalsHint } from '../accounts/hints.ts'
import { outranked, outranks } from '../accounts/permissions.ts'
import type { Actor } from '../accounts/principals.ts'
import { endSessions } from '../accounts/sessions.ts'
import { audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { hideMaterialsOf } from '../materials/of-user.ts'
import { hidePhotosOf } from '../photos/of-user.ts'
import { transaction } from '../transaction.ts'
import { purgeHandle } from './job-handles.ts'

/**
 * Deletes an account. From the commit on, its sessions are over, its names are free, and nobody sees anything of it. A job
 * deletes its data and files.
 * @throws AppError NOT_FOUND, HIGHER_ROLE, OWN_ACCOUNT, LAST_SUPER_ADMIN
 */
export const deleteUser = (ctx: Context, admin: Actor, id: string | number): Promise<void> =>
  transaction(ctx, async (tx) => {
    // Rows of the user that were added before the lock are seen by the statements after it, and the database refuses new ones.
    const user = await lockAccount(tx, id)
    if (user.id === admin.userId) throw new AppError('OWN_ACCOUNT')
    if (!outranks(admin.role, user.role)) throw outranked('user.delete', admin.role)
    if (user.role === 'super_admin' && user.isActive) await assertAnotherSuperAdmin(tx, user.id)
    await endSessions(tx, admin, user.id, 'account_deleted')
    await hidePhotosOf(tx, user.id)
    await hideMaterialsOf(tx, user.id)
    await tx.db.delete(passwordResets).where(eq(passwordResets.userId, user.id))
    await wipe(tx, user.id)
    audit(tx, admin, { action: 'user.deleted', target: user.id, subject: user.id })
    await tx.queue.enqueue(tx, purgeHandle, { userId: user.id })
    tx.afterCommit(() => tx.bus.publish(principalsHint, { userId: user.id }))
  })

/** `users_deleted_check` names the columns without which nobody finds an account. */
async function wipe(tx: Tx, userId: number): Promise<void> {
  const names = {
    emailKey: null,
    usernameKey: null,
    usernameLook: null,
    usernameTypedLook: null,
    searchKey: null,
  }
  await tx.db
    .update(users)
    .set({
      ...names,
      username: `deleted-${userId}`,
      displayName: '',
      email: '',
      // No password has this hash.
      passwordHash: '',
      role: 'user',
      isActive: false,
      avatarUrl: null,
      bio: null,
      emailConfirmedAt: null,
      lastLoginAt: null,
      deletedAt: sql`now()`,
      updatedAt: sql`now()`,
    })
    .where(eq(users.id, userId))
}
