/** Roles and what they permit: docs/design.md, "Roles". */
import { AppError } from '../errors.ts'

/** From the lowest to the highest. */
export const ROLES = ['user', 'editor', 'admin', 'super_admin'] as const
export type Role = (typeof ROLES)[number]

type Edits = 'read' | 'create' | 'update' | 'delete'

/** What can be done in each area. A new area adds a line here and stands in the grants of its roles. */
interface Actions {
  photo: Edits
  category: Edits
  tag: Edits
  user: Edits
  settings: 'read' | 'update'
  upload: 'create'
  timeline: Edits
  webhook: Edits
  invite: Edits
  stats: 'read'
  audit: 'read'
  node: 'create' | 'update' | 'delete'
  course: 'create' | 'update' | 'delete'
  task: 'read' | 'update'
  recharge: 'read' | 'create' | 'update'
  log: 'read'
  system: 'cleanup' | 'scheduler' | 'metrics'
}
export type Area = keyof Actions

export type Permission = { [A in Area]: `${A}.${Actions[A]}` }[Area]
type Grant = '*' | `${Area}.*` | Permission

const GRANTS: Record<Role, readonly Grant[]> = {
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
    'audit.read',
    'node.*',
    'course.*',
    'task.*',
    'recharge.*',
    'log.read',
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
    'course.*',
  ],
  user: ['photo.read', 'category.read', 'tag.read'],
}

export function may(role: Role, permission: Permission): boolean {
  const [area] = permission.split('.')
  return GRANTS[role].some((grant) => grant === '*' || grant === permission || grant === `${area}.*`)
}

/** Whether a role may do everything in an area: whether it holds `area.*`. */
export const mayAll = (role: Role, area: Area): boolean =>
  GRANTS[role].some((grant) => grant === '*' || grant === `${area}.*`)

/** The error for a user without the permission. */
export const permissionDenied = (needed: Permission, role: Role): AppError =>
  new AppError('PERMISSION_DENIED', { params: { requiredPermission: needed, userRole: role } })

/** @throws AppError PERMISSION_DENIED */
export function assertMay(role: Role, needed: Permission): void {
  if (!may(role, needed)) throw permissionDenied(needed, role)
}

/** The error for a user who holds the permission, but has a lower role than the user to change, or than the role to grant. */
export const outranked = (needed: Permission, role: Role): AppError =>
  new AppError('HIGHER_ROLE', { params: { requiredPermission: needed, userRole: role } })

export const isAdmin = (role: Role): boolean => role === 'admin' || role === 'super_admin'

/** Whether `role` is at least as high as `other`. Nobody grants a role above their own, or changes a user of one. */
export const outranks = (role: Role, other: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(other)
