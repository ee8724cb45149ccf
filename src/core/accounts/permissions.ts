/** Roles and their permissions: docs/design.md, "Roles". */
export const ROLES = ['user', 'editor', 'admin', 'super_admin'] as const
export type Role = (typeof ROLES)[number]

const GRANTS: Record<Role, readonly string[]> = {
  super_admin: ['*'],
  admin: [
    'photo.*',
    'category.*',
    'tag.*',
    'user.read',
    'user.update',
    'settings.*',
    'upload.*',
    'timeline.*',
    'webhook.*',
    'invite.*',
    'stats.read',
    'node.*',
    'task.*',
    'system.*',
  ],
  editor: [
    'photo.read',
    'photo.create',
    'photo.update',
    'category.read',
    'tag.read',
    'tag.create',
    'upload.*',
  ],
  user: ['photo.read', 'category.read', 'tag.read'],
}

export type Permission = `${string}.${string}`

export function may(role: Role, permission: Permission): boolean {
  const [area] = permission.split('.')
  return GRANTS[role].some((grant) => grant === '*' || grant === permission || grant === `${area}.*`)
}

export const isAdmin = (role: Role): boolean => role === 'admin' || role === 'super_admin'

/** Whether `role` is at least as high as `other`: nobody grants, or acts on, a role above their own. */
export const outranks = (role: Role, other: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(other)
