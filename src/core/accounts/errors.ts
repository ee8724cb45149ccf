import { defineErrors, defineTexts } from '../errors/define.ts'

export const ACCOUNT_ERRORS = defineErrors({
  AUTHENTICATION_REQUIRED: { kind: 'unauthenticated', zh: '请先登录', en: 'Sign in first' },
  INVALID_TOKEN: {
    kind: 'unauthenticated',
    zh: '令牌无效，请重新登录',
    en: 'The token is not valid; sign in again',
  },
  TOKEN_EXPIRED: {
    kind: 'unauthenticated',
    zh: '令牌已过期，请刷新',
    en: 'The token has expired; refresh it',
  },
  INVALID_CREDENTIALS: {
    kind: 'unauthenticated',
    zh: '邮箱、用户名或密码不正确',
    en: 'The email, username or password is wrong',
  },
  INVALID_REFRESH_TOKEN: {
    kind: 'unauthenticated',
    zh: '刷新令牌无效或已过期，请重新登录',
    en: 'The refresh token is not valid or has expired; sign in again',
  },
  INACTIVE_USER: { kind: 'forbidden', zh: '该账号已停用', en: 'This account is deactivated' },
  PERMISSION_DENIED: {
    kind: 'forbidden',
    zh: '没有执行此操作的权限',
    en: 'You do not have permission to do this',
  },
  HIGHER_ROLE: {
    kind: 'forbidden',
    zh: '不能更改角色高于自己的用户，也不能授予高于自己的角色',
    en: 'You cannot change a user whose role is higher than yours, or grant such a role',
  },
  EMAIL_TAKEN: { kind: 'conflict', zh: '该邮箱已有账号', en: 'This email already has an account' },
  USERNAME_TAKEN: { kind: 'conflict', zh: '该用户名已被使用', en: 'This username is taken' },
  OWN_ACCOUNT: {
    kind: 'conflict',
    zh: '不能删除或停用自己的账号，也不能更改自己的角色，请由另一名管理员操作',
    en: 'You cannot delete or deactivate your own account, or change its role; ask another administrator',
  },
  LAST_SUPER_ADMIN: {
    kind: 'conflict',
    zh: '至少要保留一名超级管理员',
    en: 'At least one super administrator must remain',
  },
})

export const ACCOUNT_RULES = defineTexts({
  username: {
    zh: '应为 3–30 个字母、数字、点、下划线或连字符',
    en: 'must be 3–30 letters, digits, dots, underscores or hyphens',
  },
  own_password: {
    zh: '修改自己的密码需要提供当前密码，不能在此修改',
    en: 'of your own account is changed with the current password, not here',
  },
  current_password: { zh: '当前密码不正确', en: 'is not your current password' },
})
