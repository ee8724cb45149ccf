import { texts } from './language.ts'

export type Role = 'super_admin' | 'admin' | 'editor' | 'user'
/** From the lowest to the highest. */
export const ROLES: readonly Role[] = ['user', 'editor', 'admin', 'super_admin']

export const roleName = texts({
  en: { super_admin: 'Super administrator', admin: 'Administrator', editor: 'Editor', user: 'User' },
  zh: { super_admin: '超级管理员', admin: '管理员', editor: '编辑者', user: '用户' },
})
