/** The form of the name of a task type. */
export const TASK_TYPE_PATTERN = '^[a-z][a-z0-9_.-]{0,49}$'
export const TASK_TYPE = new RegExp(TASK_TYPE_PATTERN)
